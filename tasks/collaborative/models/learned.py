"""Learned neighbourhoods: one small ridge regression per target track.

For each target j the m most similar tracks N (cosine with weighted listener rows) are its
candidates, and their weights solve (G_NN + Λ) b = g_Nj with G = XᵀDX and
Λ_ii = λ + p · G_ii. This is SLIM with feature selection (Ning & Karypis 2011) in the closed form
of EASE (Steck 2019) with the diagonal of EDLAE (Steck 2020), restricted to a neighbourhood.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tasks.collaborative.interactions import Interactions
from tasks.collaborative.kernels.gram import gram_triangles
from tasks.collaborative.kernels.solve import inplace_solve, inplace_solve_non_negative
from tasks.collaborative.models.scaling import CosineScaling, powers
from tasks.collaborative.parameters import CollaborativeParameters


def candidate_scaling(
    interactions: Interactions, parameters: CollaborativeParameters
) -> CosineScaling:
    """Return the factors of the cosine that picks the candidates: G_ij / √(G_ii · G_jj)."""
    user = interactions.weights_by_length(parameters.user_exponent)
    root = powers(interactions.column_sums(user.whole), -0.5)
    return CosineScaling(user, root, root)


def learned_weights(
    interactions: Interactions,
    factors: CosineScaling,
    sources: NDArray[np.int32],
    shared: NDArray[np.int32],
    parameters: CollaborativeParameters,
) -> NDArray[np.float64]:
    """Return the weights of ``sources`` (targets × m) that solve for their targets.

    ``shared`` holds g_Nj in whole units. The Gram entries of all these targets are in memory at
    once, `triangle_bytes` each.
    """
    user = factors.user
    diagonal = interactions.column_sums(user.whole) * user.unit
    ridge = parameters.ridge + (1.0 + parameters.popularity_ridge) * diagonal
    triangles = gram_triangles(interactions, user, sources)
    weights = shared.astype(np.float64) * user.unit
    _inplace_solve_all(triangles, user.unit, ridge, sources, weights, parameters.non_negative)
    return weights


@njit(nogil=True, cache=True)
def _inplace_solve_all(triangles, unit, ridge, sources, weights, non_negative):  # type: ignore[no-untyped-def]  # numba finds the types
    """Overwrite the right-hand sides in ``weights`` with the solutions."""
    most = sources.shape[1]
    for row in range(len(sources)):
        size = 0
        while size < most and sources[row, size] >= 0:
            size += 1
        gram = np.empty((size, size))
        for i in range(size):
            gram[i, i] = ridge[sources[row, i]]
            first = i * (2 * most - i - 1) // 2 - i - 1
            for j in range(i + 1, size):
                gram[i, j] = triangles[row, first + j] * unit
        if non_negative:
            inplace_solve_non_negative(gram, weights[row, :size])
        else:
            inplace_solve(gram, weights[row, :size])
