"""Weights of several settings of the learned model into some targets, sharing what they share.

Candidates and Gram entries depend on the number of neighbours and on the weight of the rows alone,
so settings that differ in anything else are solved from the same ones; and settings that differ in
what a weight is multiplied by afterwards share the solution.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from tasks.collaborative.edges import Edges
from tasks.collaborative.find_edges import BLOCK_BYTES
from tasks.collaborative.interactions import Interactions
from tasks.collaborative.kernels.cooccurrence import top_sources
from tasks.collaborative.kernels.gram import gram_triangles
from tasks.collaborative.models.learned import Learned, LearnedParameters
from tasks.collaborative.parameters import CollaborativeParameters


def gathered_by(setting: CollaborativeParameters) -> tuple[int, float]:
    """Return what candidates and Gram entries depend on."""
    return setting.neighbours, setting.user_exponent


def solved_by(setting: CollaborativeParameters) -> tuple[int, float, float, float, float, bool]:
    """Return what the solution depends on."""
    return (
        *gathered_by(setting), setting.ridge, setting.popularity_ridge, setting.marginal_share,
        setting.non_negative,
    )  # fmt: skip


def candidate_counts(
    interactions: Interactions, targets: NDArray[np.int32], most: int
) -> NDArray[np.int64]:
    """Return how many sources share listeners with each target, up to ``most``."""
    scaling = Learned().scaling(interactions, LearnedParameters())
    top = top_sources(interactions, targets, scaling.user, scaling.source, most, scaling.source, 1)
    return np.asarray((top.sources >= 0).sum(axis=1))


def weight_matrices(
    interactions: Interactions,
    targets: NDArray[np.int32],
    settings: Sequence[CollaborativeParameters],
) -> Iterator[sparse.csr_array]:
    """Yield the weights into ``targets`` (sources × tracks) of each setting, in their order.

    All settings must be `gathered_by` the same. With a second step, ``targets`` must be all tracks.
    """
    model = Learned()
    owns = [setting.of(LearnedParameters) for setting in settings]
    distinct = {solved_by(setting): own for setting, own in zip(settings, owns, strict=True)}
    parts: dict[object, list[Edges]] = {key: [] for key in distinct}
    scaling = model.scaling(interactions, owns[0])
    bytes_of_all = len(targets) * model.target_bytes(interactions.tracks, owns[0])
    blocks = max(1, -(-bytes_of_all // max(BLOCK_BYTES, 8 * interactions.plays)))
    for block in np.array_split(targets, blocks):
        top = top_sources(
            interactions, block, scaling.user, scaling.source, owns[0].neighbours, scaling.source, 1
        )
        triangles = gram_triangles(interactions, scaling.user, top.sources)
        for key, own in distinct.items():
            weights = model.solved(interactions, scaling, top, triangles, own)
            parts[key].append(Edges.of_lists(block, top.sources, weights))
    for setting, own in zip(settings, owns, strict=True):
        edges = Edges.concatenated(parts[solved_by(setting)])
        if model.has_second_pass(own):
            found = edges.matrix(interactions.tracks).tocsc()
            edges = model.second_pass(found, targets, own)
        edges = model.finished(edges, interactions.listeners, own)
        yield edges.matrix(interactions.tracks)
