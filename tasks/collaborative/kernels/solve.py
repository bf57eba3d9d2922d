"""Small ridge problems (G + Λ) b = g: signed by Cholesky, non-negative by coordinate descent.

Both work in place on one float64 matrix of which the upper triangle is given.
"""

import numpy as np
from numba import njit

SWEEPS = 200
TOLERANCE = 1e-6
"""Coordinate descent stops when no weight moves by more than this; tables resolve 5e-5."""


@njit(nogil=True, cache=True, error_model="numpy")
def inplace_solve(gram, wanted):  # type: ignore[no-untyped-def]  # numba finds the types
    """Overwrite ``wanted`` with the solution of gram · b = wanted, ``gram`` with its factor.

    gram = UᵀU, four pivots at a time; every inner loop runs along contiguous rows.
    """
    size = len(wanted)
    for start in range(0, size, 4):
        stop = min(start + 4, size)
        for pivot in range(start, stop):
            tail = gram[pivot, pivot:]
            scale = 1.0 / tail[0] ** 0.5
            for at in range(len(tail)):
                tail[at] *= scale
            wanted[pivot] *= scale
            for row in range(pivot + 1, stop):
                into = gram[row, row:]
                rest = tail[row - pivot :]
                factor = rest[0]
                wanted[row] -= factor * wanted[pivot]
                for at in range(len(into)):
                    into[at] -= factor * rest[at]
        for row in range(stop, size):
            _subtract_four(gram, wanted, start, row)
    for row in range(size - 1, -1, -1):
        tail = gram[row, row:]
        value = wanted[row]
        for at in range(1, len(tail)):
            value -= tail[at] * wanted[row + at]
        wanted[row] = value / tail[0]


@njit(nogil=True, cache=True)
def _subtract_four(gram, wanted, pivot, row):  # type: ignore[no-untyped-def]  # numba finds the types
    """Subtract four finished rows from a later one: one pass over it instead of four."""
    into = gram[row, row:]
    a, b = gram[pivot, row:], gram[pivot + 1, row:]
    c, d = gram[pivot + 2, row:], gram[pivot + 3, row:]
    e, f, g, h = a[0], b[0], c[0], d[0]
    wanted[row] -= (e * wanted[pivot] + f * wanted[pivot + 1]) + (
        g * wanted[pivot + 2] + h * wanted[pivot + 3]
    )
    for at in range(len(into)):
        into[at] -= (e * a[at] + f * b[at]) + (g * c[at] + h * d[at])


@njit(nogil=True, cache=True, error_model="numpy")
def inplace_solve_non_negative(gram, wanted):  # type: ignore[no-untyped-def]  # numba finds the types
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


@njit(nogil=True, cache=True)
def inplace_solve_all(triangles, unit, ridge, sources, weights, non_negative):  # type: ignore[no-untyped-def]  # numba finds the types
    """Overwrite the right-hand sides in ``weights`` with the solutions."""
    most = sources.shape[1]
    for row in range(len(sources)):
        size = 0
        while size < most and sources[row, size] >= 0:
            size += 1
        gram = np.empty((size, size))
        for i in range(size):
            gram[i, i] = ridge[sources[row, i]]
            first = i * (2 * most - i - 1) // 2 - i - 1
            for j in range(i + 1, size):
                gram[i, j] = triangles[row, first + j] * unit
        if non_negative:
            inplace_solve_non_negative(gram, weights[row, :size])
        else:
            inplace_solve(gram, weights[row, :size])
