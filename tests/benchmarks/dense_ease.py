"""Dense EASE at tens of thousands of tracks: Gram matrix and inverse in the least memory there is.

In double precision, by Cholesky's factor, in two halves: of the symmetric matrix only the blocks
A11, A12 and A22 are kept, and the inverse takes their place. `numpy.linalg.inv` would hold three
whole matrices, and the factor of OpenBLAS 0.3.30 with two threads fails beyond some 20,000 columns
(a segmentation fault), which halves avoid as well.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg import blas, lapack

COLUMNS = 1_000
"""Of the Gram matrix, computed at a time: sparse, it is as large again."""

Matrix = NDArray[np.float64]


@dataclass
class Halves:
    """A symmetric matrix [[A11, A12], [A12ᵀ, A22]]; of A11 and A22 the upper triangles count."""

    first: Matrix
    both: Matrix
    second: Matrix


def dense_ease(X: sparse.csr_matrix, ridge: float) -> Halves:
    """Return the weights of EASE, P / -diag(P) by column (Steck 2019), diagonal included.

    The weights are not symmetric: below the blocks' diagonals, P stands undivided.
    """
    half = X.shape[1] // 2
    left, right = X[:, :half], X[:, half:]
    gram = Halves(_product(left, left), _product(left, right), _product(right, right))
    for block in (gram.first, gram.second):
        block[np.diag_indices_from(block)] += ridge
    inverse = inplace_inverse(gram)
    for block in (inverse.first, inverse.second):
        diagonal = -np.diag(block).copy()
        for column in range(len(block)):
            block[: column + 1, column] /= diagonal[column]
        if block is inverse.second:
            inverse.both /= diagonal
    return inverse


def inplace_inverse(matrix: Halves) -> Halves:
    """Invert a positive definite matrix in its own memory and that of one block more.

    With S = A22 - A12ᵀ·A11⁻¹·A12 and Z = A11⁻¹·A12 the blocks of the inverse are
    A11⁻¹ + Z·S⁻¹·Zᵀ, -Z·S⁻¹ and S⁻¹.
    """
    factor = _done(lapack.dpotrf(matrix.first, overwrite_a=1, clean=0))
    W = blas.dtrsm(1.0, factor, matrix.both, trans_a=1, overwrite_b=1)
    S = blas.dsyrk(-1.0, W, beta=1.0, c=matrix.second, trans=1, overwrite_c=1)
    second = _done(lapack.dpotrf(S, overwrite_a=1, clean=0))
    second = _done(lapack.dpotri(second, overwrite_c=1))
    Z = blas.dtrsm(1.0, factor, W, overwrite_b=1)
    both = blas.dsymm(-1.0, second, Z, side=1)
    first = _done(lapack.dpotri(factor, overwrite_c=1))
    first = blas.dgemm(-1.0, both, Z, beta=1.0, c=first, trans_b=1, overwrite_c=1)
    return Halves(first, both, second)


def _product(left: sparse.csr_matrix, right: sparse.csr_matrix) -> Matrix:
    dense = np.empty((left.shape[1], right.shape[1]), order="F")
    for start in range(0, right.shape[1], COLUMNS):
        dense[:, start : start + COLUMNS] = (left.T @ right[:, start : start + COLUMNS]).toarray()
    return dense


def _done(answer: tuple[Matrix, int]) -> Matrix:
    matrix, failed = answer
    if failed:
        raise ArithmeticError("the Gram matrix is not positive definite")
    return matrix
