"""What tells one co-occurrence formula from another: a row weight and two factors.

weight(i → j) = source_i · target_j · Σ_u d_u   over the listeners u that i and j share
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tasks.collaborative.interactions import RowWeights


@dataclass(frozen=True)
class CosineScaling:
    """The vectors of one formula."""

    user: RowWeights
    source: NDArray[np.float64]
    target: NDArray[np.float64]


def powers(
    counts: NDArray[np.integer] | NDArray[np.floating], exponent: float
) -> NDArray[np.float64]:
    """Return counts^exponent; tracks without listeners, which no pair contains, get 1."""
    known = np.where(counts > 0, counts, 1)
    return np.asarray(known.astype(np.float64) ** exponent)
