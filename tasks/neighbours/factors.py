"""What tells one co-occurrence formula from another: three vectors.

weight(i → j) = source_i · target_j · Σ_u user_u   over the listeners u that i and j share
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.neighbours.cooccurrence import top_sources
from tasks.neighbours.edges import Edges
from tasks.neighbours.interactions import Interactions


@dataclass(frozen=True)
class Factors:
    """The vectors of one formula; ``user`` holds whole multiples of 1/`interactions.UNIT`."""

    user: NDArray[np.float64]
    source: NDArray[np.float64]
    target: NDArray[np.float64]


def factor_edges(
    interactions: Interactions, factors: Factors, targets: NDArray[np.int32], top: int
) -> Edges:
    """Return for each target its ``top`` sources of largest weight."""
    sources, shared = top_sources(interactions, factors.user, factors.source, targets, top)
    scale = factors.source[sources] * factors.target[targets][:, None]
    return Edges.of_lists(targets, sources, shared * scale)


def powers(
    counts: NDArray[np.integer] | NDArray[np.floating], exponent: float
) -> NDArray[np.float64]:
    """Return counts^exponent; tracks without listeners, which no pair contains, get 1."""
    known = np.where(counts > 0, counts, 1)
    return np.asarray(known.astype(np.float64) ** exponent)
