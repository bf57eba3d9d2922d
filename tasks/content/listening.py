"""Where tracks lie by who plays them: a low-rank space of listening, the target to learn from."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from tasks.content.embedding import fix_signs

USER_EXPONENT = 0.25
"""A listener of n tracks counts n^-0.25 per play: who plays everything says little."""

SAMPLE_PLAYS = 1_500_000
"""Plays to find the directions from; all plays are then placed along them."""


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
    scaled, lengths = _scaled(plays[:, played])
    with threadpool_limits(limits=1):
        svd = TruncatedSVD(rank, n_iter=4, random_state=seed).fit(_sample(scaled, seed))
        directions = fix_signs(np.ascontiguousarray(svd.components_.T))
        tastes = scaled @ directions
        strength = np.linalg.norm(tastes, axis=0)  # the singular values
        placed = scaled.T @ (tastes / np.maximum(strength, 1e-12))
    placed[lengths == 0] = 0.0
    positions = np.zeros((plays.shape[1], rank))
    weight = listeners[played] / (listeners[played] + TRUSTED)
    positions[played] = placed - (weight @ placed) / weight.sum()
    return Listening(positions, listeners)


def _scaled(plays: sparse.csr_array) -> tuple[sparse.csr_array, NDArray[np.float64]]:
    """Weigh listeners by their history's length and scale columns to length 1."""
    history = np.diff(plays.indptr)
    rows = np.repeat(np.maximum(history, 1.0) ** -USER_EXPONENT, history)
    lengths = np.sqrt(np.bincount(plays.indices, rows**2, minlength=plays.shape[1]))
    values = rows / np.maximum(lengths, 1e-12)[plays.indices]
    return sparse.csr_array((values, plays.indices, plays.indptr), shape=plays.shape), lengths


def _sample(scaled: sparse.csr_array, seed: int) -> sparse.csr_array:
    """Keep random whole listeners with about `SAMPLE_PLAYS` plays between them."""
    if scaled.nnz <= SAMPLE_PLAYS:
        return scaled
    order = np.random.default_rng(seed).permutation(scaled.shape[0])
    plays = np.cumsum(np.diff(scaled.indptr)[order])
    return scaled[np.sort(order[: np.searchsorted(plays, SAMPLE_PLAYS)])]
