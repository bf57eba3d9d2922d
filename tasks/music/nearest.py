"""The artists closest to each one: by listeners in common, and by content.

Both sums are whole numbers, so nothing depends on the order or on the number of threads. Each is
divided by the root of the other artist's size, as in a cosine. A few listeners or tracks are added
to the size, because otherwise the rarest artists would be the closest. Of listeners in common, the
count less its standard deviation is what counts, so one alone, who may be chance, is no evidence.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import sparse

from tasks.kernels.heap import push
from tasks.music.audiences import Audiences
from warehouse.contract.constants import TICKS

NEAREST = 40
"""Closest artists that are kept by each of the two signals."""

MORE_LISTENERS, MORE_TRACKS = 20, 2
"""Added to the size of an artist before its square root divides the sums."""

POPULARITY = 0.001
"""Largest popularity, in listeners in common, that orders artists between whom no evidence does."""

LEAST_EVIDENCE = (2 - 2**0.5) / MORE_LISTENERS**0.5
"""C of two listeners in common with an artist whom hardly anybody else knows: where no artist of a
list has as much, its scores by listeners do not reach 1."""

BLOCK = 256
"""Artists of a block; a thread works on one at a time."""


class NearestArtists(NamedTuple):
    """Lists of artists × places; unused places have key −1, at the end."""

    keys: NDArray[np.int32]
    shared: NDArray[np.int32]
    """Listeners in common."""
    collaborative: NDArray[np.int16]
    """c in ticks, see docs/scoring.md."""
    content: NDArray[np.int16]
    """d in ticks."""


def nearest_artists(
    heard_by: Audiences,
    likeness: sparse.csr_array,
    tracks: NDArray[np.int64],
    gamma: float,
    threads: int,
) -> NearestArtists:
    """Return for every artist its closest ones by either signal, and both scores of each.

    ``likeness`` (artists × artists) has the sums of content edges, ``tracks`` how many tracks each
    artist has; ``gamma`` is γ of the blend.
    """
    listeners = heard_by.listeners
    by_listeners = 1 / np.sqrt(listeners + MORE_LISTENERS)
    by_tracks = 1 / np.sqrt(tracks + MORE_TRACKS)
    popularity = POPULARITY * listeners / max(1, int(listeners.max(initial=0)))

    def found(start: int) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int64]]:
        arrays = _nearest(
            heard_by.artist_starts,
            heard_by.artist_listeners,
            heard_by.listener_starts,
            heard_by.listener_artists,
            likeness.indptr,
            likeness.indices,
            likeness.data,
            by_listeners,
            popularity,
            by_tracks,
            start,
            min(start + BLOCK, len(tracks)),
            NEAREST,
        )
        keys, shared, alike = arrays
        return keys, shared, alike

    with ThreadPoolExecutor(threads) as pool:
        blocks = list(pool.map(found, range(0, len(tracks), BLOCK)))
    width = 2 * NEAREST
    empty = (np.empty((0, width), np.int32),) * 2 + (np.empty((0, width), np.int64),)
    keys, shared, alike = (np.concatenate(parts) for parts in zip(empty, *blocks, strict=True))
    # c(j) = √(C(j) / C⁺) and d(j) = √(D(j) / D⁺); without listeners c(j) = γ · d(j)
    # C(j) = (n − √n) / √(listeners of j + 20) + popularity, of n listeners in common
    evidence = (shared - np.sqrt(shared)) * by_listeners[keys] + popularity[keys]
    c_sums, d_sums = np.where(shared > 0, evidence, 0.0), alike * by_tracks[keys]
    d = np.sqrt(_of_largest(d_sums))
    has_listeners = (listeners[keys] > 0) & (shared.max(axis=1, initial=0) > 0)[:, None]
    c = np.where(has_listeners, np.sqrt(_of_largest(c_sums, LEAST_EVIDENCE)), gamma * d)
    return NearestArtists(keys, shared, _ticks(c), _ticks(d))


def _of_largest(sums: NDArray[np.float64], least: float = 0.0) -> NDArray[np.float64]:
    largest = sums.max(axis=1, initial=least, keepdims=True)
    share: NDArray[np.float64] = np.divide(
        sums, largest, out=np.zeros_like(sums), where=largest > 0
    )
    return share


def _ticks(score: NDArray[np.float64]) -> NDArray[np.int16]:
    return np.floor(score * TICKS + 0.5).astype(np.int16)


@njit(nogil=True, cache=True)
def _nearest(  # type: ignore[no-untyped-def]  # numba finds the types
    artist_starts, artist_listeners, listener_starts, listener_artists,
    indptr, indices, likeness, by_listeners, popularity, by_tracks, first, last, top,
):  # fmt: skip
    artists = len(by_listeners)
    shared, alike = np.zeros(artists, np.int32), np.zeros(artists, np.int64)
    score, key = np.empty(top), np.empty(top, np.int32)
    d_score, d_key = np.empty(top), np.empty(top, np.int32)
    listed = np.zeros(artists, np.bool_)
    keys = np.full((last - first, 2 * top), -1, np.int32)
    shared_of = np.zeros(keys.shape, np.int32)
    alike_of = np.zeros(keys.shape, np.int64)
    for artist in range(first, last):
        # by index: a slice for each listener would cost as much as its artists
        for x in range(artist_starts[artist], artist_starts[artist + 1]):
            listener = artist_listeners[x]
            for y in range(listener_starts[listener], listener_starts[listener + 1]):
                shared[listener_artists[y]] += 1
        shared[artist] = 0
        kept = d_kept = 0
        for other in range(artists):
            n = shared[other]
            if n:
                evidence = (n - np.sqrt(n)) * by_listeners[other] + popularity[other]
                kept = push(score, key, kept, evidence, other)
        for x in range(indptr[artist], indptr[artist + 1]):
            other = indices[x]
            alike[other] = likeness[x]
            d_kept = push(d_score, d_key, d_kept, likeness[x] * by_tracks[other], other)
        row, rows = artist - first, 0
        for x in range(kept + d_kept):
            other = key[x] if x < kept else d_key[x - kept]
            if not listed[other]:
                listed[other] = True
                keys[row, rows], shared_of[row, rows], alike_of[row, rows] = (
                    other, shared[other], alike[other],
                )  # fmt: skip
                rows += 1
        for x in range(rows):
            listed[keys[row, x]] = False
        shared[:] = 0
        for x in range(indptr[artist], indptr[artist + 1]):
            alike[indices[x]] = 0
    return keys, shared_of, alike_of
