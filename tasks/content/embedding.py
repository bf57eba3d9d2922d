"""One unit vector per track: a weighted feature matrix reduced to a few dimensions."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # has no types

EXACT_COLUMNS = 3_000
"""Up to this many columns the decomposition is exact (eigenvectors of the columns' products)."""


def strongest(matrix: sparse.csr_array, dimensions: int, seed: int) -> NDArray[np.float64] | None:
    """Return the ``dimensions`` strongest right singular vectors, as columns, signs fixed.

    None for a matrix that is narrow already.
    """
    rows, columns = matrix.shape
    if columns <= dimensions:
        return None
    with threadpool_limits(limits=1):  # sums in one order, whatever the machine
        if columns <= EXACT_COLUMNS:
            products = (matrix.T @ matrix).toarray()
            _, vectors = np.linalg.eigh(products)
            basis = np.ascontiguousarray(vectors[:, ::-1][:, :dimensions])
        else:
            rank = min(dimensions, rows)
            from sklearn.decomposition import TruncatedSVD  # over a second of imports

            svd = TruncatedSVD(rank, n_iter=7, random_state=seed).fit(matrix)
            basis = np.ascontiguousarray(svd.components_.T)
        return fix_signs(basis)


def reduced(matrix: sparse.csr_array, basis: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """Project rows on a basis, or return them dense where there is none.

    With that of `strongest` the result keeps the rows' dot products as well as any matrix with
    these dimensions can.
    """
    if basis is None:
        return np.asarray(matrix.toarray(), dtype=np.float64)
    return np.asarray(matrix @ basis, dtype=np.float64)


def fix_signs(basis: NDArray[np.float64]) -> NDArray[np.float64]:
    """Make the largest entry of every column positive: a decomposition leaves signs open."""
    largest = np.abs(basis).argmax(axis=0)
    signs = np.sign(basis[largest, np.arange(basis.shape[1])])
    return basis * np.where(signs == 0, 1.0, signs)


def unit_rows(rows: NDArray[np.float64]) -> NDArray[np.float32]:
    """Scale rows to length 1; rows of (next to) nothing become zero."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 1e-9)
    return np.asarray(scaled, dtype=np.float32)
