"""Rank each history at many points (w, p, γ): sums are computed once, blends many times.

By the kernel's own parts, so the lists are those of `tasks.blend.ranking.rank_histories` to the
last row. What is left out is what a measurement does not read: scores, sources and reasons.
"""

from collections.abc import Sequence
from typing import NamedTuple, Self

import numba as nb
import numpy as np
from numpy.typing import ArrayLike, NDArray

from tasks.blend.kernels.fill import fill, same_artist_tracks
from tasks.blend.kernels.sums import accumulate, gather, new_candidates
from tasks.blend.kernels.topk import TrackOrder, best, new_workspace, unpacked
from tasks.blend.model import BlendCatalogue, HybridModel, KernelModel
from tasks.blend.ranking import all_equal, hold_to_longest
from tasks.blend.scoring import Query, new_signals, signals


class BlendPoints(NamedTuple):
    """The blends that every history is ranked with; each array is histories × points."""

    weight: NDArray[np.float64]
    """w, the collaborative share."""
    prior: NDArray[np.float64]
    """p, the strength of the popularity prior."""
    gamma: NDArray[np.float64]
    """γ, for unplayed tracks."""
    artist_factor: NDArray[np.bool_]
    """Whether the model's artist factor applies; if not, δ = 1."""

    @classmethod
    def of(
        cls,
        histories: int,
        weight: ArrayLike,
        prior: ArrayLike,
        gamma: ArrayLike,
        artist_factor: ArrayLike = True,
    ) -> Self:
        """Broadcast the values to histories × points; a number holds at every point."""
        given = [np.asarray(value) for value in (weight, prior, gamma, artist_factor)]
        shape = np.broadcast_shapes((histories, 1), *(value.shape for value in given))
        w, p, g, factor = (np.broadcast_to(value, shape) for value in given)
        return cls(
            np.array(w, np.float64),
            np.array(p, np.float64),
            np.array(g, np.float64),
            np.array(factor, np.bool_),
        )

    @classmethod
    def side_by_side(cls, parts: Sequence[Self]) -> Self:
        """Return all points of the parts, in their order."""
        return cls(*(np.hstack(arrays) for arrays in zip(*parts, strict=True)))


def rank_points(
    model: HybridModel,
    indptr: NDArray[np.int64],
    tracks: NDArray[np.int32],
    points: BlendPoints,
    k: int,
    strengths: NDArray[np.uint8] | None = None,
) -> NDArray[np.int32]:
    """Return the first k tracks of every history at every point: histories × points × k.

    Histories are CSR rows of track keys without repeats, ``strengths`` how much each track counts
    (None: 1). Positions past a short list hold -1. Raises RunError for a history that is too long.
    """
    hold_to_longest(indptr)
    out = np.full((*points.weight.shape, k), -1, np.int32)
    strong = all_equal() if strengths is None else strengths
    history = model.catalogue.listener_rank[tracks]
    _rank_points(indptr, history, strong, points, model.kernel_model, out)
    return out


def rank_popular(
    catalogue: BlendCatalogue, indptr: NDArray[np.int64], tracks: NDArray[np.int32], k: int
) -> NDArray[np.int32]:
    """Return for every history the k most listened tracks that are not in it: histories × k."""
    out = np.full((len(indptr) - 1, k), -1, np.int32)
    heard = np.zeros(len(catalogue), np.bool_)
    _rank_popular(indptr, tracks, catalogue.by_listeners[: catalogue.eligible], heard, out)
    return out


@nb.njit(cache=True, nogil=True)
def _rank_points(
    indptr: NDArray[np.int64],
    histories: NDArray[np.int32],
    strengths: NDArray[np.uint8],
    points: BlendPoints,
    model: KernelModel,
    out: NDArray[np.int32],
) -> None:
    """Rank every history in turn with one set of accumulators; tracks are in ranks of popularity.

    The popular ones are touched at every point: where there is no prior, they score 0 and drop out.
    """
    n, k = len(model.popularity), out.shape[2]
    track_key, artist_key = model.tracks.key, model.tracks.artist
    any_artist = TrackOrder(track_key, artist_key, np.ones_like(model.tracks.factors))
    sums = np.zeros(n, np.int64)
    touched = np.empty(n + 1, np.uint32)
    candidates = new_candidates(n)
    given = new_signals(n)
    workspace = new_workspace(artist_key)
    listed = np.zeros(n, np.bool_)
    row = np.empty(k, np.int32)
    for u in range(len(indptr) - 1):
        history = histories[indptr[u] : indptr[u + 1]]
        strong = strengths[indptr[u] : indptr[u + 1]]
        count = accumulate(history, strong, model.popular, model.neighbours, sums, touched)
        sum_up = gather(touched[:count], history, sums, model.popularity, candidates)
        signals(candidates, sum_up.found, sum_up.c_max, sum_up.d_max, given)
        same_artist = np.empty(0, np.int64)
        for q in range(points.weight.shape[1]):
            tracks = model.tracks if points.artist_factor[u, q] else any_artist
            query = Query(
                points.weight[u, q],
                points.prior[u, q],
                points.gamma[u, q],
                sum_up.c_max,
                sum_up.d_max,
                len(history) == 0,
            )
            rows = best(query, candidates, sum_up.found, given, tracks, k, workspace)
            for r in range(rows):
                out[u, q, r] = unpacked(workspace.order[r]).key
            if rows < k:
                if len(same_artist) == 0:
                    same_artist = same_artist_tracks(history, artist_key, model.by_artist)
                for r in range(rows):
                    row[r] = candidates.tracks[workspace.place[out[u, q, r]]]
                fill(history, history[:0], same_artist, model.eligible, rows, row, listed)
                for r in range(rows, k):
                    out[u, q, r] = track_key[row[r]] if row[r] >= 0 else -1


@nb.njit(cache=True, nogil=True)
def _rank_popular(
    indptr: NDArray[np.int64],
    tracks: NDArray[np.int32],
    by_listeners: NDArray[np.int32],
    heard: NDArray[np.bool_],
    out: NDArray[np.int32],
) -> None:
    for u in range(len(indptr) - 1):
        history = tracks[indptr[u] : indptr[u + 1]]
        for i in history:
            heard[i] = True
        rows = 0
        for j in by_listeners:
            if rows == out.shape[1]:
                break
            if not heard[j]:
                out[u, rows] = j
                rows += 1
        for i in history:
            heard[i] = False
