"""Cosine between the listeners of two tracks: |i ∩ j| / √(n_i · n_j), in [0, 1]."""

from tasks.collaborative.interactions import Interactions
from tasks.collaborative.models.scaling import CosineScaling, powers


def cosine(interactions: Interactions) -> CosineScaling:
    """Return the formula's factors; equal from either side of a pair, to the last bit."""
    root = powers(interactions.listeners, -0.5)
    return CosineScaling(interactions.weights_by_length(0.0), root, root)
