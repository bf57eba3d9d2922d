"""Simulated experiments with known effects, differing listeners and correlated exposures."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from tasks.experiments.effects import Arm, Effect, compare

DAYS, CLICK_RATE = 14, 0.1
EXPOSURES_A_DAY = 2.0


@dataclass(frozen=True)
class Simulated:
    """One experiment: exposures and clicks per listener and day; listeners arrive evenly."""

    treated: NDArray[np.bool_]
    arrival: NDArray[np.int64]
    shown: NDArray[np.int64]
    """listeners × days; nothing before the arrival."""
    clicked: NDArray[np.int64]
    shown_before: NDArray[np.int64]
    clicked_before: NDArray[np.int64]

    def read(self, day: int, before: bool = True) -> Effect:
        """Read the click-through rate after ``day`` days."""
        arms = []
        for arm in (False, True):
            here = (self.treated == arm) & (self.arrival < day)
            past = np.ones(here.sum()) * before
            arms.append(
                Arm(
                    self.clicked[here, :day].sum(axis=1).astype(float),
                    self.shown[here, :day].sum(axis=1).astype(float),
                    self.clicked_before[here] * past,
                    self.shown_before[here] * past,
                )
            )
        return compare(*arms)

    def seen(self) -> list[float]:
        """Information by day: listeners so far in two arms."""
        return [
            1.0 / sum(1.0 / max(1, int(np.sum((self.arrival < day) & (self.treated == arm))))
                      for arm in (False, True))
            for day in range(1, DAYS + 1)
        ]  # fmt: skip


def simulate(rng: np.random.Generator, users: int, lift: float = 0.0) -> Simulated:
    """Draw an experiment: click probabilities vary between listeners, exposures occur daily."""
    treated = rng.random(users) < 0.5
    arrival = rng.integers(0, DAYS, users)
    arrival[:8] = 0
    treated[:8] = [True, False] * 4
    chance = np.minimum(0.9, CLICK_RATE * rng.gamma(3.0, 1 / 3.0, users))
    shown = rng.poisson(EXPOSURES_A_DAY, (users, DAYS))
    shown[np.arange(users), arrival] += 1
    shown[np.arange(DAYS)[None, :] < arrival[:, None]] = 0
    now = np.minimum(1.0, chance * np.where(treated, 1 + lift, 1.0))
    shown_before = rng.poisson(10.0, users)
    return Simulated(
        treated,
        arrival,
        shown,
        rng.binomial(shown, now[:, None]),
        shown_before,
        rng.binomial(shown_before, chance),
    )


def power_of(effect: float, standard_error: float, critical: float) -> float:
    """Return the probability of a difference beyond ``critical`` standard errors, two-sided."""
    shift = effect / standard_error
    return float(stats.norm.sf(critical - shift) + stats.norm.cdf(-critical - shift))
