"""The one sparse product under every model: weighted co-occurrence, kept to its top m.

    score(i → j) = source_factor_i · Σ_u d_u   over the listeners u that i and j share

Cosine, asymmetric cosine, RP3β, BM25 and the candidates of the learned model differ in d and in
the factors alone. The d_u are whole multiples of a power of two (`interactions.UNIT`), so the sums
are exact and independent of order. A row is accumulated, cut and forgotten: nothing of size
tracks × tracks ever exists.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tasks.neighbours.heap import sift_down, sift_up, worse
from tasks.neighbours.interactions import Interactions

EMPTY = -1
"""Fills the places of targets that share listeners with fewer than m tracks."""


def top_sources(
    interactions: Interactions,
    user_weight: NDArray[np.float64],
    source_factor: NDArray[np.float64],
    targets: NDArray[np.int32],
    top: int,
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Return for each target the ``top`` sources of highest score, and the sums Σ d_u.

    Both arrays are targets × top; sources ascend by key and end in `EMPTY`. Equal scores go to
    the lower key. A target is never its own source.
    """
    sources, shared = _top_sources(
        interactions.track_starts,
        interactions.track_users,
        interactions.user_starts,
        interactions.user_tracks,
        user_weight,
        source_factor,
        targets,
        min(top, max(interactions.tracks - 1, 1)),
    )
    return sources, shared


@njit(nogil=True, cache=True)
def _top_sources(  # type: ignore[no-untyped-def]
    track_starts, track_users, user_starts, user_tracks, user_weight, source_factor, targets, top
):
    tracks = len(source_factor)
    sums = np.zeros(tracks)
    touched = np.empty(tracks, np.int32)
    best_score = np.empty(top)
    best = np.empty(top, np.int32)
    sources = np.full((len(targets), top), EMPTY, np.int32)
    shared = np.zeros((len(targets), top))
    for row in range(len(targets)):
        target = targets[row]
        count = 0
        for place in range(track_starts[target], track_starts[target + 1]):
            user = track_users[place]
            weight = user_weight[user]
            for at in range(user_starts[user], user_starts[user + 1]):
                track = user_tracks[at]
                if sums[track] == 0.0:
                    touched[count] = track
                    count += 1
                sums[track] += weight
        kept = 0
        for at in range(count):
            track = touched[at]
            score = source_factor[track] * sums[track]
            if track == target:
                continue
            if kept < top:
                sift_up(best_score, best, kept, score, track)
                kept += 1
            elif worse(best_score[0], best[0], score, track):
                sift_down(best_score, best, top, score, track)
        ascending = np.sort(best[:kept])
        for at in range(kept):
            sources[row, at] = ascending[at]
            shared[row, at] = sums[ascending[at]]
        for at in range(count):
            sums[touched[at]] = 0.0
    return sources, shared
