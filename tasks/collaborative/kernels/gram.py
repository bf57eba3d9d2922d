"""Gram entries among each target's candidates, gathered from one row of G at a time.

G = XᵀDX is walked row by row and never stored: a row is accumulated, every target that lists its
track takes the entries between that track and the rest of its own list, and the row is forgotten.
What is kept is targets × m(m-1)/2 integers, so targets come in blocks.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tasks.collaborative.interactions import Interactions, RowWeights
from tasks.collaborative.kernels.rows import BATCH, END, FIRST, WEIGHT, row_records


def triangle_bytes(neighbours: int) -> int:
    """Return the memory that one target's Gram entries take."""
    return neighbours * (neighbours - 1) // 2 * 4


def gram_triangles(
    interactions: Interactions, weights: RowWeights, sources: NDArray[np.int32]
) -> NDArray[np.int32]:
    """Return Σ w_u over the listeners shared by each pair of a target's sources.

    ``sources`` is targets × m, ascending, negative at the end. The result is targets × m(m-1)/2:
    the strict upper triangle of m × m, row by row; places of absent sources are undefined.
    """
    targets, most = sources.shape
    triangles = np.empty((targets, most * (most - 1) // 2), np.int32)  # NumPy asks for huge pages
    _fill_triangles(
        interactions.track_starts,
        interactions.track_users,
        row_records(interactions, weights),
        interactions.user_tracks,
        sources,
        triangles,
    )
    return triangles


@njit(nogil=True, cache=True)
def _fill_triangles(track_starts, track_users, rows, tracks_of, sources, triangles):  # type: ignore[no-untyped-def]  # numba finds the types
    most = sources.shape[1]
    tracks = len(track_starts) - 1
    starts, places = _places_of(sources, tracks)
    sums = np.zeros(tracks, np.int32)
    for track in range(tracks):
        if starts[track] == starts[track + 1]:
            continue
        users = track_users[track_starts[track] : track_starts[track + 1]]
        pairs = _accumulate_after(track, users, rows, tracks_of, sums)
        for at in range(starts[track], starts[track + 1]):
            target, place = divmod(places[at], most)
            into = triangles[target, place * (2 * most - place - 1) // 2 :]
            others = sources[target, place + 1 :]
            for other in range(len(others)):
                if others[other] < 0:
                    break
                into[other] = sums[others[other]]
        if 4 * pairs < tracks - track:
            for user in users:
                for at in range(rows[user, FIRST], rows[user, END]):
                    sums[tracks_of[at]] = 0
        else:
            sums[track:] = 0


@njit(nogil=True, cache=True)
def _accumulate_after(track, users, rows, tracks_of, sums):  # type: ignore[no-untyped-def]  # numba finds the types
    """Add up what the listeners played after ``track``; return the number of additions.

    Tracks are taken in ascending order, so what comes before is behind us for good: the records
    move forward with them.
    """
    first, end = np.empty(BATCH, np.int32), np.empty(BATCH, np.int32)
    weight = np.empty(BATCH, np.int32)
    pairs = met = 0
    for begin in range(0, len(users), BATCH):
        batch = users[begin : begin + BATCH]
        for at in range(len(batch)):
            row = rows[batch[at]]
            first[at], end[at], weight[at] = row[FIRST], row[END], row[WEIGHT]
        for at in range(len(batch)):
            met += tracks_of[end[at] - 1]  # fetches the far end of a long row
        for at in range(len(batch)):
            while first[at] < end[at] and tracks_of[first[at]] <= track:
                first[at] += 1
            rows[batch[at], FIRST] = first[at]
            pairs += end[at] - first[at]
        for at in range(len(batch)):
            for key in tracks_of[first[at] : end[at]]:
                sums[key] += weight[at]
    return pairs + min(met, 0)  # asked for, so that fetching is not left out


@njit(nogil=True, cache=True)
def _places_of(sources, tracks):  # type: ignore[no-untyped-def]  # numba finds the types
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
