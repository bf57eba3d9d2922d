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

ROWS = 256
"""Rows of a tile; blocks begin at multiples of it."""
COLUMNS = 2_048
"""Columns of a tile: a tile of float32 (2 MB) stays in cache between product and selection."""

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
class Neighbours:
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
    eligible: NDArray[np.bool_] | None = None,
    wanted: NDArray[np.bool_] | None = None,
    observed: bool = False,
) -> Neighbours:
    """Find the exact k most similar tracks of rows ``start`` to ``stop``, not themselves.

    ``start`` is a multiple of `ROWS`. Only ``eligible`` tracks are listed (default: all), and
    only for ``wanted`` rows (default: all; lists of others stay empty). Only similarities above
    0 count. With ``observed`` the listed tracks are taken where they are listened to.
    """
    if start % ROWS:
        raise ValueError(f"start must be a multiple of {ROWS}, not {start}")
    size = space.size
    eligible = np.ones(size, np.bool_) if eligible is None else eligible
    wanted = np.ones(size, np.bool_) if wanted is None else wanted
    padded = _padded(space.targets(observed))
    rows = _padded(space.vectors) if observed else padded
    scale = np.float32(1.0 - space.bonus)
    tracks = np.full((stop - start, k), NO_TRACK, np.int32)
    similarity = np.zeros((stop - start, k), np.float32)
    tile = np.empty((ROWS, COLUMNS), np.float32)
    order, begin = _by_artist(space.artists)
    for row in range(start, stop, ROWS):
        last = min(row + ROWS, stop)
        if not wanted[row:last].any():
            continue
        queries = rows[row : row + ROWS] * scale
        out = slice(row - start, last - start)
        for column in range(0, size, COLUMNS):
            np.matmul(queries, padded[column : column + COLUMNS].T, out=tile)
            width = min(COLUMNS, size - column)
            if space.bonus > 0:
                _add_bonus(tile, row, last, column, width, space.artists, order, begin, space.bonus)
            _keep_best(
                tile, row, last, column, width, eligible, wanted, tracks[out], similarity[out]
            )
    _sort_rows(tracks, similarity)
    return Neighbours(tracks, similarity)


def _padded(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Copy the vectors and add rows of zeros that fill up the last tile."""
    rows = -(-len(vectors) // COLUMNS) * COLUMNS
    padded = np.zeros((rows, vectors.shape[1]), np.float32)
    padded[: len(vectors)] = vectors
    return padded


def _by_artist(artists: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return tracks ordered by artist, then key, and where each artist begins in that order."""
    known = np.flatnonzero(artists >= 0)
    order = known[np.argsort(artists[known], kind="stable")]
    most = int(artists.max(initial=-1)) + 1
    return order, np.searchsorted(artists[order], np.arange(most + 1))


@numba.njit(cache=True)
def _add_bonus(tile, first, last, column, width, artists, order, begin, bonus):  # type: ignore[no-untyped-def]
    """Add ``bonus`` where row and column have the same artist."""
    for row in range(first, last):
        artist = artists[row]
        if artist < 0:
            continue
        same = order[begin[artist] : begin[artist + 1]]
        for at in range(np.searchsorted(same, column), len(same)):
            if same[at] >= column + width:
                break
            tile[row - first, same[at] - column] += np.float32(bonus)


@numba.njit(cache=True)
def _keep_best(tile, first, last, column, width, eligible, wanted, tracks, similarity):  # type: ignore[no-untyped-def]
    """Push a tile's columns into each row's heap, whose root is the worst of its k best."""
    for row in range(first, last):
        if not wanted[row]:
            continue
        keys = tracks[row - first]
        values = similarity[row - first]
        scores = tile[row - first]
        worst = values[0]
        for chunk in range(0, width, 16):
            end = min(chunk + 16, width)
            hits = 0
            for at in range(chunk, end):
                hits += scores[at] > worst
            if hits == 0:
                continue
            for at in range(chunk, end):
                key = column + at
                if scores[at] > worst and key != row and eligible[key]:
                    values[0] = scores[at]
                    keys[0] = key
                    _sift_down(values, keys, len(keys))
                    worst = values[0]


@numba.njit(cache=True)
def _sift_down(values, keys, size):  # type: ignore[no-untyped-def]
    """Restore the heap below a changed root: lower value, then higher key, is worse."""
    value, key = values[0], keys[0]
    at = 0
    while True:
        child = 2 * at + 1
        if child >= size:
            break
        other = child + 1
        if other < size and (
            values[other] < values[child]
            or (values[other] == values[child] and keys[other] > keys[child])
        ):
            child = other
        if values[child] > value or (values[child] == value and keys[child] <= key):
            break
        values[at], keys[at] = values[child], keys[child]
        at = child
    values[at], keys[at] = value, key


@numba.njit(cache=True)
def _sort_rows(tracks, similarity):  # type: ignore[no-untyped-def]
    """Turn every heap into a list, best first."""
    for row in range(len(tracks)):
        keys, values = tracks[row], similarity[row]
        for end in range(len(keys) - 1, 0, -1):
            values[0], values[end] = values[end], values[0]
            keys[0], keys[end] = keys[end], keys[0]
            _sift_down(values, keys, end)
