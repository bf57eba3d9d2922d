"""The edges of a collaborative model: weights by the chosen model, similarity by cosine."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from tasks.collaborative.edges import Edges
from tasks.collaborative.interactions import Interactions
from tasks.collaborative.kernels.cooccurrence import top_sources
from tasks.collaborative.models.base import CollaborativeModel, CooccurrenceModel
from tasks.collaborative.models.cosine import cosine_scaling
from tasks.collaborative.models.registry import model_named
from tasks.collaborative.parameters import CollaborativeParameters

BLOCK_BYTES = 320 * 2**20
"""What the targets of a block may always take; beyond it, as many bytes as the plays themselves."""


@dataclass(frozen=True)
class FoundEdges:
    """The edges found for some targets."""

    weights: Edges
    """As solved, on the model's own scale."""
    similarity: Edges
    """Cosine in (0, 1]."""


def find_edges(
    interactions: Interactions,
    targets: NDArray[np.int32],
    parameters: CollaborativeParameters,
) -> FoundEdges:
    """Return the weights of ``targets`` by the chosen model and the tracks similar to them.

    The weights are those into the targets, or out of them for a model that keeps each source's
    best targets. What a target gets does not depend on the other targets asked for.
    """
    model, own = _chosen(parameters)
    likeness = cosine_scaling(interactions)
    if isinstance(model, CooccurrenceModel):
        # its candidates and the similarity come from one walk over the plays
        scaling, neighbours = model.scaling(interactions, own), own.neighbours
        factor = model.ranking(scaling, own)
    else:
        scaling, neighbours, factor = likeness, 1, likeness.source
    top = top_sources(
        interactions,
        targets,
        scaling.user,
        factor,
        neighbours,
        likeness.source,
        parameters.similar,
    )
    if isinstance(model, CooccurrenceModel):
        weights = model.edges(interactions, scaling, targets, top, own)
    else:
        weights = model.find(interactions, targets, own)
    scale = likeness.source[top.similar] * likeness.target[targets][:, None]
    return FoundEdges(weights, Edges.of_lists(targets, top.similar, top.together * scale))


def has_second_pass(parameters: CollaborativeParameters) -> bool:
    """Tell whether the weights of all tracks go through `second_pass`."""
    model, own = _chosen(parameters)
    return model.has_second_pass(own)


def second_pass(
    found: sparse.csc_array, targets: NDArray[np.int32], parameters: CollaborativeParameters
) -> Edges:
    """Return the model's final weights into ``targets``, given the first ones of all tracks."""
    model, own = _chosen(parameters)
    return model.second_pass(found, targets, own)


def finished_matrix(
    edges: Edges, listeners: NDArray[np.int64], parameters: CollaborativeParameters
) -> sparse.csr_array:
    """Return the final sources × targets matrix from the edges of all tracks."""
    model, own = _chosen(parameters)
    return model.finished(edges, listeners, own).matrix(len(listeners))


def weight_matrix(
    interactions: Interactions, parameters: CollaborativeParameters
) -> sparse.csr_array:
    """Return all weights, sources × targets, computed here and now in one process."""
    tracks = np.arange(interactions.tracks, dtype=np.int32)
    blocks = np.array_split(tracks, fewest_blocks(interactions, parameters))
    parts = [find_edges(interactions, block, parameters).weights for block in blocks]
    edges = Edges.concatenated(parts)
    if has_second_pass(parameters):
        edges = second_pass(edges.matrix(interactions.tracks).tocsc(), tracks, parameters)
    return finished_matrix(edges, interactions.listeners, parameters)


def fewest_blocks(interactions: Interactions, parameters: CollaborativeParameters) -> int:
    """Return the number of blocks that memory requires, at least one."""
    model, own = _chosen(parameters)
    allowed = max(BLOCK_BYTES, 8 * interactions.plays)
    total = interactions.tracks * model.target_bytes(interactions.tracks, own)
    return max(1, -(-total // allowed))


def target_costs(
    interactions: Interactions, parameters: CollaborativeParameters
) -> NDArray[np.float64]:
    """Estimate what each target costs, in additions."""
    model, own = _chosen(parameters)
    return interactions.pair_costs() + interactions.tracks + model.target_cost(own)


def largest_weight(weights: sparse.csr_array, parameters: CollaborativeParameters) -> float:
    """Return the weight that a table of whole numbers stores as 1."""
    model, _ = _chosen(parameters)
    if model.keeps_scale or weights.nnz == 0:
        return 1.0
    return float(np.abs(weights.data).max())


def _chosen(parameters: CollaborativeParameters) -> tuple[CollaborativeModel[Any], Any]:
    """Return the chosen model and its own parameters."""
    model = model_named(parameters.concrete.model)
    return model, parameters.of(model.parameters)
