"""Intervals over draws of hidden tracks: a draw is one observation, however many listeners it has.

All listeners of a draw have the same tracks to find, so their values move together: resampling
listeners alone would call a result certain that the next draw of tracks contradicts. The interval
is Student's t over the draws, which is exact for few of them if their means are about normal. The
interval of a ratio takes each draw's residual from it (the delta method, as for ratio estimators,
Cochran 1977), so that what makes a draw easy for both models cancels.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

CONFIDENCE = 0.95


class Interval(NamedTuple):
    """A value with the ends of its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class DrawMeans:
    """The sum of the values of every draw, and how many there are."""

    sums: NDArray[np.float64]
    counts: NDArray[np.float64]

    @property
    def pooled(self) -> float:
        """Return the mean over all listeners of all draws; NaN without any."""
        total = float(self.counts.sum())
        return float(self.sums.sum()) / total if total else np.nan

    def interval(self) -> Interval:
        """Return the pooled mean with its interval over draws."""
        pooled = self.pooled
        half = _half_width(self.sums - pooled * self.counts, float(self.counts.sum()))
        return Interval(pooled, pooled - half, pooled + half)

    def ratio_to(self, other: "DrawMeans") -> Interval:
        """Return how many times as large this mean is as the other, paired by draw.

        Infinite where the other is 0, NaN where both are.
        """
        total = float(other.sums.sum())
        if total <= 0:
            value = np.inf if self.sums.sum() > 0 else np.nan
            return Interval(value, value, value)
        ratio = float(self.sums.sum()) / total
        half = _half_width(self.sums - ratio * other.sums, total)
        return Interval(ratio, ratio - half, ratio + half)


def draw_means(values: NDArray[np.float64], draws: int) -> DrawMeans:
    """Sum up values (draws × listeners in turn, equally many each; NaN: none) by draw."""
    by_draw = values.reshape(draws, -1)
    known = ~np.isnan(by_draw)
    return DrawMeans(np.where(known, by_draw, 0.0).sum(axis=1), known.sum(axis=1).astype(float))


def _half_width(residuals: NDArray[np.float64], total: float) -> float:
    """Return half the width of the interval of Σ / total from its residuals by draw."""
    draws = len(residuals)
    if draws < 2 or total <= 0:
        return float("nan")
    # Var(Σ residuals) = n · s², with the n - 1 degrees of freedom of s²
    spread = float(residuals.std(ddof=1) * np.sqrt(draws))
    wide = float(student.ppf((1 + CONFIDENCE) / 2, draws - 1))
    return wide * spread / total
