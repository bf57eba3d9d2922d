"""Bootstrap over listeners: one set of resamples for everything, so that comparisons are paired.

Means are computed on whole billionths, so that sums are exact in float64 and no interval depends
on the order in which a BLAS adds.
"""

import numpy as np
from numpy.typing import NDArray

UNIT = 1e9


def resample_counts(listeners: int, resamples: int, seed: int) -> NDArray[np.float64]:
    """Return how often each resample draws each listener: resamples × listeners."""
    rng = np.random.default_rng(seed)
    counts = np.empty((resamples, listeners))
    for b in range(resamples):
        counts[b] = np.bincount(rng.integers(0, listeners, listeners), minlength=listeners)
    return counts


def whole(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the values in whole billionths; NaN becomes 0."""
    return np.rint(np.nan_to_num(values) * UNIT)


def resampled_means(
    counts: NDArray[np.float64], values: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the means of the columns of ``values`` in every resample: resamples × columns.

    NaN is no value; a resample without any has the mean NaN.
    """
    total = counts @ whole(values)
    known = ~np.isnan(values)
    if (known == known[:, :1]).all():  # the usual case: one count of listeners for all columns
        known = known[:, :1]
    weight = np.broadcast_to(counts @ known.astype(np.float64), total.shape)
    means = np.full(total.shape, np.nan)
    np.divide(total, weight * UNIT, out=means, where=weight > 0)
    return means


def interval(
    means: NDArray[np.float64], confidence: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the ends of the percentile interval of every column of resampled means."""
    tail = (1.0 - confidence) / 2
    quantile = np.nanquantile if np.isnan(means).any() else np.quantile  # six times as fast
    ends = quantile(means, [tail, 1.0 - tail], axis=0)
    return ends[0], ends[1]
