"""Sums of neighbour weights over a history, kept apart by signal and in track keys."""

import numba as nb
import numpy as np
from numpy.typing import NDArray

from tasks.hybrid.packed import Table

HEARD, TOUCHED = 1, 2
"""Bits of a track's state while one history is measured."""


@nb.njit(cache=True, nogil=True)
def accumulate(
    history: NDArray[np.int32],
    collaborative: Table,
    content: Table,
    c_sum: NDArray[np.int64],
    d_sum: NDArray[np.int64],
    state: NDArray[np.uint8],
    touched: NDArray[np.int32],
) -> int:
    """Sum the neighbour weights of the history; return how many tracks were touched."""
    count = 0
    for table in range(2):
        indptr, targets, weights = collaborative if table == 0 else content
        sums = c_sum if table == 0 else d_sum
        for i in history:
            for e in range(indptr[i], indptr[i + 1]):
                j = targets[e]
                sums[j] += weights[e]
                if state[j] & TOUCHED == 0:
                    state[j] |= TOUCHED
                    touched[count] = j
                    count += 1
    return count


@nb.njit(cache=True, nogil=True)
def maxima(
    touched: NDArray[np.int32],
    c_sum: NDArray[np.int64],
    d_sum: NDArray[np.int64],
    state: NDArray[np.uint8],
) -> tuple[int, int]:
    """Largest sums over tracks outside the history; 0 means that the signal is absent."""
    c_max, d_max = 0, 0
    for j in touched:
        if state[j] & HEARD == 0:
            if c_sum[j] > c_max:
                c_max = c_sum[j]
            if d_sum[j] > d_max:
                d_max = d_sum[j]
    return c_max, d_max
