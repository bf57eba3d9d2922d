"""The collaborative models by name: each turns interactions into the edges of some targets."""

import numpy as np
from numpy.typing import NDArray

from tasks.neighbours.cosine import cosine_edges
from tasks.neighbours.edges import Edges
from tasks.neighbours.interactions import Interactions
from tasks.neighbours.learned import learned_edges
from tasks.neighbours.parameters import CollaborativeParameters


def weight_edges(
    interactions: Interactions,
    targets: NDArray[np.int32],
    parameters: CollaborativeParameters,
) -> Edges:
    """Return the weights into ``targets`` by the chosen model, on the model's own scale."""
    if parameters.model == "learned":
        return learned_edges(interactions, targets, parameters)
    return cosine_edges(interactions, targets, parameters.neighbours)


def weight_costs(parameters: CollaborativeParameters) -> float:
    """Estimate what a target costs beside its co-occurrences, in additions."""
    m = parameters.neighbours
    return 1e4 + (m**3 / 10 if parameters.model == "learned" else 0.0)
