"""Asymmetric cosine: |i ∩ j| / (n_i^α · n_j^(1-α)) for source i and target j (Aiolli 2013)."""

from tasks.neighbours.factors import Factors, powers
from tasks.neighbours.interactions import Interactions


def asymmetric_cosine(interactions: Interactions, alpha: float) -> Factors:
    """Return the formula's factors.

    ``alpha`` 0.5 is cosine; above it known targets gain, below it little known ones.
    """
    listeners = interactions.listeners
    return Factors(
        interactions.weights_by_length(0.0),
        powers(listeners, -alpha),
        powers(listeners, alpha - 1.0),
    )
