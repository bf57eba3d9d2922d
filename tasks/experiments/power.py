"""How many listeners are needed to detect an effect."""

import math

from scipy import stats


def users_needed(
    users: int, standard_error: float, effect: float, critical: float, power: float
) -> int:
    """Return how many listeners are needed to detect an effect with the given power.

    ``standard_error`` is that of the difference, measured on ``users`` listeners of both variants
    together; it falls with the root of their number. ``critical`` is the z-value that the
    difference must pass. An effect of δ is detected with power 1 − β when
    δ = (critical + z_{1−β}) · standard error.
    """
    aim = abs(effect) / (critical + float(stats.norm.ppf(power)))
    return math.ceil(users * (standard_error / aim) ** 2)
