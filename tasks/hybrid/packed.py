"""The two neighbour tables as one, laid out for the ranking kernel.

Tracks are renumbered by popularity, so that the sums a history touches lie close together, and
the collaborative and the content edge of a pair stand in one entry, so that a history is walked
once. Nothing is rounded or left out.
"""

from dataclasses import dataclass
from typing import Self, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Table: TypeAlias = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int16]]
"""A neighbour table by source: indptr, targets, weights."""

COLLABORATIVE_UNIT = 1 << 16
"""A packed weight is the collaborative one times this plus the content one, both int16."""


@dataclass(frozen=True)
class PackedNeighbours:
    """Both neighbour tables by source, tracks numbered by popularity (0: most listened)."""

    indptr: NDArray[np.int64]
    targets: NDArray[np.uint32]
    """Ascending within each source."""
    weights: NDArray[np.int32]
    """In `COLLABORATIVE_UNIT`s; a table without the edge counts as 0."""

    @classmethod
    def pack(cls, collaborative: Table, content: Table, rank: NDArray[np.int32]) -> Self:
        """Merge two tables in track keys; ``rank`` is the new number of every track key."""
        tracks = len(rank)
        both = (
            _matrix(collaborative, tracks) * COLLABORATIVE_UNIT + _matrix(content, tracks)
        ).tocoo()
        renumbered = sparse.coo_array(
            (both.data, (rank[both.row], rank[both.col])), shape=(tracks, tracks)
        )
        renumbered.has_canonical_format = True  # no pair is there twice: nothing to sum
        by_source = renumbered.tocsc().tocsr()  # by way of columns: rows come out sorted
        return cls(
            by_source.indptr.astype(np.int64),
            by_source.indices.astype(np.uint32),
            by_source.data,
        )


def _matrix(table: Table, tracks: int) -> sparse.csr_array:
    indptr, targets, weights = table
    return sparse.csr_array((weights.astype(np.int32), targets, indptr), shape=(tracks, tracks))
