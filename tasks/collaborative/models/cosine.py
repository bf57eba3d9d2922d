"""Cosine between the listeners of two tracks: |i ∩ j| / √(n_i · n_j), in [0, 1]."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tasks.collaborative.models.base import CooccurrenceModel, NeighbourhoodParameters
from tasks.collaborative.models.scaling import CosineScaling, powers

if TYPE_CHECKING:
    from tasks.collaborative.interactions import Interactions


def cosine_scaling(interactions: Interactions) -> CosineScaling:
    """Return the formula's factors; equal from either side of a pair, to the last bit."""
    root = powers(interactions.listeners, -0.5)
    return CosineScaling(interactions.weights_by_length(0.0), root, root)


class Cosine(CooccurrenceModel[NeighbourhoodParameters]):
    """The cosine itself as weight."""

    parameters = NeighbourhoodParameters
    keeps_scale: ClassVar[bool] = True

    def scaling(
        self,
        interactions: Interactions,
        parameters: NeighbourhoodParameters,  # noqa: ARG002
    ) -> CosineScaling:
        """Return `cosine_scaling`."""
        return cosine_scaling(interactions)
