"""RP3β: walks source → listener → target, against popularity (Paudel et al. 2017)."""

from tasks.collaborative.interactions import Interactions
from tasks.collaborative.models.scaling import CosineScaling, powers


def rp3beta(interactions: Interactions, alpha: float, beta: float) -> CosineScaling:
    """Return the factors of Σ_u (1/n_i · 1/n_u)^alpha / n_j^beta, for source i and target j."""
    listeners = interactions.listeners
    return CosineScaling(
        interactions.row_weights(powers(interactions.tracks_played, -alpha)),
        powers(listeners, -alpha),
        powers(listeners, -beta),
    )
