"""Sample ratio mismatch: do the listeners per variant match the shares?

A mismatch means that something other than chance decides who is counted (a crash in one variant, a
lost log), so the comparison is invalid. Fabijan et al. 2019, "Diagnosing sample ratio
mismatch in online controlled experiments".
"""

from collections.abc import Sequence

import numpy as np
from scipy import stats

MISMATCH_LEVEL = 1e-3
"""A smaller p-value is a mismatch; strict, because every run tests again."""


def mismatch_p_value(users: Sequence[int], shares: Sequence[float]) -> float:
    """Return the p-value of Pearson's chi-square test of the counts against the shares."""
    counts = np.asarray(users, np.float64)
    if counts.sum() == 0:
        return 1.0
    weights = np.asarray(shares, np.float64)
    expected = counts.sum() * weights / weights.sum()
    return float(stats.chisquare(counts, expected).pvalue)
