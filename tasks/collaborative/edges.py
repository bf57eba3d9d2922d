"""Neighbour lists on their way from a model to the table of whole numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy import sparse


@dataclass(frozen=True)
class Edges:
    """Weighted pairs source → target in parallel arrays, in any order, no pair twice."""

    source: NDArray[np.int32]
    target: NDArray[np.int32]
    weight: NDArray[np.float64]

    @classmethod
    def of_lists(
        cls,
        targets: NDArray[np.int32],
        sources: NDArray[np.int32],
        weights: NDArray[np.float64],
    ) -> Self:
        """Flatten targets × m arrays; places without a source (negative) or weight are dropped."""
        keep = (sources >= 0) & (weights != 0.0)
        return cls(sources[keep], np.repeat(targets, keep.sum(axis=1)), weights[keep])

    @classmethod
    def concatenated(cls, parts: list[Self]) -> Self:
        """Append the parts in their order."""
        return cls(
            np.concatenate([part.source for part in parts]),
            np.concatenate([part.target for part in parts]),
            np.concatenate([part.weight for part in parts]),
        )

    def reversed(self) -> Self:
        """Turn every pair around."""
        return type(self)(self.target, self.source, self.weight)

    def matrix(self, tracks: int) -> sparse.csr_array:
        """Return the sources × targets matrix, rows and columns in order."""
        from scipy import sparse  # a second of imports, which reading the settings does not need

        by_target = sparse.coo_array(
            (self.weight, (self.source, self.target)), shape=(tracks, tracks)
        ).tocsc()
        return by_target.tocsr()


def symmetric(matrix: sparse.csr_array) -> sparse.csr_array:
    """Keep a pair in both directions if either side lists it; both sides must agree in value."""
    from scipy import sparse

    return sparse.csr_array(matrix.maximum(matrix.T.tocsr()))
