"""The difference between two variants, with the listener as the unit.

A metric is a ratio of two sums over listeners, clicks over exposures say, or listeners who came
back over listeners. The exposures of one listener are not independent, so the variance is that of
sums of independent listeners, by the delta method (Deng, Knoblich & Lu 2018, "Applying the delta
method in metric analytics"). Behaviour before the experiment reduces the variance
(CUPED: Deng, Xu, Kohavi & Walker 2013). The interval of the relative lift is Fieller's (1954),
which excludes 0 exactly when the test of the difference is significant.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Arm:
    """One variant's listeners: four sums for each, aligned."""

    numerator: Floats
    denominator: Floats
    before_numerator: Floats
    """The same sum before the experiment; 0 where nothing is known."""
    before_denominator: Floats

    def __len__(self) -> int:
        return len(self.numerator)

    @property
    def ratio(self) -> float:
        """Sum over sum; NaN where the denominator is 0."""
        total = self.denominator.sum()
        return float(self.numerator.sum() / total) if total else np.nan


@dataclass(frozen=True)
class Estimate:
    """An arm's ratio and its variance."""

    value: float
    variance: float


@dataclass(frozen=True)
class Effect:
    """The effect of a variant against the control."""

    control: Estimate
    treated: Estimate
    explained: float
    """Share of the variance explained, and removed, by earlier behaviour."""

    @property
    def difference(self) -> float:
        """Treated minus control, in the metric's unit."""
        return self.treated.value - self.control.value

    @property
    def standard_error(self) -> float:
        """Standard error of the difference."""
        return float(np.sqrt(self.control.variance + self.treated.variance))

    @property
    def z(self) -> float:
        """The difference in standard errors; 0 where nothing varies and nothing differs."""
        if self.standard_error == 0:
            return 0.0 if self.difference == 0 else float(np.copysign(np.inf, self.difference))
        return self.difference / self.standard_error

    @property
    def lift(self) -> float:
        """Relative lift, treated / control − 1; NaN without a control value."""
        return self.treated.value / self.control.value - 1 if self.control.value else np.nan

    def lift_interval(self, critical: float) -> tuple[float, float] | None:
        """Return the confidence interval of the relative lift; None if it has no bounds.

        Fieller: all ρ with (T − ρC)² ≤ critical² (var T + ρ² var C).
        """
        c, t = self.control, self.treated
        square = critical**2
        a = c.value**2 - square * c.variance
        b = c.value * t.value
        e = t.value**2 - square * t.variance
        if a <= 0:
            return None
        root = np.sqrt(max(0.0, b * b - a * e))
        return float((b - root) / a - 1), float((b + root) / a - 1)


def compare(control: Arm, treated: Arm) -> Effect:
    """Estimate the effect of ``treated`` against ``control``; both need two listeners or more."""
    arms = (control, treated)
    residuals = [residual(arm) for arm in arms]
    covariates = _covariates(control, treated)
    centred = [x - x.mean() for x in covariates]
    spread = sum(float(x @ x) for x in centred)
    theta = 0.0
    if spread > 0:
        theta = sum(float(e @ x) for e, x in zip(residuals, centred, strict=True)) / spread
    middle = float(np.concatenate(covariates).mean())
    estimates, plain = [], 0.0
    for arm, e, x, c in zip(arms, residuals, covariates, centred, strict=True):
        plain += mean_variance(e)
        value = arm.ratio - theta * (float(x.mean()) - middle)
        estimates.append(Estimate(value, mean_variance(e - theta * c)))
    left = estimates[0].variance + estimates[1].variance
    explained = max(0.0, 1.0 - left / plain) if plain > 0 else 0.0
    return Effect(estimates[0], estimates[1], explained)


def residual(arm: Arm) -> Floats:
    """Return (y − R n) / n̄ per listener; the ratio's error is its mean."""
    error: Floats = arm.numerator - arm.ratio * arm.denominator
    return error / float(arm.denominator.mean())


def mean_variance(values: Floats) -> float:
    """Return the variance of the mean of values with mean 0."""
    return float(values @ values) / (len(values) * (len(values) - 1))


def _covariates(control: Arm, treated: Arm) -> list[Floats]:
    """Return each arm's covariate: the earlier ratio, linearised around the overall ratio."""
    arms = (control, treated)
    total = sum(float(arm.before_denominator.sum()) for arm in arms)
    if total <= 0:
        return [np.zeros(len(arm)) for arm in arms]
    ratio = sum(float(arm.before_numerator.sum()) for arm in arms) / total
    mean = total / sum(len(arm) for arm in arms)
    return [(arm.before_numerator - ratio * arm.before_denominator) / mean for arm in arms]
