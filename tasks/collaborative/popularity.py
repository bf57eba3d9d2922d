"""A last touch on learned weights: lift or lower tracks by how many listeners they have."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tasks.collaborative.edges import Edges
from tasks.collaborative.models.scaling import powers


def tempered(
    edges: Edges, listeners: NDArray[np.int64], target_exponent: float, source_exponent: float
) -> Edges:
    """Return the weights times n_target^-target_exponent · n_source^-source_exponent."""
    target = powers(listeners, -target_exponent)
    source = powers(listeners, -source_exponent)
    scale = target[edges.target] * source[edges.source]
    return replace(edges, weight=edges.weight * scale)
