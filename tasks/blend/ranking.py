"""Histories in, ranked lists out."""

import numpy as np
from numpy.typing import NDArray

from tasks.blend.kernels.rank import Histories, RankedLists, rank_all
from tasks.blend.kernels.sums import LONGEST_HISTORY
from tasks.blend.model import HybridModel
from warehouse.errors import RunError


def rank_histories(
    model: HybridModel,
    indptr: NDArray[np.int64],
    tracks: NDArray[np.int32],
    weights: NDArray[np.float64],
    priors: NDArray[np.float64],
    k: int,
    disliked: Histories | None = None,
    strengths: NDArray[np.uint8] | None = None,
) -> RankedLists:
    """Rank the catalogue for every history.

    Histories are CSR rows: ``tracks[indptr[u]:indptr[u + 1]]`` are ascending track keys without
    repeats. ``weights`` and ``priors`` hold w and p per history (float64). Lists have
    min(k, eligible tracks) rows; what is ``disliked`` (track keys for each history; None: nothing)
    is not eligible. ``strengths`` has how much each track counts (None: 1). Raises RunError for a
    history of more than `LONGEST_HISTORY`.
    """
    hold_to_longest(indptr)
    shape = (len(indptr) - 1, k)
    out = RankedLists(
        np.full(shape, -1, np.int32),
        np.zeros(shape, np.int16),
        np.zeros(shape, np.int16),
        np.zeros(shape, np.int16),
        np.zeros(shape, np.int8),
        np.zeros(shape, np.int8),
        np.full(shape, -1, np.int16),
    )
    rank_all(
        Histories(indptr, model.catalogue.listener_rank[tracks]),
        all_equal() if strengths is None else strengths,
        _in_ranks(model, disliked or nothing_of(shape[0])),
        weights,
        priors,
        model.kernel_model,
        model.parameters.gamma,
        out,
    )
    return out


def nothing_of(lists: int) -> Histories:
    """Return that many empty sets of tracks."""
    return Histories(np.zeros(lists + 1, np.int64), np.empty(0, np.int32))


def all_equal() -> NDArray[np.uint8]:
    """Return what stands for the strengths where every track counts 1."""
    return np.empty(0, np.uint8)


def _in_ranks(model: HybridModel, given: Histories) -> Histories:
    return Histories(given.indptr, model.catalogue.listener_rank[given.tracks])


def hold_to_longest(indptr: NDArray[np.int64]) -> None:
    """Raise RunError for a history of more than `LONGEST_HISTORY` tracks."""
    longest = int(np.diff(indptr).max(initial=0))
    if longest > LONGEST_HISTORY:
        raise RunError(
            f"a listener has {longest:,} different tracks, a list takes {LONGEST_HISTORY:,} at "
            "most; leave that listener out of the history file"
        )
