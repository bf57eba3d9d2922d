"""What fills a list when the candidates run out: by the same artists, then all, by listeners."""

from typing import NamedTuple

import numba as nb
import numpy as np
from numpy.typing import NDArray

from tasks.kernels.sorting import sort


class TracksByArtist(NamedTuple):
    """The tracks of every artist, most listened first: CSR by artist."""

    indptr: NDArray[np.int64]
    tracks: NDArray[np.int32]


def tracks_by_artist(artist_key: NDArray[np.int32]) -> TracksByArtist:
    """Group tracks, numbered by popularity, by their artist; -1: none."""
    order = np.argsort(artist_key, kind="stable").astype(np.int32)
    ends = np.arange(int(artist_key.max(initial=-1)) + 2)
    return TracksByArtist(np.searchsorted(artist_key[order], ends).astype(np.int64), order)


@nb.njit(cache=True, nogil=True)
def same_artist_tracks(
    history: NDArray[np.int32], artist_key: NDArray[np.int32], by_artist: TracksByArtist
) -> NDArray[np.int64]:
    """Return all tracks by the history's artists, most listened first, perhaps repeated."""
    indptr, tracks = by_artist.indptr, by_artist.tracks
    size = 0
    for i in history:
        a = artist_key[i]
        if a >= 0:
            size += indptr[a + 1] - indptr[a]
    same_artist = np.empty(size, np.int64)
    x = 0
    for i in history:
        a = artist_key[i]
        if a >= 0:
            for j in tracks[indptr[a] : indptr[a + 1]]:
                same_artist[x] = j
                x += 1
    sort(same_artist)
    return same_artist


@nb.njit(cache=True, nogil=True)
def fill(
    history: NDArray[np.int32],
    left_out: NDArray[np.int32],
    same_artist: NDArray[np.int64],
    eligible: int,
    rows: int,
    row: NDArray[np.int32],
    listed: NDArray[np.bool_],
) -> int:
    """Fill ``row`` from position ``rows`` on; return where those by the same artists end.

    First the ``same_artist`` tracks, then all, of the ``eligible`` most listened, without those in
    the history, ``left_out`` or in the row already; -1 where no track is left. ``listed`` holds
    False for every track and does so again afterwards.
    """
    k, size = len(row), rows
    row[rows:] = -1
    for i in history:
        listed[i] = True
    for j in left_out:
        listed[j] = True
    for j in row[:rows]:
        listed[j] = True
    for j in same_artist:
        if size == k or j >= eligible:
            break
        if not listed[j]:
            listed[j] = True
            row[size] = j
            size += 1
    same_artist_end = size
    for j in range(eligible):
        if size == k:
            break
        if not listed[j]:
            row[size] = j
            size += 1
    for i in history:
        listed[i] = False
    for j in left_out:
        listed[j] = False
    for j in row[:same_artist_end]:
        listed[j] = False
    return same_artist_end
