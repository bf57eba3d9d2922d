"""Strong generalisation: whole listeners held out, part of each one's tracks to be found.

80 % of a held-out listener's tracks are shown to a model that has seen nothing of them, and the
rest is to be found (Liang et al. 2018).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from tasks.evaluation.metrics import Values, ndcg_at_k, recall_at_k

METRICS = ("recall@20", "ndcg@100")

LIGHTEST = 5
"""Fewest tracks of a listener to measure on: with four shown, one is hidden."""

ROWS = 256
"""Listeners ranked at a time: their scores of all tracks are dense."""


@dataclass(frozen=True)
class FoldIn:
    """Training rows, and what held-out listeners show and hide."""

    training: sparse.csr_array
    shown: sparse.csr_array
    hidden: sparse.csr_array


def split_listeners(
    matrix: sparse.csr_array, listeners: NDArray[np.integer], fold_in: float, seed: int
) -> FoldIn:
    """Leave ``listeners`` out of training and hide 1 - ``fold_in`` of their tracks (at least 1)."""
    rng = np.random.default_rng(seed)
    training = np.setdiff1d(np.arange(matrix.shape[0]), listeners)
    row, track = matrix[listeners].tocoo().coords
    order = np.lexsort((rng.random(len(row)), row))
    row, track = row[order], track[order]
    played = np.bincount(row, minlength=len(listeners))
    place = np.arange(len(row)) - (np.cumsum(played) - played)[row]
    hide = place < np.maximum(1, np.rint((1 - fold_in) * played))[row]

    def part(of: NDArray[np.bool_]) -> sparse.csr_array:
        shape = (len(listeners), matrix.shape[1])
        return sparse.csr_array((np.ones(of.sum()), (row[of], track[of])), shape=shape)

    return FoldIn(matrix[training], part(~hide), part(hide))


def rank_unheard(scores: NDArray[np.float64], shown: sparse.csr_array, k: int) -> NDArray[np.int64]:
    """Return each row's ``k`` best tracks that were not shown, ties by key; overwrites scores."""
    scores[shown.nonzero()] = -np.inf
    return np.argsort(-scores, axis=1, kind="stable")[:, :k]


def measure(weights: sparse.csr_array | NDArray[np.float64], fold: FoldIn) -> dict[str, Values]:
    """Return every held-out listener's `METRICS` under a sources × targets matrix."""
    parts = []
    for start in range(0, fold.shown.shape[0], ROWS):
        shown = fold.shown[start : start + ROWS]
        scores = shown @ weights
        dense = np.asarray(scores.toarray() if sparse.issparse(scores) else scores)
        parts.append(rank_unheard(dense, shown, 100))
    ranked = np.concatenate(parts)
    values = (recall_at_k(ranked, fold.hidden, 20), ndcg_at_k(ranked, fold.hidden, 100))
    return dict(zip(METRICS, values, strict=True))
