"""Cap what one listener may add to a metric, so that one outlier decides nothing.

A cap is a quantile of the listeners with a value above 0 in all variants together, so that it
favours none (winsorizing; Kohavi, Tang & Xu 2020, "Trustworthy online controlled experiments",
chapter 18). Of a ratio, first the denominator is capped, and the numerator shrinks with it: a
listener with very many exposures keeps the own click rate and counts as one with many. Then the
numerator is capped.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Caps:
    """The most that one listener adds to numerator and denominator."""

    numerator: float = np.inf
    denominator: float = np.inf

    @classmethod
    def of(cls, numerator: Floats, denominator: Floats, quantile: float) -> "Caps":
        """Return the caps of listeners with these sums."""
        below = _quantile(denominator, quantile)
        scaled, _ = cls(denominator=below).cut(numerator, denominator)
        return cls(_quantile(scaled, quantile), below)

    def cut(self, numerator: Floats, denominator: Floats) -> tuple[Floats, Floats]:
        """Return the sums as they count."""
        if np.isinf(self.denominator):
            return np.minimum(numerator, self.numerator), denominator
        kept = np.minimum(denominator, self.denominator)
        share = np.divide(kept, denominator, out=np.ones_like(kept), where=denominator > 0)
        return np.minimum(numerator * share, self.numerator), kept

    def exceeded(self, numerator: Floats, denominator: Floats) -> NDArray[np.bool_]:
        """Tell which listeners are capped."""
        above, below = self.cut(numerator, denominator)
        return (above < numerator) | (below < denominator)


def _quantile(values: Floats, quantile: float) -> float:
    """Return a value that occurs, never the largest of two or more; infinity without any."""
    positive = values[values > 0]
    if not len(positive):
        return np.inf
    return float(np.quantile(positive, quantile, method="lower"))
