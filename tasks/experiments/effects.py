"""The difference between two variants, with the listener as the unit.

A metric is a ratio of two sums over listeners, clicks over exposures say, or listeners who came
back over listeners. The exposures of one listener are not independent, so the variance is that of
sums of independent listeners, by the delta method (Deng, Knoblich & Lu 2018, "Applying the delta
method in metric analytics"). Behaviour before the experiment reduces the variance
(CUPED: Deng, Xu, Kohavi & Walker 2013). The interval of the relative lift is Fieller's (1954),
which excludes 0 exactly when the test of the difference is significant.

All of it follows from sums of products over listeners (`Arm.sums`), so that many readings are
compared at once: every function takes arrays of sums with any leading shape.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ONE, NUMERATOR, DENOMINATOR, BEFORE_NUMERATOR, BEFORE_DENOMINATOR = range(5)
"""Places in the sums: 1 per listener, then the four sums of an `Arm`."""
TERMS = 5

_ROUNDING = 1e-13
"""A variance below this share of its terms is 0."""


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

    @property
    def sums(self) -> Floats:
        """Sums over listeners of the products of all pairs of terms, (TERMS, TERMS)."""
        terms = np.stack(
            [
                np.ones(len(self)),
                self.numerator,
                self.denominator,
                self.before_numerator,
                self.before_denominator,
            ]
        )
        products: Floats = terms @ terms.T
        return products


@dataclass(frozen=True)
class Estimate:
    """An arm's ratio and its variance, by reading."""

    value: Floats
    variance: Floats


@dataclass(frozen=True)
class Effect:
    """The effect of a variant against the control, by reading."""

    control: Estimate
    treated: Estimate
    explained: Floats
    """Share of the variance explained, and removed, by earlier behaviour."""

    @property
    def difference(self) -> Floats:
        """Treated minus control, in the metric's unit."""
        return self.treated.value - self.control.value

    @property
    def standard_error(self) -> Floats:
        """Standard error of the difference."""
        return np.sqrt(self.control.variance + self.treated.variance)

    @property
    def z(self) -> Floats:
        """The difference in standard errors; 0 where nothing varies and nothing differs."""
        with np.errstate(divide="ignore", invalid="ignore"):
            z = self.difference / self.standard_error
        return np.where(self.difference == 0, 0.0, z)[()]

    @property
    def lift(self) -> Floats:
        """Relative lift, treated / control − 1; NaN without a control value."""
        with np.errstate(divide="ignore", invalid="ignore"):
            lift = self.treated.value / self.control.value - 1
        return np.where(self.control.value == 0, np.nan, lift)[()]

    @property
    def information(self) -> Floats:
        """1 / SE² of the lift where there is none; 0 where nothing varies or nothing happened.

        Of the lift, because sums per listener grow with time, and their standard errors too.
        """
        variance = self.control.variance + self.treated.variance
        known = np.where(np.isfinite(self.control.value), self.control.value, 0.0)
        information: Floats = np.divide(
            known**2, variance, out=np.zeros_like(known), where=np.nan_to_num(variance) > 0
        )
        return information[()]

    def lift_interval(self, critical: Floats | float) -> tuple[Floats, Floats]:
        """Return the ends of the confidence interval of the relative lift; NaN if unbounded.

        Fieller: all ρ with (T − ρC)² ≤ critical² (var T + ρ² var C).
        """
        c, t = self.control, self.treated
        square = np.square(critical)
        a = c.value**2 - square * c.variance
        b = c.value * t.value
        e = t.value**2 - square * t.variance
        root = np.sqrt(np.maximum(0.0, b * b - a * e))
        with np.errstate(divide="ignore", invalid="ignore"):
            low, high = ((b + side * root) / a - 1 for side in (-1, 1))
        bounded = a > 0
        return np.where(bounded, low, np.nan)[()], np.where(bounded, high, np.nan)[()]


def compare(control: Arm, treated: Arm) -> Effect:
    """Estimate the effect of ``treated`` against ``control``; both need two listeners or more."""
    return compare_sums(control.sums, treated.sums)


def compare_sums(control: Floats, treated: Floats) -> Effect:
    """Estimate the effects from the arms' sums, (…, TERMS, TERMS) each."""
    arms = (control, treated)
    with np.errstate(divide="ignore", invalid="ignore"):
        residuals = [_residual(sums) for sums in arms]
        earlier = _covariate(control + treated)
        centred = []
        for sums in arms:
            terms = earlier.copy()
            terms[..., ONE] -= _sum(sums, earlier) / sums[..., ONE, ONE]
            centred.append(terms)
        spread = sum(_product(s, x, x) for s, x in zip(arms, centred, strict=True))
        common = sum(_product(s, e, x) for s, e, x in zip(arms, residuals, centred, strict=True))
        theta = np.where(spread > 0, common / spread, 0.0)
        middle = _sum(control + treated, earlier) / (control + treated)[..., ONE, ONE]
        estimates, plain = [], np.zeros(np.shape(theta))
        for sums, e, x in zip(arms, residuals, centred, strict=True):
            plain = plain + _mean_variance(sums, e)
            mean = _sum(sums, earlier) / sums[..., ONE, ONE]
            value = _ratio(sums) - theta * (mean - middle)
            variance = _mean_variance(sums, e - theta[..., None] * x)
            estimates.append(Estimate(value[()], variance[()]))
        left = estimates[0].variance + estimates[1].variance
        explained = np.where(plain > 0, np.maximum(0.0, 1.0 - left / plain), 0.0)
    return Effect(estimates[0], estimates[1], explained[()])


def _mean_variance(sums: Floats, terms: Floats) -> Floats:
    """Return the variance of the mean of a combination of terms whose mean is 0."""
    users = sums[..., ONE, ONE]
    square = _product(sums, terms, terms)
    # What is left of differences of large sums, where nothing varies.
    size = _product(np.abs(sums), np.abs(terms), np.abs(terms))
    clean: Floats = np.where(square > _ROUNDING * size, square, 0.0) / (users * (users - 1))
    return clean


def _ratio(sums: Floats) -> Floats:
    return sums[..., ONE, NUMERATOR] / np.where(
        sums[..., ONE, DENOMINATOR] == 0, np.nan, sums[..., ONE, DENOMINATOR]
    )


def _residual(sums: Floats) -> Floats:
    """Return the terms of (y − R n) / n̄, (…, TERMS)."""
    terms = np.zeros(sums.shape[:-1])
    mean = sums[..., ONE, DENOMINATOR] / sums[..., ONE, ONE]
    terms[..., NUMERATOR] = 1 / mean
    terms[..., DENOMINATOR] = -_ratio(sums) / mean
    return terms


def _covariate(both: Floats) -> Floats:
    """Return the terms of the earlier ratio, linearised around the ratio of both arms."""
    terms = np.zeros(both.shape[:-1])
    total, users = both[..., ONE, BEFORE_DENOMINATOR], both[..., ONE, ONE]
    known = total > 0
    ratio = both[..., ONE, BEFORE_NUMERATOR] / total
    terms[..., BEFORE_NUMERATOR] = np.where(known, users / total, 0.0)
    terms[..., BEFORE_DENOMINATOR] = np.where(known, -ratio * users / total, 0.0)
    return terms


def _sum(sums: Floats, terms: Floats) -> Floats:
    """Return the sum over listeners of a combination of terms."""
    total: Floats = np.einsum("...i,...i->...", sums[..., ONE, :], terms)
    return total


def _product(sums: Floats, left: Floats, right: Floats) -> Floats:
    """Return the sum over listeners of the product of two combinations of terms."""
    total: Floats = np.einsum("...i,...ij,...j->...", left, sums, right)
    return total
