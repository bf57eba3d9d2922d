"""Exact nearest neighbours: similarities in tiles of one size, best k kept per row.

Similarity of two tracks is ``(1 - bonus) × dot product of their unit vectors + bonus × same
artist``: a cosine still, of vectors that also have one dimension per artist.

Tiles lie on one grid over the catalogue and are all multiplied in the same shape (the last one
padded), so that a similarity has the same bits whichever block of tracks it is computed in.
"""

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from tasks.kernels.heap import sift_down, sort_best_first

ROWS = 256
"""Rows of a tile; blocks begin at multiples of it."""
COLUMNS = 2_048
"""Columns of a tile: a tile of float32 (2 MB) stays in cache between product and selection."""

CHUNK = 64
"""Columns that are passed over together when none of them is among the best."""

NO_TRACK = -1


@dataclass(frozen=True)
class Space:
    """What similarity is made of, for all n tracks of a catalogue."""

    vectors: NDArray[np.float32]
    """(n, dimensions), rows of length 1, or 0 for tracks nothing is known about."""
    artists: NDArray[np.int32]
    """(n,) artist_key, negative for none."""
    bonus: float
    """Share of similarity that lies in having the same artist, 0 to 1."""
    observed: NDArray[np.float32] | None = None
    """(n, r): where tracks are listened to, in place of the last r columns of ``vectors``, which
    say where content would put them; the same for unplayed tracks. None: nothing was learned."""

    @property
    def size(self) -> int:
        """The number of tracks."""
        return int(self.vectors.shape[0])

    def targets(self, observed: bool) -> NDArray[np.float32]:
        """Return the vectors to compare with: by content alone, or where tracks were observed."""
        if not observed or self.observed is None:
            return self.vectors
        kept = self.vectors.shape[1] - self.observed.shape[1]
        return np.hstack([self.vectors[:, :kept], self.observed])


@dataclass(frozen=True)
class NearestTracks:
    """The k most similar tracks of some rows, best first, ties by lower key."""

    tracks: NDArray[np.int32]
    """(rows, k); `NO_TRACK` where a row has fewer."""
    similarity: NDArray[np.float32]
    """(rows, k)."""


def nearest(
    space: Space,
    start: int,
    stop: int,
    k: int,
    rows: NDArray[np.integer] | None = None,
    columns: NDArray[np.integer] | None = None,
    observed: bool = False,
    other_artists: bool = False,
) -> NearestTracks:
    """Find the exact k most similar tracks of ``rows[start:stop]``, not themselves.

    ``rows`` and ``columns`` are ascending track keys: whose neighbours are sought, and who may be
    one (default: all tracks). ``start`` is a multiple of `ROWS`. Only similarities above 0 count.
    With ``observed`` the listed tracks are taken where they are listened to; with
    ``other_artists`` those of the row's own artist are left out.
    """
    if start % ROWS:
        raise ValueError(f"start must be a multiple of {ROWS}, not {start}")
    every = np.arange(space.size)
    keys = (every if rows is None else rows)[start:stop]
    listed = every if columns is None else columns
    queries = _padded(space.vectors[keys] * np.float32(1.0 - space.bonus), ROWS)
    against = _padded(space.targets(observed)[listed], COLUMNS)
    # Where each row stands among the columns, to leave it out: -1 where it does not.
    at = np.minimum(np.searchsorted(listed, keys), max(len(listed) - 1, 0))
    own = np.where(listed[at] == keys, at, -1) if len(listed) else np.full(len(keys), -1)
    best = np.full((len(keys), k), NO_TRACK, np.int32)
    similarity = np.zeros((len(keys), k), np.float32)
    tile = np.empty((ROWS, COLUMNS), np.float32)
    artists = space.artists[keys]
    bonus = -np.inf if other_artists else space.bonus
    order, begin = _by_artist(space.artists[listed], int(space.artists.max(initial=-1)) + 1)
    for row in range(0, len(keys), ROWS):
        out = slice(row, min(row + ROWS, len(keys)))
        for column in range(0, len(listed), COLUMNS):
            np.matmul(queries[row : row + ROWS], against[column : column + COLUMNS].T, out=tile)
            width = min(COLUMNS, len(listed) - column)
            if bonus != 0:
                _add_bonus(tile, column, width, artists[out], order, begin, bonus)
            _keep_best(tile, column, width, own[out], best[out], similarity[out])
    _sort_rows(best, similarity)
    found = best != NO_TRACK
    best[found] = listed[best[found]]
    return NearestTracks(best, similarity)


def _padded(vectors: NDArray[np.float32], tile: int) -> NDArray[np.float32]:
    """Copy the vectors and add rows of zeros that fill up the last tile."""
    padded = np.zeros((-(-len(vectors) // tile) * tile, vectors.shape[1]), np.float32)
    padded[: len(vectors)] = vectors
    return padded


def _by_artist(
    artists: NDArray[np.int32], most: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return columns ordered by artist, then position, and where each artist begins therein."""
    known = np.flatnonzero(artists >= 0)
    order = known[np.argsort(artists[known], kind="stable")]
    return order, np.searchsorted(artists[order], np.arange(most + 1))


@numba.njit(cache=True)
def _add_bonus(
    tile: NDArray[np.float32],
    column: int,
    width: int,
    artists: NDArray[np.int32],
    order: NDArray[np.int64],
    begin: NDArray[np.int64],
    bonus: float,
) -> None:
    """Add ``bonus`` where row and column have the same artist."""
    for row in range(len(artists)):
        artist = artists[row]
        if artist < 0:
            continue
        same = order[begin[artist] : begin[artist + 1]]
        for at in range(np.searchsorted(same, column), len(same)):
            if same[at] >= column + width:
                break
            tile[row, same[at] - column] += np.float32(bonus)


@numba.njit(cache=True)
def _keep_best(
    tile: NDArray[np.float32],
    column: int,
    width: int,
    own: NDArray[np.int64],
    best: NDArray[np.int32],
    similarity: NDArray[np.float32],
) -> None:
    """Push a tile's columns into each row's heap, whose root is the worst of its k best."""
    for row in range(len(own)):
        keys = best[row]
        values = similarity[row]
        scores = tile[row]
        worst = values[0]
        for chunk in range(0, width, CHUNK):
            end = min(chunk + CHUNK, width)
            hits = 0
            for at in range(chunk, end):
                hits += scores[at] > worst
            if hits == 0:
                continue
            for at in range(chunk, end):
                key = column + at
                if scores[at] > worst and key != own[row]:
                    sift_down(values, keys, scores[at], key)
                    worst = values[0]


@numba.njit(cache=True)
def _sort_rows(tracks: NDArray[np.int32], similarity: NDArray[np.float32]) -> None:
    """Turn every heap into a list, best first."""
    for row in range(len(tracks)):
        sort_best_first(similarity[row], tracks[row])
