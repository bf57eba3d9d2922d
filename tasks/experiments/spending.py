"""Critical values for intervals that may be read every day.

Group-sequential testing with an error-spending function (Lan & DeMets 1983). At reading k, at
the share t of the planned duration, at most α(t) = 4 − 4Φ(z_{1−α/4} / √t) of the error α may
be spent, half on either side (the O'Brien-Fleming shape: little early, almost all at the end), so
that daily readings until the end have the same error as a single one. The critical values follow
from the joint distribution of the readings by recursive integration (Armitage, McPherson & Rowe
1969; Jennison & Turnbull 2000, chapter 19): the score S_k = Z_k √I_k has independent increments of
variance I_k − I_{k−1}, where the information I is assumed proportional to the listeners seen.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import log_ndtr, ndtr, ndtri, roots_legendre

Floats = NDArray[np.float64]

_NODES = 128
_WIDEST = 8.0
"""The density is negligible beyond this many standard errors."""
_NEVER = 40.0
"""Critical value if the error to spend is too small for a float."""

P_VALUES = np.concatenate([np.geomspace(1e-12, 1e-3, 10), np.geomspace(2e-3, 0.9, 15)])
"""Levels at which the boundary is tabulated, to interpolate p-values."""


def spent(alpha: float, time: Floats) -> Floats:
    """Return the error that may be spent up to each share of the duration, 0 < time ≤ 1."""
    return 4.0 * ndtr(ndtri(alpha / 4.0) / np.sqrt(time))


def critical_values(information: Sequence[float], time: Sequence[float], alpha: float) -> Floats:
    """Return the critical |Z| of every reading.

    ``information`` and ``time`` rise from reading to reading; time 1 is the end. Readings that add
    no information get the value of the reading before.
    """
    info = np.asarray(information, np.float64) / float(information[-1])
    allowed = np.diff(spent(alpha, np.asarray(time, np.float64)), prepend=0.0)
    values = np.empty(len(info))
    nodes, weights = roots_legendre(_NODES)
    places, density = np.zeros(1), np.ones(1)
    before, unspent = 0.0, 0.0
    for k, here in enumerate(info):
        unspent += allowed[k]
        if here - before < 1e-9:
            values[k] = values[k - 1] if k else np.inf
            continue
        step = np.sqrt(here - before)
        values[k] = _critical(places, density, step, np.sqrt(here), unspent)
        edge = min(values[k], _WIDEST) * np.sqrt(here)
        reached = edge * nodes
        kernel = np.exp(-0.5 * ((reached[:, None] - places[None, :]) / step) ** 2)
        places, density = reached, (kernel @ density) / (step * np.sqrt(2 * np.pi))
        density *= edge * weights
        before, unspent = here, 0.0
    return values


def _critical(places: Floats, density: Floats, step: float, scale: float, error: float) -> float:
    """Return the |Z| that the remaining density exceeds with probability ``error``."""
    if error < 1e-250:
        return _NEVER
    log_density = np.log(np.maximum(density, 1e-300))
    target = np.log(error)

    def excess(z: float) -> float:
        edge = z * scale
        up, down = log_ndtr((places - edge) / step), log_ndtr((-places - edge) / step)
        return float(np.logaddexp.reduce(log_density + np.logaddexp(up, down)) - target)

    return float(brentq(excess, 0.0, _NEVER, xtol=1e-10)) if excess(0.0) > 0 else 0.0


class Boundary:
    """The critical values of one reading, at any level."""

    def __init__(self, information: Sequence[float], time: Sequence[float], alpha: float) -> None:
        """Compute the critical values of the last reading in ``information``.

        ``time`` holds every planned reading, to the end; ``alpha`` is the level of the intervals.
        """
        until_now = time[: len(information)]
        self.critical = float(critical_values(information, until_now, alpha)[-1])
        """Interval: estimate ± critical standard errors."""
        self.final_critical = float(critical_values(time, time, alpha)[-1])
        """The same at the end, if listeners arrive evenly."""
        self._table: tuple[Floats, Floats] | None = None
        if len(time) > 1:  # a single reading is a plain z-test and needs no table
            levels = np.sort(np.append(P_VALUES, alpha))
            critical = [critical_values(information, until_now, level)[-1] for level in levels]
            self._table = levels, np.array(critical)

    def p_value(self, z: float) -> float:
        """Return the smallest level at which this reading would have passed its critical value.

        The repeated p-value of Jennison & Turnbull (2000, section 9.5); below the level
        exactly when the interval excludes 0.
        """
        if self._table is None:
            return float(2.0 * ndtr(-abs(z)))
        levels, critical = self._table
        if abs(z) <= critical[-1]:
            return 1.0
        # Critical values fall with the level; log p is close to linear in z².
        return float(np.exp(np.interp(z * z, critical[::-1] ** 2, np.log(levels[::-1]))))
