"""The best candidates of one history, in their final order.

Exact: an estimate without roundings decides which candidates are scored and sorted, and the cut is
lowered whenever the artist factor could let a track below it rise above one above it.
"""

from typing import TypeAlias

import numba as nb
import numpy as np
from numpy.typing import NDArray

from tasks.hybrid.blend import SLACK, Query, Signals, estimate, ticks
from tasks.hybrid.parameters import ARTIST_ALLOWANCE, ARTIST_FACTORS, TICKS
from tasks.hybrid.sorting import sort
from tasks.hybrid.sums import Candidates

Tracks: TypeAlias = tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]
"""Track key, artist (-1: none) and factors δⁿ: what decides the order beside the scores."""

Room: TypeAlias = tuple[
    NDArray[np.float32], NDArray[np.int32], NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]
]
"""Estimates; the chosen; the order; where each track key stands among the candidates; tracks by
artist, all 0."""


@nb.njit(cache=True, nogil=True)
def no_best(artist_key: NDArray[np.int32]) -> Room:
    """Return room for the best of any history."""
    n, artists = len(artist_key), 0
    for artist in artist_key:
        artists = max(artists, artist + 1)
    return (
        np.empty(n + 1, np.float32),
        np.empty(n + 1, np.int32),
        np.empty(n, np.int64),
        np.empty(n, np.int32),
        np.zeros(artists, np.int32),
    )


@nb.njit(cache=True, nogil=True)
def best(
    query: Query,
    candidates: Candidates,
    found: np.int64,
    given: Signals,
    tracks: Tracks,
    k: int,
    room: Room,
) -> int:
    """Leave the best k of ``found`` candidates in the order of ``room``; return how many there are.

    An entry is (TICKS - score, track key, repeats of the artist) packed: see `unpacked`.
    """
    estimates, chosen, order, place, artist_count = room
    numbers, c_sums, d_sums, popularities = candidates
    track_key, artist_key, factors = tracks
    estimates = estimates[:found]
    estimate(query, given, estimates)
    wanted = 2 * k + 4
    while True:
        cut = _cut(estimates, wanted) if wanted < found else 0.0
        lowest = np.float32(max(cut - SLACK, 0.0))
        above = 0
        for x in chosen[: _chosen(estimates, lowest, chosen)]:
            score = ticks(query, c_sums[x], d_sums[x], popularities[x])[2]
            if score > 0:
                key = track_key[numbers[x]]
                place[key] = x
                order[above] = (np.int64(TICKS - score) << 32) | key
                above += 1
        final = order[:above]
        sort(final)
        if _artist_factor(final, place, numbers, artist_key, factors, artist_count):
            sort(final)
        # Nothing below the cut can rise: scores only fall by the artist factor.
        stand = 0
        while stand < above and unpacked(final[stand])[1] >= cut:
            stand += 1
        if cut == 0.0 or stand >= k:
            return min(k, above)
        wanted = above + 2 * (k - stand) + k // 4


@nb.njit(cache=True, nogil=True)
def unpacked(entry: int) -> tuple[int, int, int]:
    """Return track key, score in ticks and repeats of the artist of an entry of the order."""
    return (entry >> 8) & 0xFFFFFFFF, TICKS - (entry >> 40), entry & 0xFF


@nb.njit(cache=True, nogil=True)
def _cut(estimates: NDArray[np.float32], wanted: int) -> float:
    """Return a value that at least ``wanted`` estimates reach, and few more than that."""
    low, high = np.float32(0.0), np.float32(TICKS + SLACK)
    while high - low > np.float32(0.5):
        middle = (low + high) * np.float32(0.5)
        above = 0
        for x in range(len(estimates)):
            above += estimates[x] >= middle
        if above < wanted:
            high = middle
        else:
            low = middle
            if above <= wanted + wanted // 4:
                break
    return float(low)


@nb.njit(cache=True, nogil=True)
def _chosen(
    estimates: NDArray[np.float32], lowest: np.float32, chosen: NDArray[np.int32]
) -> np.int64:
    """List where estimates reach ``lowest``; return how many do."""
    size = np.uint64(0)
    for x in range(len(estimates)):
        chosen[size] = x
        size += np.uint64(estimates[x] >= lowest)
    return np.int64(size)


@nb.njit(cache=True, nogil=True)
def _artist_factor(
    order: NDArray[np.int64],
    place: NDArray[np.int32],
    numbers: NDArray[np.uint32],
    artist_key: NDArray[np.int32],
    factors: NDArray[np.float64],
    artist_count: NDArray[np.int32],
) -> bool:
    """Mark down repeated artists in place; tell whether there were any.

    In: (TICKS - score, track key) packed, sorted. Out: (TICKS - score, track key, repeats).
    """
    marked = False
    for x in range(len(order)):
        key = order[x] & 0xFFFFFFFF
        s = TICKS - (order[x] >> 32)
        repeats = 0
        artist = artist_key[numbers[place[key]]]
        if artist >= 0:
            repeats = min(max(artist_count[artist] - ARTIST_ALLOWANCE, 0), ARTIST_FACTORS - 1)
            artist_count[artist] += 1
        if repeats > 0:
            s = max(1, np.int64(np.floor(s * factors[repeats] + 0.5)))
            marked = True
        order[x] = (np.int64(TICKS - s) << 40) | (key << 8) | repeats
    for entry in order:
        artist = artist_key[numbers[place[unpacked(entry)[0]]]]
        if artist >= 0:
            artist_count[artist] = 0
    return marked
