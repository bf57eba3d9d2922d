"""Rank each history at many points (w, p, γ): sums are computed once, blends many times.

By the kernel's own parts, so the lists are those of `tasks.blend.ranking.rank_histories` to the
last row. What is left out is what a measurement does not read: scores, sources and reasons.
"""

import numba as nb
import numpy as np
from numpy.typing import NDArray

from tasks.blend.kernels.fill import fill, same_artist_tracks
from tasks.blend.kernels.sums import accumulate, gather, new_candidates
from tasks.blend.kernels.topk import best, new_workspace, unpacked
from tasks.blend.model import Catalogue, HybridModel, KernelModel
from tasks.blend.ranking import hold_to_longest
from tasks.blend.scoring import new_signals, signals


def rank_points(
    model: HybridModel,
    indptr: NDArray[np.int64],
    tracks: NDArray[np.int32],
    points: NDArray[np.float64],
    k: int,
) -> NDArray[np.int32]:
    """Return the first k tracks of every history at every point: histories × points × k.

    Histories are CSR rows of track keys without repeats. ``points`` holds w, p, γ and whether the
    artist factor applies (1 or 0): points × 4 for all histories alike, or histories × points × 4.
    Positions past a short list hold -1. Raises RunError for a history that is too long.
    """
    hold_to_longest(indptr)
    histories = len(indptr) - 1
    every = np.ascontiguousarray(np.broadcast_to(points, (histories, *points.shape[-2:])))
    out = np.full((histories, every.shape[1], k), -1, np.int32)
    _rank_points(indptr, model.catalogue.listener_rank[tracks], every, model.kernel_model, out)
    return out


def rank_popular(
    catalogue: Catalogue, indptr: NDArray[np.int64], tracks: NDArray[np.int32], k: int
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
    points: NDArray[np.float64],
    model: KernelModel,
    out: NDArray[np.int32],
) -> None:
    """Rank every history in turn with one set of accumulators; tracks are in ranks of popularity.

    The popular ones are touched at every point: where there is no prior, they score 0 and drop out.
    """
    n, k = len(model.popularity), out.shape[2]
    track_key, artist_key, factors = model.tracks
    any_artist = (track_key, artist_key, np.ones_like(factors))
    sums = np.zeros(n, np.int64)
    touched = np.empty(n + 1, np.uint32)
    candidates = new_candidates(n)
    given = new_signals(n)
    workspace = new_workspace(artist_key)
    listed = np.zeros(n, np.bool_)
    row = np.empty(k, np.int32)
    for u in range(len(indptr) - 1):
        history = histories[indptr[u] : indptr[u + 1]]
        count = accumulate(history, model.popular, model.neighbours, sums, touched)
        found, c_max, d_max = gather(touched[:count], history, sums, model.popularity, candidates)
        signals(candidates, found, c_max, d_max, given)
        same_artist = np.empty(0, np.int64)
        for q in range(points.shape[1]):
            w, p, gamma, factor = points[u, q]
            tracks = model.tracks if factor > 0 else any_artist
            query = (w, p, gamma, c_max, d_max, len(history) == 0)
            rows = best(query, candidates, found, given, tracks, k, workspace)
            for r in range(rows):
                out[u, q, r] = unpacked(workspace.order[r])[0]
            if rows < k:
                if len(same_artist) == 0:
                    same_artist = same_artist_tracks(history, artist_key, model.by_artist)
                for r in range(rows):
                    row[r] = candidates[0][workspace.place[out[u, q, r]]]
                fill(history, same_artist, model.eligible, rows, row, listed)
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
