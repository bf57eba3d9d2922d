"""Small ridge problems (G + Λ) b = g: signed by Cholesky, non-negative by coordinate descent.

Both work in place on one float64 matrix of which the upper triangle is given.
"""

import numpy as np
from numba import njit

SWEEPS = 200
TOLERANCE = 1e-6
"""Coordinate descent stops when no weight moves by more than this; tables resolve 5e-5."""


@njit(nogil=True, cache=True, error_model="numpy")
def inplace_solve(gram, wanted):  # type: ignore[no-untyped-def]
    """Overwrite ``wanted`` with the solution of gram · b = wanted, ``gram`` with its factor.

    gram = UᵀU, row by row: every inner loop runs along a contiguous row.
    """
    size = len(wanted)
    for pivot in range(size):
        tail = gram[pivot, pivot:]
        scale = 1.0 / tail[0] ** 0.5
        for column in range(len(tail)):
            tail[column] *= scale
        wanted[pivot] *= scale
        for row in range(pivot + 1, size):
            factor = tail[row - pivot]
            wanted[row] -= factor * wanted[pivot]
            into = gram[row, row:]
            rest = tail[row - pivot :]
            for column in range(len(into)):
                into[column] -= factor * rest[column]
    for row in range(size - 1, -1, -1):
        tail = gram[row, row:]
        value = wanted[row]
        for column in range(1, len(tail)):
            value -= tail[column] * wanted[row + column]
        wanted[row] = value / tail[0]


@njit(nogil=True, cache=True, error_model="numpy")
def inplace_solve_non_negative(gram, wanted):  # type: ignore[no-untyped-def]
    """Overwrite ``wanted`` with argmin over b ≥ 0 of ½ bᵀ·gram·b - bᵀ·wanted.

    Cyclic coordinate descent on the matrix scaled to a unit diagonal; rows of weights that stay
    at zero are never touched.
    """
    size = len(wanted)
    root = np.empty(size)
    for row in range(size):
        root[row] = gram[row, row] ** 0.5
    for row in range(size):
        gram[row, row] = 1.0
        wanted[row] /= root[row]
        for column in range(row + 1, size):
            gram[row, column] /= root[row] * root[column]
            gram[column, row] = gram[row, column]
    solution = np.zeros(size)
    for _ in range(SWEEPS):
        moved = 0.0
        for row in range(size):
            step = max(wanted[row], -solution[row])
            if step != 0.0:
                solution[row] += step
                moved = max(moved, abs(step) / root[row])
                for column in range(size):
                    wanted[column] -= step * gram[row, column]
        if moved <= TOLERANCE:
            break
    for row in range(size):
        wanted[row] = solution[row] / root[row]
