"""How much each feature counts."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

ARTIST = "artist"

SHIPPED: Mapping[str, float] = {ARTIST: 0.30, "tags": 0.34, "genre": 0.08, "year": 0.08}
"""Shares for catalogues with too few plays to learn from."""

REST = 0.20
"""Share of all other features together (duration, sound, declared columns)."""


def fixed_weights(features: Sequence[str]) -> NDArray[np.float64]:
    """Return the shipped weights of the named features, scaled to sum to 1."""
    others = sum(feature not in SHIPPED for feature in features)
    each = REST / max(others, 10)  # one odd column alone is not given the share of ten
    weights = np.array([SHIPPED.get(feature, each) for feature in features])
    return weights / weights.sum() if len(weights) else weights
