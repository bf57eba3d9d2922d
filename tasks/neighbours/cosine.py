"""Cosine between the listener sets of two tracks: |i ∩ j| / √(n_i · n_j)."""

import numpy as np
from numpy.typing import NDArray

from tasks.neighbours.cooccurrence import top_sources
from tasks.neighbours.edges import Edges
from tasks.neighbours.interactions import Interactions


def cosine_edges(interactions: Interactions, targets: NDArray[np.int32], top: int) -> Edges:
    """Return for each target its ``top`` most similar tracks; values in (0, 1]."""
    root = np.maximum(interactions.listeners, 1).astype(np.float64) ** -0.5
    sources, shared = top_sources(interactions, np.ones(interactions.users), root, targets, top)
    # cos(i, j) = |i ∩ j| · (n_i^-½ · n_j^-½), the same product from either side
    return Edges.of_lists(targets, sources, shared * (root[sources] * root[targets][:, None]))
