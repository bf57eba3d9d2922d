"""Where tracks lie by who plays them: a low-rank space of listening, the target to learn from."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # has no types

from tasks.content.embedding import fix_signs

USER_EXPONENT = 0.25
"""A listener of n tracks counts n^-0.25 per play: who plays everything says little."""

SAMPLE_PLAYS = 1_500_000
"""Plays to find the directions from; all plays are then placed along them."""

CHUNK_PLAYS = 2_000_000
"""Plays that are placed at a time, so that memory does not grow with the listeners."""


@dataclass(frozen=True)
class Listening:
    """Positions of n tracks in the space of listening, and how many listeners say so."""

    positions: NDArray[np.float64]
    """(n, rank), the mean of all listened tracks at the origin; zero for unplayed tracks."""
    listeners: NDArray[np.int64]
    """(n,) listeners counted."""

    @property
    def confidence(self) -> NDArray[np.float64]:
        """How far a position can be trusted: 0 without listeners, ½ with `TRUSTED` of them."""
        return np.asarray(self.listeners / (self.listeners + TRUSTED))


TRUSTED = 5.0
"""Listeners at which a track's position is half trusted."""

LOWEST_RANK = 4


def listening_positions(plays: sparse.csr_array, rank: int, seed: int) -> Listening | None:
    """Place tracks by a truncated SVD of ``plays`` (listeners × tracks, presence only).

    Columns are scaled to length 1 first, so that products of positions approximate the cosine of
    two tracks' listeners. With few tracks or listeners the rank is lower, and None comes back
    when there is too little to learn from.
    """
    listeners = np.bincount(plays.indices, minlength=plays.shape[1]).astype(np.int64)
    played = np.flatnonzero(listeners)
    heard_by = int(np.count_nonzero(np.diff(plays.indptr)))
    rank = min(rank, len(played) // 4, heard_by // 4)
    if rank < LOWEST_RANK:
        return None
    lengths = _column_lengths(plays)
    with threadpool_limits(limits=1):
        sample = _scaled(_sample(plays, seed), lengths)[:, played]
        svd = TruncatedSVD(rank, n_iter=4, random_state=seed).fit(sample)
        directions = np.zeros((plays.shape[1], rank))
        directions[played] = fix_signs(np.ascontiguousarray(svd.components_.T))
        placed = np.zeros((plays.shape[1], rank))
        squares = np.zeros(rank)
        for part in _chunks(plays):
            scaled = _scaled(part, lengths)
            tastes = scaled @ directions
            placed += scaled.T @ tastes
            squares += (tastes**2).sum(axis=0)
    placed /= np.maximum(np.sqrt(squares), 1e-12)  # the singular values
    weight = listeners / (listeners + TRUSTED)
    placed[played] -= (weight @ placed) / weight.sum()
    return Listening(placed, listeners)


def _chunks(plays: sparse.csr_array) -> Iterator[sparse.csr_array]:
    """Cut into runs of whole listeners."""
    starts = np.searchsorted(plays.indptr, np.arange(0, plays.nnz, CHUNK_PLAYS))
    bounds = np.unique(np.append(starts, plays.shape[0]))
    for start, stop in pairwise(bounds):
        yield plays[start:stop]


def _weights(plays: sparse.csr_array) -> NDArray[np.float64]:
    """Return what each play counts by its listener's history, whose rows must be whole."""
    history = np.diff(plays.indptr)
    return np.repeat(np.maximum(history, 1.0) ** -USER_EXPONENT, history)


def _column_lengths(plays: sparse.csr_array) -> NDArray[np.float64]:
    squares = np.zeros(plays.shape[1])
    for part in _chunks(plays):
        squares += np.bincount(part.indices, _weights(part) ** 2, minlength=len(squares))
    return np.sqrt(squares)


def _scaled(plays: sparse.csr_array, lengths: NDArray[np.float64]) -> sparse.csr_array:
    """Weigh whole histories by their length and scale columns to length 1."""
    values = _weights(plays) / np.maximum(lengths, 1e-12)[plays.indices]
    return sparse.csr_array((values, plays.indices, plays.indptr), shape=plays.shape)


def _sample(plays: sparse.csr_array, seed: int) -> sparse.csr_array:
    """Keep random whole listeners with about `SAMPLE_PLAYS` plays between them."""
    if plays.nnz <= SAMPLE_PLAYS:
        return plays
    order = np.random.default_rng(seed).permutation(plays.shape[0])
    counts = np.cumsum(np.diff(plays.indptr)[order])
    return plays[np.sort(order[: np.searchsorted(counts, SAMPLE_PLAYS)])]
