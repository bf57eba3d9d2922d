"""What a neighbour says that others do not: similarities to weights for sums over a history.

A history of ten near copies should not speak ten times. For target j with neighbours N,

    b = (K_NN + λ I)⁻¹ k_Nj,    weight_ij = (1 + λ) b_i,  cut to [0, 1]

with K the similarities: kernel ridge regression with the history as data (Saunders et al. 1998),
and the neighbourhood form of SLIM with content in the place of co-occurrence. A neighbour like no
other keeps its similarity; one in a crowd shares it. λ → ∞ discounts nothing.
"""

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
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    ends = np.append(starts, len(group))[1:]
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


def _solve(
    vectors: NDArray[np.float32],
    artists: NDArray[np.int32],
    bonus: float,
    similarity: NDArray[np.float64],
    ridge: float,
) -> NDArray[np.float64]:
    """Return (1 + λ) (K + λ I)⁻¹ k for one group of neighbours."""
    kernel = (vectors @ vectors.T).astype(np.float64)
    if bonus > 0:
        same = (artists[:, None] == artists) & (artists >= 0)
        kernel = (1.0 - bonus) * kernel + bonus * same
    np.fill_diagonal(kernel, 1.0 + ridge)
    return np.asarray(np.linalg.solve(kernel, similarity * (1.0 + ridge)))
