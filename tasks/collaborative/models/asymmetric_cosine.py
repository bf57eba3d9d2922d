"""Asymmetric cosine: |i ∩ j| / (n_i^α · n_j^(1-α)) for source i and target j (Aiolli 2013)."""

from tasks.collaborative.interactions import Interactions
from tasks.collaborative.models.scaling import CosineScaling, powers


def asymmetric_cosine(interactions: Interactions, alpha: float) -> CosineScaling:
    """Return the formula's factors.

    ``alpha`` 0.5 is cosine; above it known targets gain, below it little known ones.
    """
    listeners = interactions.listeners
    return CosineScaling(
        interactions.weights_by_length(0.0),
        powers(listeners, -alpha),
        powers(listeners, alpha - 1.0),
    )
