"""The ranking kernel: docs/scoring.md, compiled.

Tracks are numbered by popularity in here (`tasks.hybrid.packed`); what is written out are track
keys. A list is made in four passes: sum the neighbours of the history, gather what was touched
into short arrays, find the best of them, give reasons. Lists are exact: an estimate without
roundings decides which candidates are scored and sorted, and the cut is lowered whenever the
artist factor could let a track below it rise above one above it.
"""

from enum import IntEnum
from typing import TypeAlias

import numba as nb
import numpy as np
from numpy.typing import NDArray

from tasks.hybrid.parameters import ARTIST_ALLOWANCE, ARTIST_FACTORS, TICKS

Packed: TypeAlias = tuple[NDArray[np.int64], NDArray[np.uint32], NDArray[np.int32]]
"""The arrays of PackedNeighbours: indptr, targets, weights."""
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

Query: TypeAlias = tuple[float, float, float, np.int64, np.int64, bool]
"""What scores one history: w, p, γ, C⁺, D⁺ (docs/scoring.md), and whether it is empty."""

Candidates: TypeAlias = tuple[
    NDArray[np.uint32], NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]
]
"""What a history touched: tracks, their sums of collaborative and content weights, popularity."""


class Source(IntEnum):
    """Which signals put a row into a list; the value is what the release stores."""

    HYBRID = 0
    COLLABORATIVE = 1
    CONTENT = 2
    POPULAR = 3
    SAME_ARTIST = 4
    CATALOGUE = 5


LONGEST_HISTORY = 32_767
"""Tracks of a history at most: both sums of a track share 64 bits, reasons are int16."""

_HEARD = np.int64(np.iinfo(np.int64).min)
_SLACK = 2  # ticks: rounding c', d and the blend moves a score by at most one, floats by far less


@nb.njit(cache=True, nogil=True)
def rank_all(
    indptr: NDArray[np.int64],
    histories: NDArray[np.int32],
    weights: NDArray[np.float64],
    priors: NDArray[np.float64],
    neighbours: Packed,
    track_key: NDArray[np.int32],
    artist_key: NDArray[np.int32],
    popularity: NDArray[np.float64],
    popular: int,
    gamma: float,
    factors: NDArray[np.float64],
    out: Lists,
) -> None:
    """Rank every history in turn with one set of accumulators.

    Histories and all arrays by track are in ranks of popularity; each history must be in the
    order of its track keys, which decides ties between reasons.
    """
    n, k = len(track_key), out[0].shape[1]
    artists = 0
    for artist in artist_key:
        artists = max(artists, artist + 1)
    sums = np.zeros(n, np.int64)
    touched = np.empty(n + 1, np.uint32)
    candidates = (
        np.empty(n + 1, np.uint32),
        np.empty(n + 1, np.int32),
        np.empty(n + 1, np.int32),
        np.empty(n + 1, np.float64),
    )
    estimate = np.empty(n + 1, np.float32)
    chosen = np.empty(n + 1, np.int32)
    order = np.empty(n, np.int64)
    place = np.empty(n, np.int32)
    artist_count = np.zeros(artists, np.int32)
    first_of_artist = np.full(artists, -1, np.int32)
    listed = np.zeros(n, np.bool_)
    row_of = np.zeros(n, np.int16)
    found_at = np.empty(k, np.int32)
    for u in range(len(indptr) - 1):
        history = histories[indptr[u] : indptr[u + 1]]
        w, p = weights[u], priors[u]
        count = _accumulate(history, neighbours, sums, touched)
        for i in history:
            sums[i] = _HEARD
        if p > 0 or len(history) == 0:
            for j in range(popular):
                touched[count] = j
                count += sums[j] == 0
        found, c_max, d_max = _gather(touched[:count], sums, popularity, candidates)
        for i in history:
            sums[i] = 0
        query = (w, p, gamma, c_max, d_max, len(history) == 0)
        _estimate(query, candidates, estimate[:found])
        rows = _select(
            query, candidates, estimate[:found], chosen, order, place, track_key, artist_key,
            factors, artist_count, found_at, u, out,
        )  # fmt: skip
        _explain(query, history, neighbours, candidates, found_at[:rows], row_of, u, out)
        if rows < k:
            _fill(
                history, candidates, found_at[:rows], track_key, artist_key, popularity,
                first_of_artist, listed, u, out,
            )  # fmt: skip


@nb.njit(cache=True, nogil=True)
def _accumulate(
    history: NDArray[np.int32],
    neighbours: Packed,
    sums: NDArray[np.int64],
    touched: NDArray[np.uint32],
) -> np.int64:
    """Sum the neighbour weights of the history; return how many tracks were touched.

    A sum is 2³² times the collaborative sum plus twice the content sum, and odd once touched.
    No branch depends on the data, and positions are unsigned, which spares the machine a look for
    negative ones.
    """
    indptr, targets, weights = neighbours
    count = np.uint64(0)
    for i in history:
        to, by = targets[indptr[i] : indptr[i + 1]], weights[indptr[i] : indptr[i + 1]]
        for e in range(len(to)):
            content = np.int16(by[e])
            collaborative = (np.int64(by[e]) - content) >> 16
            before = sums[to[e]]
            touched[count] = to[e]
            count += np.uint64(before == 0)
            sums[to[e]] = (before + (collaborative << 32) + (np.int64(content) << 1)) | 1
    return np.int64(count)


@nb.njit(cache=True, nogil=True)
def _gather(
    touched: NDArray[np.uint32],
    sums: NDArray[np.int64],
    popularity: NDArray[np.float64],
    candidates: Candidates,
) -> tuple[np.int64, np.int64, np.int64]:
    """Move the sums of all touched tracks outside the history to ``candidates``.

    Returns how many there are and the largest sums, 0 where a signal is absent. Unplayed tracks
    have no use for a collaborative sum: their score is estimated.
    """
    tracks, c_sums, d_sums, popularities = candidates
    found, c_max, d_max = np.uint64(0), np.int64(0), np.int32(0)
    for j in touched:
        both = sums[j]
        sums[j] = 0
        low = np.int32(both & 0xFFFFFFFF)
        d = low >> 1
        c = (both - low) >> 32
        tracks[found] = j
        c_sums[found] = c if popularity[j] > 0.0 else 0
        d_sums[found] = d
        popularities[found] = popularity[j]
        if both != _HEARD:
            found += np.uint64(1)
            c_max = max(c_max, c)
            d_max = max(d_max, d)
    return np.int64(found), c_max, np.int64(d_max)


@nb.njit(cache=True, nogil=True)
def _ticks(query: Query, c_sum: int, d_sum: int, popularity: float) -> tuple[int, int, int]:
    """c', d and w·c' + (1 - w)·d in ticks; the same expressions stand in macros/ranked.sql.

    A track is cold where its popularity is 0: nobody has played it.
    """
    w, p, gamma, c_max, d_max, no_history = query
    is_cold = popularity == 0.0
    d = np.sqrt(min(1.0, d_sum / d_max)) if d_max > 0 else 0.0
    estimated = is_cold or c_max <= 0
    c = gamma * d if estimated else np.sqrt(min(1.0, max(0.0, c_sum / c_max)))
    if no_history:
        c = popularity
    elif not is_cold:
        c = (c + p * popularity) / (1.0 + p)
    c_tick = np.floor(c * TICKS + 0.5)
    d_tick = np.floor(d * TICKS + 0.5)
    return int(c_tick), int(d_tick), int(np.floor(w * c_tick + (1.0 - w) * d_tick + 0.5))


@nb.njit(cache=True, nogil=True)
def _estimate(query: Query, candidates: Candidates, estimate: NDArray[np.float32]) -> None:
    """Blend every candidate without the roundings: within `_SLACK` ticks of `_ticks`.

    Single precision, no divisions and floors: eight or sixteen tracks at a time.
    """
    w, p, gamma, c_max, d_max, no_history = query
    _, c_sums, d_sums, popularities = candidates
    c_share = np.float32(1.0 / c_max if c_max > 0 else 0.0)
    d_share = np.float32(1.0 / d_max if d_max > 0 else 0.0)
    per_c = np.float32(w / (1.0 + p) * TICKS)
    per_pop = np.float32(w * TICKS if no_history else w * p / (1.0 + p) * TICKS)
    cold_d = np.float32((w * gamma + 1.0 - w) * TICKS)
    warm = 1.0 - w
    if c_max <= 0 and not no_history:
        warm += w * gamma / (1.0 + p)
    warm_d = np.float32(warm * TICKS)
    for x in range(len(estimate)):
        pop = np.float32(popularities[x])
        per = cold_d if pop == np.float32(0.0) else warm_d
        c = np.sqrt(np.float32(max(c_sums[x], np.int32(0))) * c_share)
        d = np.sqrt(np.float32(d_sums[x]) * d_share)
        estimate[x] = c * per_c + d * per + pop * per_pop


@nb.njit(cache=True, nogil=True)
def _source(c_sum: int, d_sum: int, no_history: bool) -> int:
    """Which signals were there."""
    if no_history:
        return Source.POPULAR.value
    if c_sum > 0:
        return Source.HYBRID.value if d_sum > 0 else Source.COLLABORATIVE.value
    return Source.CONTENT.value if d_sum > 0 else Source.POPULAR.value


@nb.njit(cache=True, nogil=True)
def _cut(estimate: NDArray[np.float32], wanted: int) -> float:
    """Return a value that at least ``wanted`` estimates reach, and few more than that."""
    low, high = np.float32(0.0), np.float32(TICKS + _SLACK)
    while high - low > np.float32(0.5):
        middle = (low + high) * np.float32(0.5)
        above = 0
        for x in range(len(estimate)):
            above += estimate[x] >= middle
        if above < wanted:
            high = middle
        else:
            low = middle
            if above <= wanted + wanted // 4:
                break
    return float(low)


@nb.njit(cache=True, nogil=True)
def _select(
    query: Query,
    candidates: Candidates,
    estimate: NDArray[np.float32],
    chosen: NDArray[np.int32],
    order: NDArray[np.int64],
    place: NDArray[np.int32],
    track_key: NDArray[np.int32],
    artist_key: NDArray[np.int32],
    factors: NDArray[np.float64],
    artist_count: NDArray[np.int32],
    found_at: NDArray[np.int32],
    u: int,
    out: Lists,
) -> int:
    """Write the rows of the best candidates but for their reasons; return how many there are.

    ``found_at`` receives where each row stands among the candidates.
    """
    tracks, c_sums, d_sums, popularities = candidates
    k = len(found_at)
    wanted = k + k // 2 + 4
    while True:
        cut = _cut(estimate, wanted) if wanted < len(estimate) else 0.0
        lowest = np.float32(max(cut - _SLACK, 0.0))
        size = np.uint64(0)
        for x in range(len(estimate)):
            chosen[size] = x
            size += np.uint64(estimate[x] >= lowest)
        found = 0
        for x in chosen[:size]:
            score = _ticks(query, c_sums[x], d_sums[x], popularities[x])[2]
            if score > 0:
                key = track_key[tracks[x]]
                place[key] = x
                order[found] = (np.int64(TICKS - score) << 32) | key
                found += 1
        _inplace_sort(order[:found])
        final = order[:found]
        marked = _artist_factor(final, place, tracks, artist_key, factors, artist_count)
        if marked:
            _inplace_sort(final)
        rows = min(k, found)
        worst = TICKS - (final[rows - 1] >> 40) if rows else 0
        # Nothing below the cut can rise: scores only fall by the artist factor.
        if cut == 0.0 or (rows == k and worst >= cut):
            break
        wanted *= 4
    for r in range(rows):
        key = (final[r] >> 8) & 0xFFFFFFFF
        x = place[key]
        found_at[r] = x
        out[0][u, r] = key
        out[1][u, r], out[2][u, r], _ = _ticks(query, c_sums[x], d_sums[x], popularities[x])
        out[3][u, r] = TICKS - (final[r] >> 40)
        out[4][u, r] = final[r] & 0xFF
        out[5][u, r] = _source(c_sums[x], d_sums[x], query[5])
    return rows


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
    place: NDArray[np.int32],
    tracks: NDArray[np.uint32],
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
        artist = artist_key[tracks[place[key]]]
        if artist >= 0:
            repeats = min(max(artist_count[artist] - ARTIST_ALLOWANCE, 0), ARTIST_FACTORS - 1)
            artist_count[artist] += 1
        if repeats > 0:
            s = max(1, np.int64(np.floor(s * factors[repeats] + 0.5)))
            marked = True
        order[x] = (np.int64(TICKS - s) << 40) | (key << 8) | repeats
    for x in range(len(order)):
        artist = artist_key[tracks[place[(order[x] >> 8) & 0xFFFFFFFF]]]
        if artist >= 0:
            artist_count[artist] = 0
    return marked


@nb.njit(cache=True, nogil=True)
def _explain(
    query: Query,
    history: NDArray[np.int32],
    neighbours: Packed,
    candidates: Candidates,
    found_at: NDArray[np.int32],
    row_of: NDArray[np.int16],
    u: int,
    out: Lists,
) -> None:
    """Write for each row the history track with the largest blended contribution.

    ``row_of`` holds 0 for every track and does so again afterwards.
    """
    w, _, _, c_max, d_max, _ = query
    indptr, targets, weights = neighbours
    tracks, _, _, popularities = candidates
    best = np.zeros(len(found_at), np.float64)
    for r in range(len(found_at)):
        if out[5][u, r] != Source.POPULAR.value:
            row_of[tracks[found_at[r]]] = r + 1
    for x in range(len(history)):
        i = history[x]
        to, by = targets[indptr[i] : indptr[i + 1]], weights[indptr[i] : indptr[i + 1]]
        for e in range(len(to)):
            row = row_of[to[e]]
            if row == 0:
                continue
            r = row - 1
            v = np.int16(by[e])
            q = (np.int64(by[e]) - v) >> 16
            if popularities[found_at[r]] == 0.0 or c_max <= 0:
                part = np.float64(v)
            else:
                part = w * (q / c_max) + (1.0 - w) * (v / d_max if d_max > 0 else 0.0)
            if out[6][u, r] < 0 or part > best[r]:
                best[r] = part
                out[6][u, r] = x
    for x in found_at:
        row_of[tracks[x]] = 0


@nb.njit(cache=True, nogil=True)
def _fill(
    history: NDArray[np.int32],
    candidates: Candidates,
    found_at: NDArray[np.int32],
    track_key: NDArray[np.int32],
    artist_key: NDArray[np.int32],
    popularity: NDArray[np.float64],
    first_of_artist: NDArray[np.int32],
    listed: NDArray[np.bool_],
    u: int,
    out: Lists,
) -> None:
    """Fill a short list with score 0: same artist, then by listeners to the end."""
    n, k, rows = len(track_key), out[0].shape[1], len(found_at)
    for i in history:
        listed[i] = True
    for x in found_at:
        listed[candidates[0][x]] = True
    for x in range(len(history) - 1, -1, -1):
        if artist_key[history[x]] >= 0:
            first_of_artist[artist_key[history[x]]] = x
    for tier in range(2):
        for j in range(n):
            if rows == k:
                break
            because = first_of_artist[artist_key[j]] if artist_key[j] >= 0 else -1
            if listed[j] or (tier == 0 and because < 0):
                continue
            out[0][u, rows] = track_key[j]
            if tier == 0:
                out[5][u, rows] = Source.SAME_ARTIST.value
                out[6][u, rows] = because
            else:
                is_cold = popularity[j] == 0.0
                out[5][u, rows] = Source.CATALOGUE.value if is_cold else Source.POPULAR.value
            listed[j] = True
            rows += 1
    listed[:] = False
    for i in history:
        if artist_key[i] >= 0:
            first_of_artist[artist_key[i]] = -1
