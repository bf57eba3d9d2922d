"""Ranking metrics, one value per listener: means, intervals and segments are the caller's.

``ranked`` is listeners × positions: track keys, best first, no repeats, negative where a list is
shorter. ``targets`` is listeners × tracks: the stored entries of a row are the tracks to be found.
A listener without targets has no value: NaN.
"""

import numba as nb
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Values = NDArray[np.float64]


def hits(ranked: NDArray[np.integer], targets: sparse.csr_array) -> NDArray[np.bool_]:
    """Tell for every position whether the track there is one of the listener's targets."""
    found = np.zeros(ranked.shape, dtype=np.bool_)
    indptr, indices = targets.indptr.astype(np.int64), targets.indices.astype(np.int32)
    _mark_hits(np.ascontiguousarray(ranked), indptr, indices, targets.shape[1], found)
    return found


def recall_at_k(ranked: NDArray[np.integer], targets: sparse.csr_array, k: int) -> Values:
    """Return hits among the first k / min(k, targets), as Liang et al. 2018."""
    return recall(hits(ranked[:, :k], targets), sizes(targets), k)


def ndcg_at_k(ranked: NDArray[np.integer], targets: sparse.csr_array, k: int) -> Values:
    """Return DCG of the first k / that of min(k, targets) hits in front; gain 1 / log2(rank+1)."""
    return ndcg(hits(ranked[:, :k], targets), sizes(targets), k)


def sizes(targets: sparse.csr_array) -> NDArray[np.int64]:
    """Return how many targets every listener has."""
    return np.diff(targets.indptr).astype(np.int64)


# The metrics from hits (listeners × positions) and numbers of targets, so that lists are looked
# through once for all of them.


def recall(found: NDArray[np.bool_], targets: NDArray[np.int64], k: int) -> Values:
    """Return `recall_at_k`."""
    return _ratio(found[:, :k].sum(axis=1), np.minimum(targets, k))


def ndcg(found: NDArray[np.bool_], targets: NDArray[np.int64], k: int) -> Values:
    """Return `ndcg_at_k`."""
    discount = 1.0 / np.log2(np.arange(2, k + 2))
    first = found[:, :k]
    gained = (first * discount[: first.shape[1]]).sum(axis=1)  # row by row, as no BLAS promises
    ideal = np.concatenate([[0.0], np.cumsum(discount)])
    return _ratio(gained, ideal[np.minimum(targets, k)])


def average_precision(found: NDArray[np.bool_], targets: NDArray[np.int64], k: int) -> Values:
    """Return the sum of the precisions at the hits among the first k / min(k, targets)."""
    first = found[:, :k]
    precision = np.cumsum(first, axis=1) / np.arange(1, first.shape[1] + 1)
    return _ratio((precision * first).sum(axis=1), np.minimum(targets, k))


def hit_rate(found: NDArray[np.bool_], targets: NDArray[np.int64], k: int) -> Values:
    """Return 1 where any target is among the first k, else 0."""
    return _ratio(np.asarray(found[:, :k].any(axis=1)), np.minimum(targets, 1))


def _ratio(part: NDArray[np.generic], whole: NDArray[np.generic]) -> Values:
    value = np.full(len(part), np.nan)
    np.divide(part, whole, out=value, where=np.asarray(whole) > 0)
    return value


@nb.njit(cache=True, nogil=True)
def _mark_hits(
    ranked: NDArray[np.integer],
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    tracks: int,
    found: NDArray[np.bool_],
) -> None:
    wanted = np.zeros(tracks, np.bool_)
    for u in range(len(ranked)):
        for j in indices[indptr[u] : indptr[u + 1]]:
            wanted[j] = True
        for r in range(ranked.shape[1]):
            j = ranked[u, r]
            found[u, r] = j >= 0 and wanted[j]
        for j in indices[indptr[u] : indptr[u + 1]]:
            wanted[j] = False
