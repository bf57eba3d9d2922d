"""Sorting of a few hundred numbers inside compiled code; numba's own sort takes 6 s to compile."""

import numba as nb
import numpy as np
from numpy.typing import NDArray

BUCKETS = 256
"""Fewer numbers than a quarter of this are sorted without buckets."""


@nb.njit(cache=True, nogil=True)
def sort(values: NDArray[np.int64]) -> None:
    """Sort numbers, ascending: by size into buckets, then Shell sort as far as a bucket is wide."""
    gap = min(_scatter(values), len(values) // 2)
    while gap > 0:
        for x in range(gap, len(values)):
            value, y = values[x], x
            while y >= gap and values[y - gap] > value:
                values[y] = values[y - gap]
                y -= gap
            values[y] = value
        gap = 1 if gap == 2 else gap * 5 // 11


@nb.njit(cache=True, nogil=True)
def _scatter(values: NDArray[np.int64]) -> int:
    """Bring numbers nearly in order, without a comparison; return how far off they may still be."""
    if len(values) < BUCKETS // 4:
        return len(values)
    low, high = values.min(), values.max()
    shift = 0
    while (high - low) >> shift >= BUCKETS:
        shift += 1
    ends = np.zeros(BUCKETS + 1, np.int64)
    for value in values:
        ends[((value - low) >> shift) + 1] += 1
    largest = 1
    for x in range(BUCKETS):
        largest = max(largest, ends[x + 1])
        ends[x + 1] += ends[x]
    scattered = np.empty_like(values)
    for value in values:
        bucket = (value - low) >> shift
        scattered[ends[bucket]] = value
        ends[bucket] += 1
    values[:] = scattered
    return largest
