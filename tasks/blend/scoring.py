"""The formulas of docs/scoring.md, from the sums of one track to its score."""

from typing import NamedTuple

import numba as nb
import numpy as np
from numpy.typing import NDArray

from tasks.blend.kernels.sums import Candidates
from warehouse.contract.constants import TICKS, Source

SLACK = 2
"""Ticks that `estimate` may be off: roundings move a score by at most one, floats by far less."""


class Query(NamedTuple):
    """What scores one history (docs/scoring.md)."""

    w: float
    p: float
    gamma: float
    c_max: np.int64
    """C⁺."""
    d_max: np.int64
    """D⁺."""
    no_history: bool


class Signals(NamedTuple):
    """Of every candidate, in ticks but not rounded."""

    c: NDArray[np.float32]
    d: NDArray[np.float32]
    popularity: NDArray[np.float32]


class Ticks(NamedTuple):
    """One track's scores in ticks."""

    collaborative: int
    """c'."""
    content: int
    """d."""
    score: int
    """w·c' + (1 - w)·d."""


@nb.njit(cache=True, nogil=True)
def ticks(query: Query, c_sum: int, d_sum: int, popularity: float) -> Ticks:
    """Score one track; macros/ranked.sql has the same expressions.

    A track is cold where its popularity is 0: nobody has played it.
    """
    w, p, gamma = query.w, query.p, query.gamma
    c_max, d_max, no_history = query.c_max, query.d_max, query.no_history
    is_cold = popularity == 0.0
    d = np.sqrt(min(1.0, d_sum / d_max)) if d_max > 0 else 0.0
    estimated = is_cold or c_max <= 0
    c = gamma * d if estimated else np.sqrt(min(1.0, max(0.0, c_sum / c_max)))
    if no_history:
        c = popularity
    elif not is_cold:
        c = (c + p * popularity) / (1.0 + p)
    c_tick = np.floor(c * TICKS + 0.5)
    d_tick = np.floor(d * TICKS + 0.5)
    score = np.floor(w * c_tick + (1.0 - w) * d_tick + 0.5)
    return Ticks(int(c_tick), int(d_tick), int(score))


@nb.njit(cache=True, nogil=True)
def new_signals(tracks: int) -> Signals:
    """Return workspace for the signals of any candidates."""
    size = tracks + 1
    return Signals(
        np.empty(size, np.float32), np.empty(size, np.float32), np.empty(size, np.float32)
    )


@nb.njit(cache=True, nogil=True)
def signals(
    candidates: Candidates, found: np.int64, c_max: np.int64, d_max: np.int64, out: Signals
) -> None:
    """Write c, d and the popularity of every candidate in ticks: what all blends start from.

    Single precision: eight or sixteen tracks at a time. A cold track has no c and no popularity.
    """
    c_sums, d_sums = candidates.collaborative, candidates.content
    popularities = candidates.popularity
    c, d, popularity = out.c, out.d, out.popularity
    full = np.float32(TICKS)
    c_share = np.float32(1.0 / c_max if c_max > 0 else 0.0)
    d_share = np.float32(1.0 / d_max if d_max > 0 else 0.0)
    for x in range(found):
        c[x] = full * np.sqrt(np.float32(max(c_sums[x], np.int32(0))) * c_share)
        d[x] = full * np.sqrt(np.float32(d_sums[x]) * d_share)
        popularity[x] = full * np.float32(popularities[x])


@nb.njit(cache=True, nogil=True)
def estimate(query: Query, given: Signals, out: NDArray[np.float32]) -> None:
    """Blend every candidate without the roundings: within `SLACK` ticks of `ticks`."""
    w, p, gamma = query.w, query.p, query.gamma
    c_max, no_history = query.c_max, query.no_history
    c, d, popularity = given.c, given.d, given.popularity
    per_c = np.float32(w / (1.0 + p))
    per_popularity = np.float32(w if no_history else w * p / (1.0 + p))
    cold_d = np.float32(w * gamma + 1.0 - w)
    warm = 1.0 - w
    if c_max <= 0 and not no_history:
        warm += w * gamma / (1.0 + p)
    warm_d = np.float32(warm)
    for x in range(len(out)):
        per_d = cold_d if popularity[x] == np.float32(0.0) else warm_d
        out[x] = c[x] * per_c + d[x] * per_d + popularity[x] * per_popularity


@nb.njit(cache=True, nogil=True)
def source_of(c_sum: int, d_sum: int, no_history: bool) -> int:
    """Which signals were there."""
    if no_history:
        return Source.POPULAR.value
    if c_sum > 0:
        return Source.HYBRID.value if d_sum > 0 else Source.COLLABORATIVE.value
    return Source.CONTENT.value if d_sum > 0 else Source.POPULAR.value
