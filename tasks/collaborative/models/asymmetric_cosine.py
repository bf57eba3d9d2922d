"""Asymmetric cosine: |i ∩ j| / (n_i^α · n_j^(1-α)) for source i and target j (Aiolli 2013)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from tasks.collaborative.models.base import CooccurrenceModel, NeighbourhoodParameters
from tasks.collaborative.models.scaling import CosineScaling, powers

if TYPE_CHECKING:
    from tasks.collaborative.interactions import Interactions


class AsymmetricCosineParameters(NeighbourhoodParameters):
    """Parameters of `asymmetric_cosine`."""

    asymmetry: float = Field(default=0.5, ge=0.0, le=1.0)
    """`asymmetric_cosine`: α of |i ∩ j| / (n_source^α · n_target^(1-α)); 0.5 is cosine, above it
    known targets gain (Aiolli 2013)."""


class AsymmetricCosine(CooccurrenceModel[AsymmetricCosineParameters]):
    """Cosine that leans towards known or little known targets."""

    parameters = AsymmetricCosineParameters

    def scaling(
        self, interactions: Interactions, parameters: AsymmetricCosineParameters
    ) -> CosineScaling:
        """Return the formula's factors."""
        listeners, alpha = interactions.listeners, parameters.asymmetry
        return CosineScaling(
            interactions.weights_by_length(0.0),
            powers(listeners, -alpha),
            powers(listeners, alpha - 1.0),
        )
