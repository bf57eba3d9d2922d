"""Cosine between the listeners of two tracks: |i ∩ j| / √(n_i · n_j), in [0, 1]."""

from tasks.neighbours.factors import Factors, powers
from tasks.neighbours.interactions import Interactions


def cosine(interactions: Interactions) -> Factors:
    """Return the formula's factors; equal from either side of a pair, to the last bit."""
    root = powers(interactions.listeners, -0.5)
    return Factors(interactions.weights_by_length(0.0), root, root)
