"""BM25: tracks as documents of listeners, compared by their inner product (Robertson 1994)."""

import numpy as np

from tasks.collaborative.interactions import Interactions
from tasks.collaborative.models.scaling import CosineScaling


def bm25(interactions: Interactions, saturation: float, length: float) -> CosineScaling:
    """Return the factors of Σ_u w_iu · w_ju with w_iu = idf_u · (k + 1) / (k · norm_i + 1).

    ``saturation`` is k, ``length`` the share b of n_i in norm_i = 1 - b + b · n_i / mean(n); a
    listener's idf is log(tracks / (1 + n_u)), not below 0.
    """
    listeners = interactions.listeners.astype(np.float64)
    norm = 1.0 - length + length * listeners / max(listeners.mean(), 1e-9)
    term = (saturation + 1.0) / (saturation * norm + 1.0)
    idf = np.log(interactions.tracks / (1.0 + interactions.tracks_played))
    return CosineScaling(interactions.row_weights(np.maximum(idf, 0.0) ** 2), term, term)
