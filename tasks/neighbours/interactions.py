"""Who played what, as the two compressed index arrays that every model reads."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import sparse

UNIT = 2.0**20
"""Listener weights are whole multiples of 1/UNIT: sums of them are exact in float64."""


@dataclass(frozen=True)
class Interactions:
    """The binary matrix X (listeners × tracks) by row and by column; indices ascend in both."""

    user_starts: NDArray[np.int64]
    """Row pointer, length users + 1."""
    user_tracks: NDArray[np.int32]
    """The tracks of each listener."""
    track_starts: NDArray[np.int64]
    """Column pointer, length tracks + 1."""
    track_users: NDArray[np.int32]
    """The listeners of each track."""

    @classmethod
    def of(cls, matrix: sparse.csr_array | sparse.csr_matrix) -> Self:
        """Take the pattern of a users × tracks matrix (stored zeros count, values do not)."""
        rows = sparse.csr_array(matrix, copy=True)
        rows.sum_duplicates()
        starts = rows.indptr.astype(np.int64)
        return cls.from_rows(starts, rows.indices.astype(np.int32), rows.shape[1])

    @classmethod
    def from_rows(
        cls, starts: NDArray[np.int64], tracks_of: NDArray[np.int32], tracks: int
    ) -> Self:
        """Build from row pointer and ascending, distinct tracks per row; adds the columns."""
        pattern = np.ones(len(tracks_of), dtype=np.int8)
        rows = sparse.csr_array((pattern, tracks_of, starts), shape=(len(starts) - 1, tracks))
        columns = rows.tocsc()
        return cls(
            starts,
            tracks_of,
            columns.indptr.astype(np.int64),
            columns.indices.astype(np.int32),
        )

    @property
    def users(self) -> int:
        """Number of rows, listeners without tracks included."""
        return len(self.user_starts) - 1

    @property
    def tracks(self) -> int:
        """Number of columns."""
        return len(self.track_starts) - 1

    @cached_property
    def tracks_played(self) -> NDArray[np.int64]:
        """n_u: how many tracks each listener played."""
        return np.diff(self.user_starts)

    @cached_property
    def listeners(self) -> NDArray[np.int64]:
        """n_i: how many listeners each track has."""
        return np.diff(self.track_starts)

    def row_weights(self, exponent: float) -> NDArray[np.float64]:
        """Return d_u = c · n_u^-exponent, with c such that an average play weighs 1.

        Thus weighted co-occurrences stay on the scale of listeners whatever the exponent.
        Rounded to whole multiples of 1/`UNIT` and never 0.
        """
        if exponent == 0 or len(self.user_tracks) == 0:
            return np.ones(self.users)
        played = self.tracks_played
        raw = np.maximum(played, 1).astype(np.float64) ** -exponent
        scale = len(self.user_tracks) / float(raw @ played)
        return quantised(raw * scale)

    def weighted_listeners(self, user_weight: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return G_ii = Σ d_u over the listeners of each track i."""
        return np.asarray(_column_sums(self.track_starts, self.track_users, user_weight))

    def pair_costs(self) -> NDArray[np.float64]:
        """Return, per track, the tracks its listeners played: what its co-occurrences cost."""
        return self.weighted_listeners(self.tracks_played.astype(np.float64))


def quantised(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round to whole multiples of 1/`UNIT`, at least one."""
    return np.maximum(np.rint(weights * UNIT), 1.0) / UNIT


@njit(nogil=True, cache=True)
def _column_sums(starts, users, weight):  # type: ignore[no-untyped-def]
    sums = np.zeros(len(starts) - 1)
    for column in range(len(sums)):
        for at in range(starts[column], starts[column + 1]):
            sums[column] += weight[users[at]]
    return sums
