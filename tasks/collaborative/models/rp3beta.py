"""RP3β: walks source → listener → target, against popularity (Paudel et al. 2017)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from tasks.collaborative.models.base import CooccurrenceModel, SideParameters
from tasks.collaborative.models.scaling import CosineScaling, powers

if TYPE_CHECKING:
    from tasks.collaborative.interactions import Interactions


class RP3BetaParameters(SideParameters):
    """Parameters of `rp3beta`."""

    walk_exponent: float = Field(default=0.8, ge=0.0, le=2.0)
    """`rp3beta`: α, the exponent of every step's probability (Cooper et al. 2014)."""

    walk_popularity: float = Field(default=0.4, ge=0.0, le=1.0)
    """`rp3beta`: β, the exponent of the target's popularity it is divided by (Paudel et al.
    2017)."""


class RP3Beta(CooccurrenceModel[RP3BetaParameters]):
    """Σ_u (1/n_i · 1/n_u)^α / n_j^β, for source i and target j."""

    parameters = RP3BetaParameters

    def scaling(self, interactions: Interactions, parameters: RP3BetaParameters) -> CosineScaling:
        """Return the formula's factors."""
        listeners, alpha = interactions.listeners, parameters.walk_exponent
        return CosineScaling(
            interactions.row_weights(powers(interactions.tracks_played, -alpha)),
            powers(listeners, -alpha),
            powers(listeners, -parameters.walk_popularity),
        )
