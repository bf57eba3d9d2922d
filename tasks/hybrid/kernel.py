"""The ranking kernel: docs/scoring.md, compiled.

One dense accumulator per thread, whole-number sums, then one pass over the touched tracks. Lists
are exact: an estimate without roundings decides which candidates are scored and sorted, and the
cut is widened whenever the artist factor could let a track below it rise above one above it.
"""

from enum import IntEnum
from typing import TypeAlias

import numba as nb
import numpy as np
from numpy.typing import NDArray

from tasks.hybrid.parameters import ARTIST_ALLOWANCE, ARTIST_FACTORS, TICKS

Table: TypeAlias = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int16]]
"""A neighbour table by source: indptr, targets, weights."""
Lists: TypeAlias = tuple[
    NDArray[np.int32],
    NDArray[np.int16],
    NDArray[np.int16],
    NDArray[np.int16],
    NDArray[np.int8],
    NDArray[np.int8],
    NDArray[np.int16],
]
"""The arrays of RankedLists: tracks, collaborative, content, score, repeats, source, because."""

Query: TypeAlias = tuple[float, float, float, int, int, bool]
"""What scores one history: w, p, γ, C⁺, D⁺ (docs/scoring.md), and whether it is empty."""


class Source(IntEnum):
    """Which signals put a row into a list; the value is what the release stores."""

    HYBRID = 0
    COLLABORATIVE = 1
    CONTENT = 2
    POPULAR = 3
    SAME_ARTIST = 4
    CATALOGUE = 5


_HEARD, _TOUCHED = 1, 2
_HISTOGRAM = 256
_SLACK = 2  # ticks: rounding c', d and the blend moves a score by at most one, floats by far less


@nb.njit(cache=True, nogil=True)
def rank_all(
    indptr: NDArray[np.int64],
    tracks: NDArray[np.int32],
    weights: NDArray[np.float64],
    priors: NDArray[np.float64],
    collaborative: Table,
    content: Table,
    artist_key: NDArray[np.int32],
    is_cold: NDArray[np.bool_],
    popularity: NDArray[np.float64],
    by_listeners: NDArray[np.int32],
    popular: NDArray[np.int32],
    gamma: float,
    factors: NDArray[np.float64],
    out: Lists,
) -> None:
    """Rank every history in turn with one set of accumulators."""
    n, artists = len(artist_key), 0
    for artist in artist_key:
        if artist >= artists:
            artists = artist + 1
    c_sum = np.zeros(n, np.int64)
    d_sum = np.zeros(n, np.int64)
    state = np.zeros(n, np.uint8)
    touched = np.empty(n, np.int32)
    estimate = np.empty(n, np.float64)
    slot = np.zeros(n, np.int32)
    artist_count = np.zeros(artists, np.int32)
    for u in range(len(indptr) - 1):
        history = tracks[indptr[u] : indptr[u + 1]]
        w, p = weights[u], priors[u]
        for i in history:
            state[i] = _HEARD
        count = _accumulate(history, collaborative, content, c_sum, d_sum, state, touched)
        if p > 0 or len(history) == 0:
            for j in popular:
                if state[j] & _TOUCHED == 0:
                    state[j] |= _TOUCHED
                    touched[count] = j
                    count += 1
        c_max, d_max = _maxima(touched[:count], c_sum, d_sum, state)
        query = (w, p, gamma, c_max, d_max, len(history) == 0)
        _estimate(query, touched[:count], c_sum, d_sum, state, popularity, estimate)
        rows = _select(
            query, touched[:count], c_sum, d_sum, estimate, popularity, artist_key, factors,
            artist_count, u, out,
        )  # fmt: skip
        for r in range(rows):
            j = out[0][u, r]
            out[1][u, r], out[2][u, r], _ = _ticks(query, c_sum[j], d_sum[j], popularity[j])
            out[5][u, r] = _source(c_sum[j], d_sum[j], is_cold[j], len(history) == 0)
        _explain(history, collaborative, content, c_max, d_max, w, is_cold, slot, rows, u, out)
        if rows < out[0].shape[1]:
            _fill(history, state, artist_key, is_cold, by_listeners, slot, rows, u, out)
        for i in history:
            state[i] = 0
        for x in range(count):
            j = touched[x]
            state[j] = 0
            c_sum[j] = 0
            d_sum[j] = 0


@nb.njit(cache=True, nogil=True)
def _accumulate(
    history: NDArray[np.int32],
    collaborative: Table,
    content: Table,
    c_sum: NDArray[np.int64],
    d_sum: NDArray[np.int64],
    state: NDArray[np.uint8],
    touched: NDArray[np.int32],
) -> int:
    """Sum the neighbour weights of the history; return how many tracks were touched."""
    count = 0
    for table in range(2):
        indptr, targets, weights = collaborative if table == 0 else content
        sums = c_sum if table == 0 else d_sum
        for i in history:
            for e in range(indptr[i], indptr[i + 1]):
                j = targets[e]
                sums[j] += weights[e]
                if state[j] & _TOUCHED == 0:
                    state[j] |= _TOUCHED
                    touched[count] = j
                    count += 1
    return count


@nb.njit(cache=True, nogil=True)
def _maxima(
    touched: NDArray[np.int32],
    c_sum: NDArray[np.int64],
    d_sum: NDArray[np.int64],
    state: NDArray[np.uint8],
) -> tuple[int, int]:
    """Largest sums over tracks outside the history; 0 means that the signal is absent."""
    c_max, d_max = 0, 0
    for j in touched:
        if state[j] & _HEARD == 0:
            if c_sum[j] > c_max:
                c_max = c_sum[j]
            if d_sum[j] > d_max:
                d_max = d_sum[j]
    return c_max, d_max


@nb.njit(cache=True, nogil=True)
def _ticks(query: Query, c_sum: int, d_sum: int, popularity: float) -> tuple[int, int, int]:
    """c', d and w·c' + (1 - w)·d in ticks; the same expressions stand in macros/ranked.sql.

    A track is cold where its popularity is 0: nobody has played it.
    """
    w, p, gamma, c_max, d_max, no_history = query
    is_cold = popularity == 0.0
    d = min(1.0, d_sum / d_max) if d_max > 0 else 0.0
    estimated = is_cold or c_max <= 0
    c = gamma * d if estimated else min(1.0, max(0.0, c_sum / c_max))
    if no_history:
        c = popularity
    elif not is_cold:
        c = (c + p * popularity) / (1.0 + p)
    c_tick = np.floor(c * TICKS + 0.5)
    d_tick = np.floor(d * TICKS + 0.5)
    return int(c_tick), int(d_tick), int(np.floor(w * c_tick + (1.0 - w) * d_tick + 0.5))


@nb.njit(cache=True, nogil=True)
def _estimate(
    query: Query,
    touched: NDArray[np.int32],
    c_sum: NDArray[np.int64],
    d_sum: NDArray[np.int64],
    state: NDArray[np.uint8],
    popularity: NDArray[np.float64],
    estimate: NDArray[np.float64],
) -> None:
    """Blend every touched track without the roundings: within `_SLACK` ticks of `_ticks`.

    A few multiplications instead of divisions and floors; tracks of the history get -1.
    """
    w, p, gamma, c_max, d_max, no_history = query
    per_d = TICKS / d_max if d_max > 0 else 0.0
    per_c = w / (1.0 + p) * TICKS / c_max if c_max > 0 else 0.0
    per_pop = w * TICKS if no_history else w * p / (1.0 + p) * TICKS
    cold_d = (w * gamma + 1.0 - w) * per_d
    warm_d = (1.0 - w) * per_d
    if c_max <= 0 and not no_history:
        warm_d += w * gamma / (1.0 + p) * per_d
    for x in range(len(touched)):
        j = touched[x]
        if state[j] & _HEARD:
            estimate[x] = -1.0
        elif popularity[j] == 0.0:
            estimate[x] = cold_d * d_sum[j]
        else:
            c = c_sum[j]
            estimate[x] = (
                (c * per_c if c > 0 else 0.0) + warm_d * d_sum[j] + per_pop * popularity[j]
            )


@nb.njit(cache=True, nogil=True)
def _source(
    c_sum: int,
    d_sum: int,
    is_cold: bool,
    no_history: bool,
) -> int:
    """Which signals were there."""
    if no_history:
        return Source.POPULAR.value
    if c_sum > 0 and not is_cold:
        return Source.HYBRID.value if d_sum > 0 else Source.COLLABORATIVE.value
    return Source.CONTENT.value if d_sum > 0 else Source.POPULAR.value


@nb.njit(cache=True, nogil=True)
def _select(
    query: Query,
    touched: NDArray[np.int32],
    c_sum: NDArray[np.int64],
    d_sum: NDArray[np.int64],
    estimate: NDArray[np.float64],
    popularity: NDArray[np.float64],
    artist_key: NDArray[np.int32],
    factors: NDArray[np.float64],
    artist_count: NDArray[np.int32],
    u: int,
    out: Lists,
) -> int:
    """Write tracks, scores and repeats of the best candidates; return how many there are."""
    k = out[0].shape[1]
    counts = np.zeros(_HISTOGRAM + 1, np.int64)
    for x in range(len(touched)):
        if estimate[x] >= 0.0:
            counts[int(estimate[x]) * _HISTOGRAM // (TICKS + _SLACK)] += 1
    wanted = 2 * k + 20
    while True:
        cut, above = _HISTOGRAM, 0
        while cut > 0 and above < wanted:
            cut -= 1
            above += counts[cut]
        # The lowest estimate in the bucket at the cut; what is below cannot reach it exactly.
        floor = -(-cut * (TICKS + _SLACK) // _HISTOGRAM)
        order = np.empty(len(touched), np.int64)
        found = 0
        for x in range(len(touched)):
            if estimate[x] >= max(floor - _SLACK, 0):
                j = touched[x]
                score = _ticks(query, c_sum[j], d_sum[j], popularity[j])[2]
                if score > 0:
                    order[found] = (np.int64(TICKS - score) << 32) | j
                    found += 1
        order = order[:found]
        _inplace_sort(order)
        final = _artist_factor(order, artist_key, factors, artist_count)
        _inplace_sort(final)
        rows = min(k, len(final))
        worst = TICKS - (final[rows - 1] >> 40) if rows else 0
        # Nothing below the cut can rise: scores only fall by the artist factor.
        if cut == 0 or (rows == k and worst >= floor):
            break
        wanted = len(touched) if wanted > 8 * k + 80 else wanted * 4
    for r in range(rows):
        out[0][u, r] = (final[r] >> 8) & 0xFFFFFFFF
        out[3][u, r] = TICKS - (final[r] >> 40)
        out[4][u, r] = final[r] & 0xFF
    return int(rows)


@nb.njit(cache=True, nogil=True)
def _inplace_sort(values: NDArray[np.int64]) -> None:
    """Shell sort, ascending: values are distinct and few, and numba's own takes 6 s to compile."""
    gap = len(values) // 2
    while gap > 0:
        for x in range(gap, len(values)):
            value, y = values[x], x
            while y >= gap and values[y - gap] > value:
                values[y] = values[y - gap]
                y -= gap
            values[y] = value
        gap = 1 if gap == 2 else gap * 5 // 11


@nb.njit(cache=True, nogil=True)
def _artist_factor(
    order: NDArray[np.int64],
    artist_key: NDArray[np.int32],
    factors: NDArray[np.float64],
    artist_count: NDArray[np.int32],
) -> NDArray[np.int64]:
    """Mark down repeated artists; return (TICKS - score, track, repeats) packed, unsorted."""
    final = np.empty(len(order), np.int64)
    for x in range(len(order)):
        j = order[x] & 0xFFFFFFFF
        s = TICKS - (order[x] >> 32)
        repeats = 0
        artist = artist_key[j]
        if artist >= 0:
            repeats = min(max(artist_count[artist] - ARTIST_ALLOWANCE, 0), ARTIST_FACTORS - 1)
            artist_count[artist] += 1
        if repeats > 0:
            s = max(1, np.int64(np.floor(s * factors[repeats] + 0.5)))
        final[x] = (np.int64(TICKS - s) << 40) | (np.int64(j) << 8) | repeats
    for x in range(len(order)):
        artist = artist_key[order[x] & 0xFFFFFFFF]
        if artist >= 0:
            artist_count[artist] = 0
    return final


@nb.njit(cache=True, nogil=True)
def _explain(
    history: NDArray[np.int32],
    collaborative: Table,
    content: Table,
    c_max: int,
    d_max: int,
    w: float,
    is_cold: NDArray[np.bool_],
    slot: NDArray[np.int32],
    rows: int,
    u: int,
    out: Lists,
) -> None:
    """Write for each row the history track with the largest blended contribution."""
    for r in range(rows):
        slot[out[0][u, r]] = r + 1
    best = np.zeros(rows, np.float64)
    q = np.zeros(rows, np.int64)
    v = np.zeros(rows, np.int64)
    for x in range(len(history)):
        i = history[x]
        q[:] = 0
        v[:] = 0
        for e in range(collaborative[0][i], collaborative[0][i + 1]):
            r = slot[collaborative[1][e]]
            if r > 0:
                q[r - 1] = collaborative[2][e]
        for e in range(content[0][i], content[0][i + 1]):
            r = slot[content[1][e]]
            if r > 0:
                v[r - 1] = content[2][e]
        for r in range(rows):
            if (q[r] == 0 and v[r] == 0) or out[5][u, r] == Source.POPULAR.value:
                continue
            if is_cold[out[0][u, r]] or c_max <= 0:
                part = np.float64(v[r])
            else:
                part = w * (q[r] / c_max) + (1.0 - w) * (v[r] / d_max if d_max > 0 else 0.0)
            if out[6][u, r] < 0 or part > best[r]:
                best[r] = part
                out[6][u, r] = x
    for r in range(rows):
        slot[out[0][u, r]] = 0


@nb.njit(cache=True, nogil=True)
def _fill(
    history: NDArray[np.int32],
    state: NDArray[np.uint8],
    artist_key: NDArray[np.int32],
    is_cold: NDArray[np.bool_],
    by_listeners: NDArray[np.int32],
    slot: NDArray[np.int32],
    rows: int,
    u: int,
    out: Lists,
) -> None:
    """Fill a short list with score 0: same artist, then by listeners to the end."""
    k = out[0].shape[1]
    for r in range(rows):
        slot[out[0][u, r]] = 1
    for tier in range(2):
        for j in by_listeners:
            if rows == k:
                break
            if state[j] & _HEARD or slot[j]:
                continue
            because = -1
            if artist_key[j] >= 0:
                for x in range(len(history)):
                    if artist_key[history[x]] == artist_key[j]:
                        because = x
                        break
            if tier == 0 and because < 0:
                continue
            out[0][u, rows] = j
            out[6][u, rows] = because if tier == 0 else -1
            if tier == 0:
                out[5][u, rows] = Source.SAME_ARTIST.value
            else:
                out[5][u, rows] = Source.CATALOGUE.value if is_cold[j] else Source.POPULAR.value
            slot[j] = 1
            rows += 1
    for r in range(rows):
        slot[out[0][u, r]] = 0
