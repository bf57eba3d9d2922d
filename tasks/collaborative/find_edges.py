"""The collaborative models by name, and how many targets each takes at a time."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from tasks.collaborative.edges import Edges
from tasks.collaborative.interactions import Interactions
from tasks.collaborative.kernels.cooccurrence import top_sources
from tasks.collaborative.kernels.gram import triangle_bytes
from tasks.collaborative.kernels.second_order import two_step_edges
from tasks.collaborative.models.asymmetric_cosine import asymmetric_cosine
from tasks.collaborative.models.bm25 import bm25
from tasks.collaborative.models.cosine import cosine
from tasks.collaborative.models.learned import candidate_scaling, learned_weights
from tasks.collaborative.models.rp3beta import rp3beta
from tasks.collaborative.models.scaling import CosineScaling
from tasks.collaborative.parameters import CollaborativeParameters
from tasks.collaborative.popularity import tempered

BLOCK_BYTES = 320 * 2**20
"""Gram entries that a block may hold anyway; beyond it, as many bytes as the plays themselves."""


@dataclass(frozen=True)
class Neighbours:
    """What a model finds for some targets."""

    weights: Edges
    """As solved, on the model's own scale."""
    similarity: Edges
    """Cosine in (0, 1]."""


def find_neighbours(
    interactions: Interactions,
    targets: NDArray[np.int32],
    parameters: CollaborativeParameters,
) -> Neighbours:
    """Return the weights into ``targets`` by the chosen model and the tracks similar to them.

    What a target gets does not depend on the other targets asked for.
    """
    factors, likeness = model_scaling(interactions, parameters), cosine(interactions)
    top = top_sources(
        interactions,
        targets,
        factors.user,
        factors.source,
        parameters.neighbours,
        likeness.source,
        parameters.similar,
    )
    if parameters.model == "learned":
        weights = learned_weights(interactions, factors, top.sources, top.shared, parameters)
    else:
        scale = factors.source[top.sources] * factors.target[targets][:, None]
        weights = (top.shared * factors.user.unit) * scale
    scale = likeness.source[top.similar] * likeness.target[targets][:, None]
    return Neighbours(
        Edges.of_lists(targets, top.sources, weights),
        Edges.of_lists(targets, top.similar, top.together * scale),
    )


def model_scaling(interactions: Interactions, parameters: CollaborativeParameters) -> CosineScaling:
    """Return the formula of a model, or of its candidates."""
    if parameters.model == "learned":
        return candidate_scaling(interactions, parameters)
    if parameters.model == "asymmetric_cosine":
        return asymmetric_cosine(interactions, parameters.asymmetry)
    if parameters.model == "rp3beta":
        return rp3beta(interactions, parameters.walk_exponent, parameters.walk_popularity)
    if parameters.model == "bm25":
        return bm25(interactions, parameters.saturation, parameters.length_share)
    return cosine(interactions)


def has_second_step(parameters: CollaborativeParameters) -> bool:
    """Tell whether the weights of all tracks go through `second_step`."""
    return parameters.model == "learned" and parameters.two_step > 0


def second_step(
    solved: sparse.csc_array, targets: NDArray[np.int32], parameters: CollaborativeParameters
) -> Edges:
    """Return the weights into ``targets`` after two steps, given those of all tracks."""
    share, top = parameters.two_step, parameters.two_step_neighbours
    return two_step_edges(solved, targets, share, top)


def finished_matrix(
    edges: Edges, listeners: NDArray[np.int64], parameters: CollaborativeParameters
) -> sparse.csr_array:
    """Return the final sources × targets matrix from the edges of all tracks."""
    if parameters.model == "learned":
        edges = tempered(edges, listeners, parameters.target_exponent, parameters.source_exponent)
    return edges.matrix(len(listeners))


def neighbour_matrix(
    interactions: Interactions, parameters: CollaborativeParameters
) -> sparse.csr_array:
    """Return all weights, sources × targets, computed here and now in one process."""
    tracks = np.arange(interactions.tracks, dtype=np.int32)
    blocks = np.array_split(tracks, fewest_blocks(interactions, parameters))
    parts = [find_neighbours(interactions, block, parameters).weights for block in blocks]
    edges = Edges.concatenated(parts)
    if has_second_step(parameters):
        edges = second_step(edges.matrix(interactions.tracks).tocsc(), tracks, parameters)
    return finished_matrix(edges, interactions.listeners, parameters)


def fewest_blocks(interactions: Interactions, parameters: CollaborativeParameters) -> int:
    """Return into how many blocks memory wants the targets cut, at least one."""
    if parameters.model != "learned":
        return 1
    allowed = max(BLOCK_BYTES, 8 * interactions.plays)
    total = interactions.tracks * triangle_bytes(min(parameters.neighbours, interactions.tracks))
    return max(1, -(-total // allowed))


def target_costs(
    interactions: Interactions, parameters: CollaborativeParameters
) -> NDArray[np.float64]:
    """Estimate what each target costs, in additions."""
    m = parameters.neighbours
    solving = m**3 / 6 + m**2 if parameters.model == "learned" else 0
    return interactions.pair_costs() + interactions.tracks + solving


def largest_weight(weights: sparse.csr_array, parameters: CollaborativeParameters) -> float:
    """Return what a table of whole numbers takes as 1: cosine keeps its scale, others have none."""
    if parameters.model == "cosine" or weights.nnz == 0:
        return 1.0
    return float(np.abs(weights.data).max())
