"""Metrics beyond accuracy: what the lists show, to whom, and how much of the catalogue is used.

``ranked`` as in `tasks.evaluation.metrics`. Functions that return one value per listener give NaN
for an empty list; `coverage` and `gini` are one number for all lists together.
"""

import numba as nb
import numpy as np
from numpy.typing import NDArray

from tasks.evaluation.metrics import Values


def mean_along_lists(ranked: NDArray[np.integer], of_track: Values) -> Values:
    """Return the mean over each list of a value that every track has."""
    listed = ranked >= 0
    total = np.where(listed, of_track[ranked], 0.0).sum(axis=1)
    count = listed.sum(axis=1)
    mean = np.full(len(ranked), np.nan)
    np.divide(total, count, out=mean, where=count > 0)
    return mean


def self_information(listeners: NDArray[np.integer], users: int) -> Values:
    """Return -log2 of each track's share of listeners, in bits (novelty, Zhou et al. 2010).

    One listener more than counted, so that an unplayed track has a value.
    """
    return np.asarray(-np.log2((listeners + 1.0) / (users + 1.0)))


def artist_diversity(ranked: NDArray[np.integer], artist_key: NDArray[np.integer]) -> Values:
    """Return the share of pairs in each list that are by different artists (-1: by nobody else)."""
    artist = np.where(ranked >= 0, artist_key[ranked], -1)
    ordered = np.sort(artist, axis=1)
    count = (ranked >= 0).sum(axis=1)
    same = np.zeros(len(ranked))
    for step in range(1, ranked.shape[1]):  # equal values stand together, so pairs are runs
        same += ((ordered[:, step:] == ordered[:, :-step]) & (ordered[:, step:] >= 0)).sum(axis=1)
    pairs = count * (count - 1) / 2
    value = np.full(len(ranked), np.nan)
    np.divide(pairs - same, pairs, out=value, where=pairs > 0)
    return value


def tag_diversity(
    ranked: NDArray[np.integer], indptr: NDArray[np.int64], tags: NDArray[np.int32]
) -> Values:
    """Return the mean Jaccard distance of the tags of all pairs in each list.

    Track j has the tag numbers ``tags[indptr[j]:indptr[j + 1]]``, ascending; pairs with an
    untagged track are left out (intra-list diversity, Ziegler et al. 2005).
    """
    value = np.full(len(ranked), np.nan)
    _tag_distances(np.ascontiguousarray(ranked), indptr, tags, value)
    return value


def exposures(ranked: NDArray[np.integer], tracks: int) -> NDArray[np.int64]:
    """Return how many lists show each track."""
    return np.bincount(ranked[ranked >= 0], minlength=tracks)


def coverage(shown: NDArray[np.integer]) -> float:
    """Return the share of the catalogue that at least one list shows."""
    return float((shown > 0).mean()) if len(shown) else 0.0


def gini(shown: NDArray[np.integer]) -> float:
    """Return the Gini index of the exposures: 0 all tracks alike, towards 1 few take everything."""
    n, total = len(shown), int(shown.sum())
    if total == 0:
        return 0.0
    # G = (2 Σ i·x_i) / (n Σ x) - (n + 1) / n over ascending x, i from 1
    ranked = np.sort(shown.astype(np.int64)) @ np.arange(1, n + 1, dtype=np.int64)
    return float(2 * int(ranked) / (n * total) - (n + 1) / n)


@nb.njit(cache=True, nogil=True)
def _tag_distances(
    ranked: NDArray[np.int32],
    indptr: NDArray[np.int64],
    tags: NDArray[np.int32],
    value: NDArray[np.float64],
) -> None:
    for u in range(len(ranked)):
        total, pairs = 0.0, 0
        for r in range(ranked.shape[1]):
            a = ranked[u, r]
            if a < 0 or indptr[a] == indptr[a + 1]:
                continue
            for s in range(r):
                b = ranked[u, s]
                if b < 0 or indptr[b] == indptr[b + 1]:
                    continue
                x, y, both = indptr[a], indptr[b], 0
                while x < indptr[a + 1] and y < indptr[b + 1]:
                    if tags[x] == tags[y]:
                        both += 1
                        x += 1
                        y += 1
                    elif tags[x] < tags[y]:
                        x += 1
                    else:
                        y += 1
                union = indptr[a + 1] - indptr[a] + indptr[b + 1] - indptr[b] - both
                total += 1.0 - both / union
                pairs += 1
        if pairs > 0:
            value[u] = total / pairs
