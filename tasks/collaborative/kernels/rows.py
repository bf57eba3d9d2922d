"""Listeners' rows laid out for walking: one record each, and many fetched at a time.

A walk visits listeners in no order, so nearly every row is a miss of all caches. Looking up a
batch of records, then of first tracks, before any is used lets the misses overlap; it makes the
walks about twice as fast.
"""

import numpy as np
from numpy.typing import NDArray

from tasks.collaborative.interactions import Interactions, RowWeights

BATCH = 256
"""Rows fetched at a time."""

FIRST, END, WEIGHT = 0, 1, 2
"""Columns of a record: where the row begins and ends, and its whole weight."""


def row_records(interactions: Interactions, weights: RowWeights) -> NDArray[np.int32]:
    """Return users × 3 records; plays must be fewer than 2^31."""
    records = np.empty((interactions.users, 3), np.int32)
    records[:, FIRST] = interactions.user_starts[:-1]
    records[:, END] = interactions.user_starts[1:]
    records[:, WEIGHT] = weights.whole
    return records
