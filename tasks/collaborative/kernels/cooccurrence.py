"""The one sparse product under every model: co-occurrence, kept to its top sources per target.

Two sums run over the listeners u that source i and target j share: their number, and the whole
weights w_u of their rows. Both ride in the halves of one 64-bit integer, so they cost one walk,
are exact and do not depend on order. A target's row is accumulated, cut and forgotten: nothing
of size tracks × tracks ever exists.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tasks.collaborative.interactions import Interactions, RowWeights
from tasks.collaborative.kernels.rows import BATCH, END, FIRST, WEIGHT, row_records
from tasks.kernels.heap import push

LEAST = np.finfo(np.float64).smallest_subnormal
"""Any score reaches it, but those of tracks that share no listener."""

STRIP = 64
"""Tracks looked over at a time for scores worth a closer look."""

EMPTY = -1
"""Fills the places of targets that share listeners with fewer sources."""


@dataclass(frozen=True)
class TopSources:
    """Lists of targets × places; sources ascend by key and end in `EMPTY`."""

    sources: NDArray[np.int32]
    """Best by weighted sum times factor."""
    shared: NDArray[np.int32]
    """Their weighted sums Σ w_u."""
    similar: NDArray[np.int32]
    """Best by number of shared listeners times factor."""
    together: NDArray[np.int32]
    """Their numbers of shared listeners |i ∩ j|."""


def top_sources(
    interactions: Interactions,
    targets: NDArray[np.int32],
    weights: RowWeights,
    factor: NDArray[np.float64],
    top: int,
    similar_factor: NDArray[np.float64],
    similar: int,
) -> TopSources:
    """Find each target's best sources by factor · Σ w_u, and by similar_factor · |i ∩ j|.

    Equal scores go to the lower key. A target is never its own source.
    """
    return TopSources(
        *_top_sources(
            interactions.track_starts,
            interactions.track_users,
            row_records(interactions, weights),
            interactions.user_tracks,
            targets,
            factor,
            min(top, interactions.tracks),
            similar_factor,
            min(similar, interactions.tracks),
        )
    )


@njit(nogil=True, cache=True)
def _top_sources(  # type: ignore[no-untyped-def]  # numba finds the types
    track_starts, track_users, rows, tracks_of, targets, factor, top, similar_factor, similar
):
    tracks = len(factor)
    sums = np.zeros(tracks, np.int64)
    touched = np.empty(tracks, np.int32)
    score, keys = np.empty(top), np.empty(top, np.int32)
    similar_score, similar_keys = np.empty(similar), np.empty(similar, np.int32)
    lists = np.full((len(targets), top), EMPTY, np.int32)
    similar_lists = np.full((len(targets), similar), EMPTY, np.int32)
    shared = np.zeros((len(targets), top), np.int32)
    together = np.zeros((len(targets), similar), np.int32)
    for row in range(len(targets)):
        target = targets[row]
        users = track_users[track_starts[target] : track_starts[target + 1]]
        pairs = 0
        for user in users:
            pairs += rows[user, END] - rows[user, FIRST]
        few = 4 * pairs < tracks
        if few:
            count = _accumulate_few(users, rows, tracks_of, sums, touched)
        else:
            count = tracks + min(_accumulate(users, rows, tracks_of, sums), 0)
        sums[target] = 0  # it is no source of its own
        kept = similar_kept = 0
        bar = similar_bar = LEAST
        for start in range(0, count, STRIP):
            stop = min(start + STRIP, count)
            if not few and not _any_reaches(
                sums[start:stop], factor[start:stop], bar, similar_factor[start:stop], similar_bar
            ):
                continue
            for at in range(start, stop):
                key = touched[at] if few else at
                entry = factor[key] * (sums[key] >> 32)
                if entry >= bar:
                    kept = push(score, keys, kept, entry, key)
                    bar = score[0] if kept == top else LEAST
                entry = similar_factor[key] * (sums[key] & 0xFFFFFFFF)
                if entry >= similar_bar:
                    similar_kept = push(similar_score, similar_keys, similar_kept, entry, key)
                    similar_bar = similar_score[0] if similar_kept == similar else LEAST
        lists[row, :kept] = np.sort(keys[:kept])
        for at in range(kept):
            shared[row, at] = sums[lists[row, at]] >> 32
        similar_lists[row, :similar_kept] = np.sort(similar_keys[:similar_kept])
        for at in range(similar_kept):
            together[row, at] = sums[similar_lists[row, at]] & 0xFFFFFFFF
        if few:
            for at in range(count):
                sums[touched[at]] = 0
        else:
            sums[:] = 0
    return lists, shared, similar_lists, together


@njit(nogil=True, cache=True)
def _any_reaches(sums, factor, bar, similar_factor, similar_bar):  # type: ignore[no-untyped-def]  # numba finds the types
    """Tell whether any of these tracks is worth a closer look; no branch depends on the data."""
    hits = 0
    for at in range(len(sums)):
        hits |= factor[at] * np.int32(sums[at] >> 32) >= bar
        hits |= similar_factor[at] * np.int32(sums[at]) >= similar_bar
    return hits != 0


@njit(nogil=True, cache=True)
def _accumulate_few(users, rows, tracks_of, sums, touched):  # type: ignore[no-untyped-def]  # numba finds the types
    """Add up the listeners' rows; return how many places of ``touched`` name where they lie."""
    count = 0
    for user in users:
        packed = (np.int64(rows[user, WEIGHT]) << 32) + 1
        for at in range(rows[user, FIRST], rows[user, END]):
            key = tracks_of[at]
            if sums[key] == 0:
                touched[count] = key
                count += 1
            sums[key] += packed
    return count


@njit(nogil=True, cache=True)
def _accumulate(users, rows, tracks_of, sums):  # type: ignore[no-untyped-def]  # numba finds the types
    """Add up the listeners' rows, none of them empty; what is returned is not below 0.

    It says nothing else, but asking for it keeps the compiler from leaving out what only fetches.
    """
    first, end = np.empty(BATCH, np.int32), np.empty(BATCH, np.int32)
    weight = np.empty(BATCH, np.int32)
    met = 0
    for begin in range(0, len(users), BATCH):
        batch = users[begin : begin + BATCH]
        for at in range(len(batch)):
            row = rows[batch[at]]
            first[at], end[at], weight[at] = row[FIRST], row[END], row[WEIGHT]
        for at in range(len(batch)):
            met += tracks_of[first[at]]  # fetches the row,
        for at in range(len(batch)):
            met += tracks_of[end[at] - 1]  # and the other end of a long one
        for at in range(len(batch)):
            packed = (np.int64(weight[at]) << 32) + 1
            for key in tracks_of[first[at] : end[at]]:
                sums[key] += packed
    return met
