"""Who listens to which artist: the listener × artist matrix by row and by column."""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray


@dataclass(frozen=True)
class Credits:
    """The artists of each track, as CSR: keys from starts[track] to starts[track + 1]."""

    starts: NDArray[np.int64]
    artists: NDArray[np.int32]
    count: int
    """How many artists there are."""


@dataclass(frozen=True)
class Audiences:
    """The binary matrix listeners × artists in both orders; every pair is there once."""

    listener_starts: NDArray[np.int64]
    listener_artists: NDArray[np.int32]
    artist_starts: NDArray[np.int64]
    artist_listeners: NDArray[np.int32]

    @property
    def listeners(self) -> NDArray[np.int64]:
        """How many different listeners each artist has."""
        return np.diff(self.artist_starts)


def audiences(
    listeners: NDArray[np.int32], tracks: NDArray[np.int32], made_by: Credits
) -> Audiences:
    """Join plays, in the order of their listeners, with the artists of their tracks."""
    rows = int(listeners[-1]) + 1 if len(listeners) else 0
    pairs = int(np.diff(made_by.starts)[tracks].sum())
    starts, artists = _artists_of_listeners(
        listeners, tracks, made_by.starts, made_by.artists, made_by.count, rows, pairs
    )
    artist_starts, artist_listeners = _listeners_of_artists(starts, artists, made_by.count)
    return Audiences(starts, artists, artist_starts, artist_listeners)


@njit(nogil=True, cache=True)
def _artists_of_listeners(listeners, tracks, credit_starts, credited, count, rows, pairs):  # type: ignore[no-untyped-def]  # numba finds the types
    starts = np.zeros(rows + 1, np.int64)
    artists = np.empty(pairs, np.int32)
    last_listener = np.full(count, -1, np.int32)
    filled = 0
    row = 0
    for x in range(len(listeners)):
        listener = listeners[x]
        while row < listener:  # those without plays have no artists
            row += 1
            starts[row] = filled
        for place in range(credit_starts[tracks[x]], credit_starts[tracks[x] + 1]):
            artist = credited[place]
            if last_listener[artist] != listener:
                last_listener[artist] = listener
                artists[filled] = artist
                filled += 1
    while row < rows:
        row += 1
        starts[row] = filled
    return starts, artists[:filled]


@njit(nogil=True, cache=True)
def _listeners_of_artists(starts, artists, count):  # type: ignore[no-untyped-def]  # numba finds the types
    artist_starts = np.zeros(count + 1, np.int64)
    for artist in artists:
        artist_starts[artist + 1] += 1
    artist_starts = np.cumsum(artist_starts)
    fill = artist_starts[:-1].copy()
    artist_listeners = np.empty(len(artists), np.int32)
    for listener in range(len(starts) - 1):
        for place in range(starts[listener], starts[listener + 1]):
            artist = artists[place]
            artist_listeners[fill[artist]] = listener
            fill[artist] += 1
    return artist_starts, artist_listeners
