"""Click rates corrected for position: the click rate of each track at the first rank.

The position-based model (Craswell, Zoeter, Taylor & Ramsey 2008): a listener clicks a track that
is examined and appeals, so E[clicks of track i at rank k] = exposures · θ_k · γ_i, where θ_k is how
often rank k is examined compared with rank 1. Both are estimated by the score equations of the
log-linear two-way model, solved alternately (iterative proportional fitting, Deming & Stephan
1940): θ_k = clicks_k / Σ_i exposures_ik γ_i and γ_i = clicks_i / Σ_k exposures_ik θ_k. The second
is the inverse-propensity-weighted click rate (Joachims, Swaminathan & Schnabel 2017) with each
exposure counted by its propensity. It needs tracks that were shown at several ranks. If tracks were
ranked higher for listeners whom they suit better, part of that effect remains in θ.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_TOLERANCE = 1e-9
_ROUNDS = 500


@dataclass(frozen=True)
class Cells:
    """Exposures and clicks of every track at every rank, one element per cell."""

    track: Ints
    """Position of the track."""
    rank: Ints
    """Position of the rank among those used, 0 being the first."""
    exposures: Floats
    clicks: Floats


def examination(cells: Cells) -> Floats:
    """Return θ by rank position, 1 at the first; ranks without clicks get 0."""
    ranks, tracks = int(cells.rank.max()) + 1, int(cells.track.max()) + 1
    clicks_of_rank = np.bincount(cells.rank, cells.clicks, ranks)
    clicks_of_track = _by_track(cells, tracks)
    theta = np.ones(ranks)
    for _ in range(_ROUNDS):
        gamma = _rates(cells, theta, clicks_of_track)
        examined = np.bincount(cells.rank, cells.exposures * gamma[cells.track], ranks)
        after = np.divide(clicks_of_rank, examined, out=np.zeros(ranks), where=examined > 0)
        # Compared with the first rank, or with the most examined one if nobody clicked there.
        after = after / (after[0] if after[0] > 0 else max(after.max(), 1e-300))
        moved = float(np.abs(after - theta).max())
        theta = after
        if moved < _TOLERANCE:
            break
    return theta


def corrected_click_rates(cells: Cells, theta: Floats, tracks: int) -> Floats:
    """Return γ per track: clicks by exposures weighted by examination; NaN: not shown."""
    return _rates(cells, theta, _by_track(cells, tracks), np.nan)


def _by_track(cells: Cells, tracks: int) -> Floats:
    return np.bincount(cells.track, cells.clicks, tracks).astype(np.float64)


def _rates(cells: Cells, theta: Floats, clicks: Floats, unseen: float = 0.0) -> Floats:
    seen = np.bincount(cells.track, cells.exposures * theta[cells.rank], len(clicks))
    rates: Floats = np.divide(clicks, seen, out=np.full(len(clicks), unseen), where=seen > 0)
    return rates
