"""Rank each history at many points (w, p, γ): sums are computed once, blends many times.

The lists are those of `tasks.hybrid.ranking.rank_histories` to the last row. What is left out are
the columns that a measurement does not read, and candidates are gathered into short arrays first,
so that a further point costs a fraction of a list.
"""

from dataclasses import dataclass

import numba as nb
import numpy as np
from numpy.typing import NDArray

from tasks.evaluation.sums import HEARD, TOUCHED, accumulate, maxima
from tasks.hybrid.kernel import _inplace_sort
from tasks.hybrid.model import Catalogue, HybridModel
from tasks.hybrid.packed import Table
from tasks.hybrid.parameters import ARTIST_ALLOWANCE, ARTIST_FACTORS, TICKS

_BUCKET = 6
"""Scores are counted in buckets of 2^6 ticks."""


@dataclass(frozen=True)
class ArtistTracks:
    """The tracks of every artist, most listened first: a CSR by artist key."""

    indptr: NDArray[np.int64]
    tracks: NDArray[np.int32]

    @classmethod
    def of(cls, catalogue: Catalogue) -> "ArtistTracks":
        """Group the catalogue's tracks."""
        by_artist = np.argsort(catalogue.artist_key[catalogue.by_listeners], kind="stable")
        order = catalogue.by_listeners[by_artist]
        artist = catalogue.artist_key[order]
        ends = np.arange(artist.max(initial=-1) + 2)
        return cls(np.searchsorted(artist, ends).astype(np.int64), order)


def rank_points(
    model: HybridModel,
    indptr: NDArray[np.int64],
    tracks: NDArray[np.int32],
    points: NDArray[np.float64],
    k: int,
    artists: ArtistTracks | None = None,
) -> NDArray[np.int32]:
    """Return the first k tracks of every history at every point: histories × points × k.

    Histories are CSR rows of track keys without repeats. ``points`` holds w, p, γ and whether the
    artist factor applies (1 or 0): points × 4 for all histories alike, or histories × points × 4.
    Positions past a short list hold -1. Points that share p and γ cost least next to each other.
    """
    catalogue = model.catalogue
    artists = artists or ArtistTracks.of(catalogue)
    histories = len(indptr) - 1
    every = np.ascontiguousarray(np.broadcast_to(points, (histories, *points.shape[-2:])))
    popular = catalogue.by_listeners[: model.parameters.popular_candidates]
    out = np.full((histories, every.shape[1], k), -1, np.int32)
    _rank_points(
        indptr,
        tracks,
        every,
        model.collaborative.arrays,
        model.content.arrays,
        catalogue.artist_key,
        catalogue.is_cold,
        catalogue.popularity,
        catalogue.by_listeners,
        catalogue.listener_rank,
        popular[~catalogue.is_cold[popular]],
        artists.indptr,
        artists.tracks,
        model.artist_factors,
        out,
    )
    return out


def rank_popular(
    catalogue: Catalogue, indptr: NDArray[np.int64], tracks: NDArray[np.int32], k: int
) -> NDArray[np.int32]:
    """Return for every history the k most listened tracks that are not in it: histories × k."""
    out = np.full((len(indptr) - 1, k), -1, np.int32)
    _rank_popular(indptr, tracks, catalogue.by_listeners, out)
    return out


@nb.njit(cache=True, nogil=True)
def _rank_points(
    indptr: NDArray[np.int64],
    tracks: NDArray[np.int32],
    points: NDArray[np.float64],
    collaborative: Table,
    content: Table,
    artist_key: NDArray[np.int32],
    is_cold: NDArray[np.bool_],
    popularity: NDArray[np.float64],
    by_listeners: NDArray[np.int32],
    listener_rank: NDArray[np.int32],
    popular: NDArray[np.int32],
    artist_indptr: NDArray[np.int64],
    artist_tracks: NDArray[np.int32],
    factors: NDArray[np.float64],
    out: NDArray[np.int32],
) -> None:
    """Rank every history in turn with one set of accumulators."""
    n, k = len(artist_key), out.shape[2]
    c_sum = np.zeros(n, np.int64)
    d_sum = np.zeros(n, np.int64)
    state = np.zeros(n, np.uint8)
    touched = np.empty(n, np.int32)
    candidates = np.empty(n, np.int32)
    c = np.empty(n, np.float64)  # from here on one entry per candidate
    d_ticks = np.empty(n, np.float64)
    c_ticks = np.empty(n, np.float64)
    scores = np.empty(n, np.int32)
    listed = np.zeros(n, np.bool_)
    artist_count = np.zeros(len(artist_indptr), np.int32)
    no_factor = np.ones_like(factors)
    for u in range(len(indptr) - 1):
        history = tracks[indptr[u] : indptr[u + 1]]
        for i in history:
            state[i] = HEARD
        count = accumulate(history, collaborative, content, c_sum, d_sum, state, touched)
        c_max, d_max = maxima(touched[:count], c_sum, d_sum, state)
        for j in popular:  # with p = 0 they score 0 and drop out again
            if state[j] & TOUCHED == 0:
                state[j] |= TOUCHED
                touched[count] = j
                count += 1
        found = 0
        for j in touched[:count]:
            if state[j] & HEARD == 0:
                d = np.sqrt(min(1.0, d_sum[j] / d_max)) if d_max > 0 else 0.0
                estimated = is_cold[j] or c_max <= 0
                candidates[found] = j
                c[found] = -d if estimated else np.sqrt(min(1.0, max(0.0, c_sum[j] / c_max)))
                d_ticks[found] = np.floor(d * TICKS + 0.5)
                found += 1
            state[j] &= HEARD
            c_sum[j] = 0
            d_sum[j] = 0
        kin = touched[:0]
        for q in range(points.shape[1]):
            w, p, gamma = points[u, q, 0], points[u, q, 1], points[u, q, 2]
            if q == 0 or p != points[u, q - 1, 1] or gamma != points[u, q - 1, 2]:
                for x in range(found):
                    j = candidates[x]
                    value = gamma * -c[x] if c[x] < 0 else c[x]
                    if len(history) == 0:
                        value = popularity[j]
                    elif not is_cold[j]:
                        value = (value + p * popularity[j]) / (1.0 + p)
                    c_ticks[x] = np.floor(value * TICKS + 0.5)
            for x in range(found):
                scores[x] = np.int32(np.floor(w * c_ticks[x] + (1.0 - w) * d_ticks[x] + 0.5))
            row = out[u, q]
            factor = factors if points[u, q, 3] > 0 else no_factor
            rows = _best(candidates[:found], scores, artist_key, factor, artist_count, row)
            if rows < k:
                if len(kin) == 0:
                    kin = _kin(history, artist_key, artist_indptr, artist_tracks, listener_rank)
                _fill(state, by_listeners, kin, listed, rows, row)
        for i in history:
            state[i] = 0


@nb.njit(cache=True, nogil=True)
def _best(
    candidates: NDArray[np.int32],
    scores: NDArray[np.int32],
    artist_key: NDArray[np.int32],
    factors: NDArray[np.float64],
    artist_count: NDArray[np.int32],
    out: NDArray[np.int32],
) -> int:
    """Write the best candidates, repeated artists marked down; return how many there are.

    Candidates are taken from the top in chunks, until k of them stand where nothing below can
    rise to: scores only fall.
    """
    k = len(out)
    counts = np.zeros((TICKS >> _BUCKET) + 1, np.int64)
    for x in range(len(candidates)):
        counts[scores[x] >> _BUCKET] += 1
    taken = np.empty(len(candidates), np.int64)
    cut, size, good, wanted = len(counts), 0, 0, k
    while good < k and cut > 0:
        start, ceiling, chunk = size, cut << _BUCKET, 0
        while cut > 0 and chunk < wanted:
            cut -= 1
            chunk += counts[cut]
        wanted *= 2
        floor = max(1, cut << _BUCKET)
        for x in range(len(candidates)):
            if floor <= scores[x] < ceiling:
                taken[size] = (np.int64(TICKS - scores[x]) << 32) | candidates[x]
                size += 1
        _inplace_sort(taken[start:size])
        _mark_down(taken[start:size], artist_key, factors, artist_count)
        worst, good = TICKS - floor, 0
        for x in range(size):
            good += (taken[x] >> 32) <= worst
    for x in range(size):
        artist = artist_key[taken[x] & 0xFFFFFFFF]
        if artist >= 0:
            artist_count[artist] = 0
    stand = 0
    for x in range(size):
        if (taken[x] >> 32) <= worst:
            taken[stand] = taken[x]
            stand += 1
    _inplace_sort(taken[:stand])
    rows = min(k, stand)
    for r in range(rows):
        out[r] = taken[r] & 0xFFFFFFFF
    return int(rows)


@nb.njit(cache=True, nogil=True)
def _mark_down(
    order: NDArray[np.int64],
    artist_key: NDArray[np.int32],
    factors: NDArray[np.float64],
    artist_count: NDArray[np.int32],
) -> None:
    """Apply the artist factor to (TICKS - score, track) packed in order."""
    for x in range(len(order)):
        j = order[x] & 0xFFFFFFFF
        artist = artist_key[j]
        if artist < 0:
            continue
        repeats = min(artist_count[artist] - ARTIST_ALLOWANCE, ARTIST_FACTORS - 1)
        artist_count[artist] += 1
        if repeats > 0:
            score = TICKS - (order[x] >> 32)
            lower = max(1, int(np.floor(score * factors[repeats] + 0.5)))
            order[x] = (np.int64(TICKS - lower) << 32) | j


@nb.njit(cache=True, nogil=True)
def _kin(
    history: NDArray[np.int32],
    artist_key: NDArray[np.int32],
    artist_indptr: NDArray[np.int64],
    artist_tracks: NDArray[np.int32],
    listener_rank: NDArray[np.int32],
) -> NDArray[np.int32]:
    """Return all tracks by the history's artists, most listened first, perhaps repeated."""
    size = 0
    for i in history:
        a = artist_key[i]
        if a >= 0:
            size += artist_indptr[a + 1] - artist_indptr[a]
    ranked = np.empty(size, np.int64)
    x = 0
    for i in history:
        a = artist_key[i]
        if a >= 0:
            for e in range(artist_indptr[a], artist_indptr[a + 1]):
                j = artist_tracks[e]
                ranked[x] = (np.int64(listener_rank[j]) << 32) | j
                x += 1
    _inplace_sort(ranked)
    kin = np.empty(size, np.int32)
    for x in range(size):
        kin[x] = ranked[x] & 0xFFFFFFFF
    return kin


@nb.njit(cache=True, nogil=True)
def _fill(
    state: NDArray[np.uint8],
    by_listeners: NDArray[np.int32],
    kin: NDArray[np.int32],
    listed: NDArray[np.bool_],
    rows: int,
    out: NDArray[np.int32],
) -> None:
    """Fill a short list: tracks of the history's artists, then all, by listeners."""
    k = len(out)
    for r in range(rows):
        listed[out[r]] = True
    for tier in range(2):
        for j in kin if tier == 0 else by_listeners:
            if rows == k:
                break
            if state[j] & HEARD == 0 and not listed[j]:
                listed[j] = True
                out[rows] = j
                rows += 1
    for r in range(rows):
        listed[out[r]] = False


@nb.njit(cache=True, nogil=True)
def _rank_popular(
    indptr: NDArray[np.int64],
    tracks: NDArray[np.int32],
    by_listeners: NDArray[np.int32],
    out: NDArray[np.int32],
) -> None:
    heard = np.zeros(len(by_listeners), np.bool_)
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
