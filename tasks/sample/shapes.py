"""The distributions of the Kaggle files: tracks per listener, listeners per track.

Each is a quantile function, log-linear between knots. Evaluating it at evenly spaced ranks gives
the same shape at every scale, without sampling noise.
"""

import numpy as np
from numpy.typing import NDArray

Knots = tuple[tuple[float, float], ...]

TRACKS_PER_LISTENER: Knots = (
    (0.0, 1), (0.13, 1), (0.25, 2.1), (0.5, 5), (0.75, 10.3), (0.9, 24), (0.95, 36), (0.99, 71),
    (0.999, 142), (0.9999, 290), (1.0, 789),
)  # fmt: skip
LISTENERS_PER_TRACK: Knots = (
    (0.0, 1.5), (0.1, 5.5), (0.25, 16), (0.5, 54.5), (0.75, 157), (0.9, 780), (0.95, 1375),
    (0.99, 4060), (0.999, 11500), (1.0, 94000),
)  # fmt: skip
"""Slightly steeper than the real distribution: a listener draws a track only once, which flattens
the top. The generated files match the published figures."""
TRACKS_PER_ARTIST: Knots = (
    (0.0, 1), (0.35, 1), (0.5, 2.5), (0.75, 6.5), (0.9, 16), (0.99, 46), (1.0, 90),
)  # fmt: skip

TOP_TRACK_SHARE = 0.12
"""Maximum share of the listeners for one track; the real top track has 8.4 %."""

ONE_PLAY, TWO_PLAYS, MOST_PLAYS = 0.608, 0.156, 2948
PLAYS_TAIL = 2.53
"""Exponent of the power law for three plays and more; the mean is 2.6 plays."""


def quantiles(knots: Knots, at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Evaluate a quantile function at the probabilities ``at``."""
    probabilities, values = np.array(knots, dtype=np.float64).T
    read: NDArray[np.float64] = np.exp(np.interp(at, probabilities, np.log(values)))
    return read


def even_ranks(count: int) -> NDArray[np.float64]:
    """Return the mid-ranks of ``count`` items, as probabilities in increasing order."""
    return (np.arange(count) + 0.5) / count


def tracks_per_listener(users: int, most: int, rng: np.random.Generator) -> NDArray[np.int32]:
    """Return how many distinct tracks each listener has played: at least 1, at most ``most``."""
    lengths = np.rint(quantiles(TRACKS_PER_LISTENER, even_ranks(users))).astype(np.int32)
    return rng.permutation(np.clip(lengths, 1, most))


def track_popularity(score: NDArray[np.float64], plays_per_user: float) -> NDArray[np.float64]:
    """Return each track's share of all plays, in the order of ``score``.

    In a small catalogue the top track would be in most histories, so the distribution is flattened
    by an exponent until `TOP_TRACK_SHARE` holds.
    """
    listeners = quantiles(LISTENERS_PER_TRACK, even_ranks(len(score)))
    low, high = 0.0, 1.0
    exponent = high
    for _ in range(30):
        shares = listeners**exponent / np.sum(listeners**exponent)
        if shares[-1] * plays_per_user <= TOP_TRACK_SHARE:
            low = exponent
        else:
            high = exponent
        if low == 1.0:
            break
        exponent = (low + high) / 2
    popularity = np.empty(len(score))
    popularity[np.argsort(score, kind="stable")] = shares
    return popularity


def play_count_table() -> NDArray[np.float64]:
    """Return the cumulative distribution of play counts: entry k − 1 is P(count ≤ k)."""
    tail = np.arange(3, MOST_PLAYS + 1, dtype=np.float64) ** -PLAYS_TAIL
    tail *= (1 - ONE_PLAY - TWO_PLAYS) / tail.sum()
    return np.cumsum(np.concatenate([[ONE_PLAY, TWO_PLAYS], tail]))
