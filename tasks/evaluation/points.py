"""Rank each history at many points (w, p, γ): the sums are computed once, the blend many times.

The lists are those of `tasks.hybrid.ranking.rank_histories`, made of the same compiled pieces; what
is left out are the columns that a measurement does not read.
"""

from dataclasses import dataclass

import numba as nb
import numpy as np
from numpy.typing import NDArray

from tasks.hybrid.kernel import (
    _HEARD,
    _TOUCHED,
    Lists,
    Table,
    _accumulate,
    _maxima,
    _score,
    _select,
)
from tasks.hybrid.model import Catalogue, HybridModel


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

    Histories are CSR rows of track keys without repeats. ``points`` holds w, p, γ: points × 3 for
    all histories alike, or histories × points × 3. Positions past a short list hold -1. Points
    that share p and γ cost least next to each other.
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
        (
            model.collaborative.indptr,
            model.collaborative.targets,
            model.collaborative.weights,
        ),
        (model.content.indptr, model.content.targets, model.content.weights),
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
    c_ticks = np.zeros(n, np.int16)
    d_ticks = np.zeros(n, np.int16)
    s_ticks = np.zeros(n, np.int16)
    listed = np.zeros(n, np.bool_)
    artist_count = np.zeros(artist_key.max() + 2 if n else 1, np.int32)
    row = _one_list(k)
    for u in range(len(indptr) - 1):
        history = tracks[indptr[u] : indptr[u + 1]]
        for i in history:
            state[i] = _HEARD
        count = _accumulate(history, collaborative, content, c_sum, d_sum, state, touched)
        c_max, d_max = _maxima(touched[:count], c_sum, d_sum, state)
        if len(history) == 0 or points[u, :, 1].max() > 0:
            for j in popular:  # with p = 0 they score 0 and drop out again
                if state[j] & _TOUCHED == 0:
                    state[j] |= _TOUCHED
                    touched[count] = j
                    count += 1
        kin = touched[:0]
        for q in range(points.shape[1]):
            w, p, gamma = points[u, q, 0], points[u, q, 1], points[u, q, 2]
            if q > 0 and p == points[u, q - 1, 1] and gamma == points[u, q - 1, 2]:
                for j in touched[:count]:
                    s_ticks[j] = np.floor(w * c_ticks[j] + (1.0 - w) * d_ticks[j] + 0.5)
            else:
                _score(
                    touched[:count], c_sum, d_sum, c_max, d_max, is_cold, popularity,
                    w, p, gamma, len(history) == 0, c_ticks, d_ticks, s_ticks,
                )  # fmt: skip
            rows = _select(
                touched[:count], state, s_ticks, artist_key, factors, artist_count, 0, row
            )
            out[u, q, :rows] = row[0][0, :rows]
            if rows < k:
                if len(kin) == 0:
                    kin = _kin(history, artist_key, artist_indptr, artist_tracks, listener_rank)
                _fill(state, by_listeners, kin, listed, rows, out[u, q])
        for i in history:
            state[i] = 0
        for j in touched[:count]:
            state[j] = 0
            c_sum[j] = 0
            d_sum[j] = 0


@nb.njit(cache=True, nogil=True)
def _one_list(k: int) -> Lists:
    """Make room for one list, as the ranking kernel's pieces want it."""
    return (
        np.empty((1, k), np.int32),
        np.empty((1, k), np.int16),
        np.empty((1, k), np.int16),
        np.empty((1, k), np.int16),
        np.empty((1, k), np.int8),
        np.empty((1, k), np.int8),
        np.empty((1, k), np.int16),
    )


@nb.njit(cache=True, nogil=True)
def _kin(
    history: NDArray[np.int32],
    artist_key: NDArray[np.int32],
    artist_indptr: NDArray[np.int64],
    artist_tracks: NDArray[np.int32],
    listener_rank: NDArray[np.int32],
) -> NDArray[np.int32]:
    """Return the listener ranks of all tracks by the history's artists, ascending."""
    artists = np.unique(artist_key[history])
    size = 0
    for a in artists:
        if a >= 0:
            size += artist_indptr[a + 1] - artist_indptr[a]
    ranks = np.empty(size, np.int32)
    x = 0
    for a in artists:
        if a >= 0:
            for e in range(artist_indptr[a], artist_indptr[a + 1]):
                ranks[x] = listener_rank[artist_tracks[e]]
                x += 1
    ranks.sort()
    return ranks


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
    for rank in kin:
        if rows == k:
            break
        j = by_listeners[rank]
        if state[j] & _HEARD == 0 and not listed[j]:
            listed[j] = True
            out[rows] = j
            rows += 1
    for j in by_listeners:
        if rows == k:
            break
        if state[j] & _HEARD == 0 and not listed[j]:
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
