"""What a neighbour says that others do not: similarities to weights for sums over a history.

A history of ten near copies should not speak ten times. For target j with neighbours N,

    b = (K_NN + λ I)⁻¹ k_Nj,    weight_ij = (1 + λ) b_i,  cut to [0, 1]

with K the similarities: kernel ridge regression with the history as data (Saunders et al. 1998),
and the neighbourhood form of SLIM with content in the place of co-occurrence. A neighbour like no
other keeps its similarity; one in a crowd shares it. λ → ∞ discounts nothing.
"""

import numba
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.content.search import Space
from tasks.schemas import EDGES, WEIGHT_SCALE


def discounted(
    edges: pa.Table, space: Space, played: NDArray[np.bool_], ridge: float, most: int
) -> pa.Table:
    """Return what each source weighs for each target, from the targets' neighbour lists.

    ``edges`` lists the neighbours (column target) of some tracks (column source), sorted; in the
    result these tracks are the targets. Played neighbours are solved among themselves, as a
    history holds them; unplayed ones likewise. Unplayed tracks are compared with where played
    ones are listened to. Of more than ``most`` neighbours the most similar count.
    """
    owners = edges["source"].to_numpy()
    listed = edges["target"].to_numpy()
    similarity = edges["weight"].to_numpy()
    by_content, as_observed = space.vectors, space.targets(observed=True)
    weights = np.zeros(len(owners), np.float64)
    side = played[listed]
    # Rows of one owner and one kind of neighbour together, the most similar first.
    order = np.lexsort((listed, -similarity.astype(np.int64), side, owners))
    group = owners[order].astype(np.int64) * 2 + side[order]
    starts = np.flatnonzero(np.append(True, group[1:] != group[:-1])) if len(group) else group
    ends = np.append(starts[1:], len(group))
    for start, end in zip(starts, ends, strict=True):
        rows = order[start : min(end, start + most)]
        cold_on_played = side[rows[0]] and not played[owners[rows[0]]]
        vectors = as_observed if cold_on_played else by_content
        near = listed[rows]
        weights[rows] = _solve(
            vectors[near],
            space.artists[near],
            space.bonus,
            similarity[rows] / WEIGHT_SCALE,
            ridge,
        )
    whole = np.rint(np.clip(weights, 0.0, 1.0) * WEIGHT_SCALE).astype(np.int16)
    kept = whole > 0
    return pa.table([listed[kept], owners[kept], whole[kept]], schema=EDGES)


@numba.njit(cache=True)
def _solve(vectors, artists, bonus, similarity, ridge):  # type: ignore[no-untyped-def]
    """Return (1 + λ) (K + λ I)⁻¹ k for one group of neighbours."""
    size = len(similarity)
    kernel = (vectors @ vectors.T).astype(np.float64) * (1.0 - bonus)
    for i in range(size):
        for j in range(size):
            if artists[i] >= 0 and artists[i] == artists[j]:
                kernel[i, j] += bonus
        kernel[i, i] = 1.0 + ridge
    return np.linalg.solve(kernel, similarity * (1.0 + ridge))
