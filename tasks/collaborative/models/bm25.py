"""BM25: tracks as documents of listeners, compared by their inner product (Robertson 1994)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from tasks.collaborative.models.base import CooccurrenceModel, SideParameters
from tasks.collaborative.models.scaling import CosineScaling

if TYPE_CHECKING:
    from tasks.collaborative.interactions import Interactions


class BM25Parameters(SideParameters):
    """Parameters of `bm25`."""

    saturation: float = Field(default=1.2, ge=0.0, le=1_000.0)
    """`bm25`: k, how fast a track's length dampens its terms (Robertson & Walker 1994)."""

    length_share: float = Field(default=0.75, ge=0.0, le=1.0)
    """`bm25`: b, how much a track's number of listeners counts as its length."""


class BM25(CooccurrenceModel[BM25Parameters]):
    """Σ_u w_iu · w_ju with w_iu = idf_u · (k + 1) / (k · norm_i + 1).

    norm_i = 1 - b + b · n_i / mean(n); a listener's idf is log(tracks / (1 + n_u)), not below 0.
    """

    parameters = BM25Parameters

    def scaling(self, interactions: Interactions, parameters: BM25Parameters) -> CosineScaling:
        """Return the formula's factors."""
        saturation, length = parameters.saturation, parameters.length_share
        listeners = interactions.listeners.astype(np.float64)
        norm = 1.0 - length + length * listeners / max(listeners.mean(), 1e-9)
        term = (saturation + 1.0) / (saturation * norm + 1.0)
        idf = np.log(interactions.tracks / (1.0 + interactions.tracks_played))
        return CosineScaling(interactions.row_weights(np.maximum(idf, 0.0) ** 2), term, term)
