"""How much of its planned information a metric has, and how much error it may spend by then.

The information of a reading is the metric's own: 1 / SE², with the standard error of the lift. It
grows with listeners who arrive, with what those already here do, and for returns with listeners who
come due. The planned information is what there will be at the last reading if it goes on growing as
it did in the last week. A wrong plan costs power, not validity: how the error is divided may depend
on the information of the readings, only not on their estimates (Lan & DeMets 1983, 1989).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.experiments.spending import critical_values, spent

Floats = NDArray[np.float64]

PACE = 7
"""Readings over which the pace of the information is taken: a week of daily readings."""

AT_END = 0.5
"""Share of the error that is kept for the last reading, whatever was planned. Most experiments are
decided there, and its interval is then hardly wider than that of a single reading."""

MOST_BEFORE_END = 0.97
"""Share of the plan that counts as reached at most before the last reading: what looks complete may
still grow."""

P_VALUES = np.concatenate([np.geomspace(1e-10, 1e-3, 5), [3e-3, 0.01, 0.03, 0.1, 0.3, 0.9]])
"""Levels at which the boundary is tabulated, to interpolate p-values."""


@dataclass(frozen=True)
class Plan:
    """What is spent at each reading; (series, readings) each."""

    planned: Floats
    """Information expected at the last reading."""
    share: Floats
    """Share of it that is there."""
    allowed: Floats
    """Error that the reading may spend."""


def rising(information: Floats) -> Floats:
    """Return the information without the falls that estimation brings."""
    finite = np.where(np.isfinite(information), information, 0.0)
    risen: Floats = np.maximum.accumulate(finite, axis=-1)
    return risen


def plan(information: Floats, looks: int, ended: bool, alpha: Floats | float) -> Plan:
    """Divide the error among readings; ``information`` is rising, (series, readings).

    ``looks`` is how many readings there will be; ``ended``: the last one given is the last.
    """
    series, readings = information.shape
    level = np.broadcast_to(np.asarray(alpha, np.float64), (series,))
    planned, share, allowed = np.zeros((3, series, readings))
    used, since = np.zeros(series), np.zeros(series, np.int64)
    behind = np.concatenate([np.zeros((series, 1)), information], axis=1)
    for k in range(readings):
        now = information[:, k]
        since += now > 0
        span = np.clip(since, 1, PACE)
        pace = (now - np.take_along_axis(behind, (k + 1 - span)[:, None], axis=1)[:, 0]) / span
        planned[:, k] = now + pace * max(0, looks - 1 - k)
        if ended and k == readings - 1:
            planned[:, k] = now
            share[:, k] = now > 0
            allowed[:, k] = np.where(now > 0, level - used, 0.0)
            continue
        share[:, k] = np.minimum(now / np.maximum(planned[:, k], 1e-300), MOST_BEFORE_END)
        earlier = share[:, k] * behind[:, k] / np.maximum(now, 1e-300)
        reached, before = spent(level, share[:, k]), spent(level, earlier)
        # The same part of what is left as the plan gives to this step; more if the plan shrank.
        early = (1.0 - AT_END) * level
        step = (reached - before) / (level - before) * (early - used)
        behind_plan = (1.0 - AT_END) * reached - used
        allowed[:, k] = np.where(now > 0, np.maximum(step, behind_plan), 0.0)
        used = used + allowed[:, k]
    return Plan(planned, share, allowed)


def boundary(information: Floats, looks: int, ended: bool, alpha: Floats | float) -> Floats:
    """Return the critical |Z| of every reading; see `plan` for the arguments."""
    return critical_values(information, plan(information, looks, ended, alpha).allowed)


class Boundary:
    """The critical values of the latest of several readings, at any level."""

    def __init__(self, information: Floats, looks: int, ended: bool, alpha: float) -> None:
        """Compute them from the rising information of the readings so far."""
        levels = np.unique(np.append(P_VALUES, alpha))
        series = np.broadcast_to(information, (len(levels), len(information)))
        self._plan = plan(series, looks, ended, levels)
        self._levels = levels
        self._critical = critical_values(series, self._plan.allowed)[:, -1]
        self._at = int(np.searchsorted(levels, alpha))
        self._information, self._alpha = information, alpha
        self.critical = float(self._critical[self._at])
        """Interval: estimate ± critical standard errors."""
        self.share = float(self._plan.share[self._at, -1])
        """Share of the planned information."""

    def critical_at(self, level: float) -> float:
        """Return the critical value of the same reading at another level."""
        return float(np.sqrt(np.interp(np.log(level), np.log(self._levels), self._critical**2)))

    @property
    def final_critical(self) -> float:
        """The critical value of the last reading if the plan comes true."""
        until = self._plan.planned[self._at, -1]
        left = self._alpha - self._plan.allowed[self._at].sum()
        if left <= 0:
            return self.critical
        information = np.append(self._information, until)[None]
        allowed = np.append(self._plan.allowed[self._at], left)[None]
        return float(critical_values(information, allowed)[0, -1])

    def p_value(self, z: float) -> float:
        """Return the smallest level at which this reading would have passed its critical value.

        The repeated p-value of Jennison & Turnbull (2000, section 9.5); below the level exactly
        when the interval excludes 0.
        """
        # Critical values fall with the level; log p is close to linear in z².
        squares = np.minimum.accumulate(self._critical**2)
        if z * z <= squares[-1]:
            return 1.0
        found = np.interp(z * z, squares[::-1], np.log(self._levels[::-1]))
        return float(np.exp(found))
