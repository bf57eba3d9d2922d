"""Learned neighbourhoods: one small ridge regression per target track.

For each target j the m most similar tracks N (cosine with weighted listener rows) are its
candidates, and their weights solve (G_NN + Λ) b = g_Nj with G = XᵀDX and
Λ_ii = λ + p · G_ii. This is SLIM with feature selection (Ning & Karypis 2011) in the closed form
of EASE (Steck 2019) with the diagonal of EDLAE (Steck 2020), restricted to a neighbourhood.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tasks.neighbours.cooccurrence import EMPTY, top_sources
from tasks.neighbours.edges import Edges
from tasks.neighbours.factors import powers
from tasks.neighbours.gram import GramScratch, gram_block
from tasks.neighbours.interactions import Interactions
from tasks.neighbours.parameters import CollaborativeParameters
from tasks.neighbours.solve import inplace_solve, inplace_solve_non_negative

MEMBERS = 3_000
"""Most tracks of one Gram block, 36 MB of it: a trade of memory for shared work, not of results.
A single target with more neighbours gets a block of its own size."""


def learned_edges(
    interactions: Interactions,
    targets: NDArray[np.int32],
    parameters: CollaborativeParameters,
) -> Edges:
    """Return the solved weights of ``targets``, each track's independent of its company.

    Targets that share candidates should stand near each other (see `order`): that is cheaper.
    """
    user_weight = interactions.row_weights(parameters.user_exponent)
    diagonal = interactions.weighted_listeners(user_weight)
    source_factor = powers(diagonal, -0.5)
    sources, shared = top_sources(
        interactions, user_weight, source_factor, targets, parameters.neighbours
    )
    ridge = (parameters.ridge + parameters.popularity_ridge * diagonal) + diagonal
    scratch = GramScratch(interactions.users)
    member_of = np.full(interactions.tracks, EMPTY, np.int32)
    start = 0
    while start < len(targets):
        stop, members = _next_group(sources, start, MEMBERS, member_of)
        gram = gram_block(interactions, user_weight, members, scratch)
        _solve_group(
            gram,
            ridge,
            member_of,
            sources[start:stop],
            shared[start:stop],
            parameters.non_negative,
        )
        member_of[members] = EMPTY
        start = stop
    return Edges.of_lists(targets, sources, shared)


@njit(nogil=True, cache=True)
def _next_group(sources, start, limit, member_of):  # type: ignore[no-untyped-def]
    """Extend a group of targets while its candidates together stay within ``limit``.

    Returns the end of the group and the ascending candidates, numbered in ``member_of``.
    """
    members = np.empty(limit + sources.shape[1], np.int32)
    count = 0
    stop = start
    while stop < len(sources):
        before = count
        for source in sources[stop]:
            if source >= 0 and member_of[source] < 0:
                member_of[source] = 0
                members[count] = source
                count += 1
        if count > limit and stop > start:
            for at in range(before, count):
                member_of[members[at]] = -1
            count = before
            break
        stop += 1
    ascending = np.sort(members[:count])
    for local in range(count):
        member_of[ascending[local]] = local
    return stop, ascending


@njit(nogil=True, cache=True)
def _solve_group(gram, ridge, member_of, sources, shared, non_negative):  # type: ignore[no-untyped-def]
    """Overwrite the right-hand sides in ``shared`` with the solved weights."""
    most = sources.shape[1]
    for row in range(len(sources)):
        size = 0
        while size < most and sources[row, size] >= 0:
            size += 1
        block = np.empty((size, size))
        for i in range(size):
            source = sources[row, i]
            block[i, i] = ridge[source]
            local = member_of[source]
            for j in range(i + 1, size):
                block[i, j] = gram[local, member_of[sources[row, j]]]
        if non_negative:
            inplace_solve_non_negative(block, shared[row, :size])
        else:
            inplace_solve(block, shared[row, :size])
