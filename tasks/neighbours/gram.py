"""Gram entries among each target's candidates, gathered from one row of G at a time.

G = XᵀDX is walked row by row and never stored: a row is accumulated, every target that lists its
track takes the entries between that track and the rest of its own list, and the row is forgotten.
What is kept is targets × m(m-1)/2 integers, so targets come in blocks.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tasks.neighbours.interactions import Interactions


def triangle_bytes(neighbours: int) -> int:
    """Return the memory that one target's Gram entries take."""
    return neighbours * (neighbours - 1) // 2 * 4


def gram_triangles(
    interactions: Interactions, whole: NDArray[np.int32], sources: NDArray[np.int32]
) -> NDArray[np.int32]:
    """Return Σ w_u over the listeners shared by each pair of a target's sources.

    ``sources`` is targets × m, ascending, negative at the end. The result is targets × m(m-1)/2:
    the strict upper triangle of m × m, row by row; places of absent sources are undefined.
    """
    return np.asarray(
        _gram_triangles(
            interactions.track_starts,
            interactions.track_users,
            interactions.user_starts,
            interactions.user_tracks,
            whole,
            sources,
        )
    )


@njit(nogil=True, cache=True)
def _gram_triangles(  # type: ignore[no-untyped-def]
    track_starts, track_users, user_starts, user_tracks, whole, sources
):
    targets, most = sources.shape
    tracks = len(track_starts) - 1
    triangles = np.empty((targets, most * (most - 1) // 2), np.int32)
    starts, places = _places_of(sources, tracks)
    sums = np.zeros(tracks, np.int32)
    # Rows are taken in ascending order: a listener's tracks before the row are behind us for good.
    ahead = user_starts[:-1].copy()
    for row in range(tracks):
        if starts[row] == starts[row + 1]:
            continue
        pairs = 0
        users = track_users[track_starts[row] : track_starts[row + 1]]
        for user in users:
            first = ahead[user]
            while user_tracks[first] <= row:
                first += 1
                if first == user_starts[user + 1]:
                    break
            ahead[user] = first
            weight = whole[user]
            pairs += user_starts[user + 1] - first
            for key in user_tracks[first : user_starts[user + 1]]:
                sums[key] += weight
        for at in range(starts[row], starts[row + 1]):
            target, place = divmod(places[at], most)
            into = triangles[target, place * (2 * most - place - 1) // 2 :]
            others = sources[target, place + 1 :]
            for other in range(len(others)):
                if others[other] < 0:
                    break
                into[other] = sums[others[other]]
        if 4 * pairs < tracks - row:
            for user in users:
                for key in user_tracks[ahead[user] : user_starts[user + 1]]:
                    sums[key] = 0
        else:
            sums[row:] = 0
    return triangles


@njit(nogil=True, cache=True)
def _places_of(sources, tracks):  # type: ignore[no-untyped-def]
    """Invert the lists: for every track the flat places where it stands as a source."""
    flat = sources.ravel()
    starts = np.zeros(tracks + 1, np.int64)
    for source in flat:
        if source >= 0:
            starts[source + 1] += 1
    starts = np.cumsum(starts)
    fill = starts[:-1].copy()
    places = np.empty(starts[-1], np.int64)
    for at in range(len(flat)):
        if flat[at] >= 0:
            places[fill[flat[at]]] = at
            fill[flat[at]] += 1
    return starts, places
