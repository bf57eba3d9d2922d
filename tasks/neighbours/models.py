"""The collaborative models by name: each turns interactions into the edges of some targets."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from tasks.neighbours.asymmetric_cosine import asymmetric_cosine
from tasks.neighbours.bm25 import bm25
from tasks.neighbours.cosine import cosine
from tasks.neighbours.edges import Edges
from tasks.neighbours.factors import Factors, factor_edges
from tasks.neighbours.interactions import Interactions
from tasks.neighbours.learned import learned_edges
from tasks.neighbours.parameters import CollaborativeParameters
from tasks.neighbours.popularity import tempered
from tasks.neighbours.rp3beta import rp3beta
from tasks.neighbours.two_step import two_step_edges


def neighbour_matrix(
    interactions: Interactions, parameters: CollaborativeParameters
) -> sparse.csr_array:
    """Return all weights, sources × targets, computed here and now in one process."""
    tracks = np.arange(interactions.tracks, dtype=np.int32)
    edges = weight_edges(interactions, tracks, parameters)
    if has_second_step(parameters):
        solved = edges.matrix(interactions.tracks).tocsc()
        edges = further_edges(solved, tracks, parameters)
    return finished_matrix(edges, interactions.listeners, parameters)


def weight_edges(
    interactions: Interactions,
    targets: NDArray[np.int32],
    parameters: CollaborativeParameters,
) -> Edges:
    """Return the weights into ``targets`` by the chosen model, each target's by itself."""
    if parameters.model == "learned":
        return learned_edges(interactions, targets, parameters)
    factors = _factors(interactions, parameters)
    return factor_edges(interactions, factors, targets, parameters.neighbours)


def has_second_step(parameters: CollaborativeParameters) -> bool:
    """Tell whether the weights of all tracks go through `further_edges`."""
    return parameters.model == "learned" and parameters.two_step > 0


def further_edges(
    solved: sparse.csc_array,
    targets: NDArray[np.int32],
    parameters: CollaborativeParameters,
) -> Edges:
    """Add the second step to the weights into ``targets``, given those of all tracks."""
    share, top = parameters.two_step, parameters.two_step_neighbours
    return two_step_edges(solved, targets, share, top)


def finished_matrix(
    edges: Edges, listeners: NDArray[np.int64], parameters: CollaborativeParameters
) -> sparse.csr_array:
    """Return the final sources × targets matrix from the edges of all tracks."""
    if parameters.model == "learned":
        edges = tempered(edges, listeners, parameters.target_exponent, parameters.source_exponent)
    return edges.matrix(len(listeners))


def largest_weight(weights: sparse.csr_array, parameters: CollaborativeParameters) -> float:
    """Return what a table of whole numbers takes as 1: cosine keeps its scale, others have none."""
    if parameters.model == "cosine" or weights.nnz == 0:
        return 1.0
    return float(np.abs(weights.data).max())


def weight_costs(parameters: CollaborativeParameters) -> float:
    """Estimate what a target costs beside its co-occurrences, in additions."""
    m = parameters.neighbours
    return 1e4 + (m**3 / 10 if parameters.model == "learned" else 0.0)


def _factors(interactions: Interactions, parameters: CollaborativeParameters) -> Factors:
    if parameters.model == "asymmetric_cosine":
        return asymmetric_cosine(interactions, parameters.asymmetry)
    if parameters.model == "rp3beta":
        return rp3beta(interactions, parameters.walk_exponent, parameters.walk_popularity)
    if parameters.model == "bm25":
        return bm25(interactions, parameters.saturation, parameters.length_share)
    return cosine(interactions)
