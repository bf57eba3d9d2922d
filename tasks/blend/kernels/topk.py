"""The best candidates of one history, in their final order.

Exact: an estimate without roundings decides which candidates are scored and sorted, and the cut is
lowered whenever the artist factor could let a track below it rise above one above it. The artist
factor is applied while the list is written, so no further down than the list goes.
"""

from typing import NamedTuple

import numba as nb
import numpy as np
from numpy.typing import NDArray

from tasks.blend.kernels.sums import Candidates
from tasks.blend.scoring import SLACK, Query, Signals, estimate, ticks
from tasks.kernels.sorting import sort
from warehouse.contract.constants import ARTIST_ALLOWANCE, ARTIST_FACTORS, TICKS


class TrackOrder(NamedTuple):
    """What decides the order of tracks beside their scores."""

    key: NDArray[np.int32]
    artist: NDArray[np.int32]
    """-1: none."""
    factors: NDArray[np.float64]
    """δⁿ by n."""


class Entry(NamedTuple):
    """An entry of the order, unpacked."""

    key: int
    """Track key."""
    score: int
    """In ticks."""
    repeats: int
    """n, the exponent of the artist factor."""


class Listed(NamedTuple):
    """How far `_listed` came."""

    rows: int
    """Entries that are final."""
    walked: int
    """Entries that were looked at for them."""


class Workspace(NamedTuple):
    """What `best` works in and leaves its list in: made once, for any number of histories."""

    estimates: NDArray[np.float32]
    chosen: NDArray[np.int32]
    order: NDArray[np.int64]
    """Entries, see `unpacked`; the list stands at the front."""
    place: NDArray[np.int32]
    """Where each track key stands among the candidates."""
    artist_count: NDArray[np.int32]
    """Tracks by artist; 0 for every artist, between lists."""
    marked: NDArray[np.int64]
    """Entries of the order that were marked down."""
    depth: NDArray[np.int64]
    """One number: how many candidates the list before took."""


@nb.njit(cache=True, nogil=True)
def new_workspace(artist_key: NDArray[np.int32]) -> Workspace:
    """Return workspace for the best of any history."""
    n, artists = len(artist_key), 0
    for artist in artist_key:
        artists = max(artists, artist + 1)
    return Workspace(
        np.empty(n + 1, np.float32),
        np.empty(n + 1, np.int32),
        np.empty(n, np.int64),
        np.empty(n, np.int32),
        np.zeros(artists, np.int32),
        np.empty(n, np.int64),
        np.zeros(1, np.int64),
    )


@nb.njit(cache=True, nogil=True)
def best(
    query: Query,
    candidates: Candidates,
    found: np.int64,
    given: Signals,
    tracks: TrackOrder,
    k: int,
    workspace: Workspace,
) -> int:
    """Leave the best k of ``found`` candidates in ``workspace.order``; return how many there are.

    An entry is (TICKS - score, track key, repeats of the artist) packed: see `unpacked`.
    """
    chosen, order, place = workspace.chosen, workspace.order, workspace.place
    numbers, popularities = candidates.tracks, candidates.popularity
    c_sums, d_sums = candidates.collaborative, candidates.content
    track_key, artist_key, depth = tracks.key, tracks.artist, workspace.depth
    estimates = workspace.estimates[:found]
    estimate(query, given, estimates)
    wanted = max(k, depth[0]) + k // 8 + 4  # a guess: lists that follow each other are much alike
    while True:
        cut = _cut(estimates, wanted) if wanted < found else 0.0
        lowest = np.float32(max(cut - SLACK, 0.0))
        above = 0
        for x in chosen[: _chosen(estimates, lowest, chosen)]:
            score = ticks(query, c_sums[x], d_sums[x], popularities[x]).score
            if score > 0:
                key = track_key[numbers[x]]
                place[key] = x
                order[above] = _packed(score, key, 0)
                above += 1
        sort(order[:above])
        artists = chosen  # which have been looked through
        for x in range(above):
            artists[x] = artist_key[numbers[place[unpacked(order[x]).key]]]
        listed = _listed(
            order[:above],
            artists,
            k,
            cut,
            tracks.factors,
            workspace.artist_count,
            workspace.marked,
        )
        rows = listed.rows
        # Nothing below the cut can rise: scores only fall by the artist factor.
        if cut == 0.0 or rows == k:
            depth[0] = listed.walked
            return rows
        wanted = above + 2 * (k - rows) + k // 4


@nb.njit(cache=True, nogil=True)
def _packed(score: int, key: int, repeats: int) -> int:
    return int((np.int64(TICKS - score) << 40) | (np.int64(key) << 8) | repeats)


@nb.njit(cache=True, nogil=True)
def unpacked(entry: int) -> Entry:
    """Return what an entry of the order holds."""
    return Entry((entry >> 8) & 0xFFFFFFFF, TICKS - (entry >> 40), entry & 0xFF)


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
def _listed(
    order: NDArray[np.int64],
    artists: NDArray[np.int32],
    k: int,
    cut: float,
    factors: NDArray[np.float64],
    artist_count: NDArray[np.int32],
    marked: NDArray[np.int64],
) -> Listed:
    """Bring the first k entries into their final order, repeated artists marked down.

    ``order`` is sorted and without repeats. The final entries end before a score below ``cut``.
    """
    rows, walked, first, last = 0, 0, 0, 0  # marked[first:last] wait for their turn, sorted
    while rows < k:
        if walked < len(order) and (first == last or order[walked] < marked[first]):
            entry, artist = order[walked], artists[walked]
            walked += 1
            if artist >= 0:
                repeats = min(max(artist_count[artist] - ARTIST_ALLOWANCE, 0), ARTIST_FACTORS - 1)
                artist_count[artist] += 1
                if repeats > 0:
                    plain = unpacked(entry)
                    less = max(1, int(np.floor(plain.score * factors[repeats] + 0.5)))
                    entry, x = _packed(less, plain.key, repeats), last
                    while x > first and marked[x - 1] > entry:
                        marked[x] = marked[x - 1]
                        x -= 1
                    marked[x] = entry
                    last += 1
                    continue
        elif first < last:
            entry = marked[first]
            first += 1
        else:
            break
        if unpacked(entry).score < cut:
            break
        order[rows] = entry
        rows += 1
    for artist in artists[:walked]:
        if artist >= 0:
            artist_count[artist] = 0
    return Listed(rows, walked)
