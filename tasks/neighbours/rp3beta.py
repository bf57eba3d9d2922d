"""RP3β: walks source → listener → target, against popularity (Paudel et al. 2017)."""

from tasks.neighbours.factors import Factors, powers
from tasks.neighbours.interactions import Interactions


def rp3beta(interactions: Interactions, alpha: float, beta: float) -> Factors:
    """Return the factors of Σ_u (1/n_i · 1/n_u)^alpha / n_j^beta, for source i and target j."""
    listeners = interactions.listeners
    return Factors(
        interactions.row_weights(powers(interactions.tracks_played, -alpha)),
        powers(listeners, -alpha),
        powers(listeners, -beta),
    )
