"""Who played what, as the two compressed index arrays that every model reads."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import sparse

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class RowWeights:
    """What each listener's row counts: ``whole`` · ``unit``, so that sums are exact integers."""

    whole: NDArray[np.int32]
    unit: float


@dataclass(frozen=True)
class Interactions:
    """The binary matrix X (listeners × tracks) by row and by column; indices ascend in both."""

    user_starts: Counts
    """Row pointer, length users + 1."""
    user_tracks: NDArray[np.uint16] | NDArray[np.int32]
    """The tracks of each listener; 16 bits where they suffice, which the caches thank."""
    track_starts: Counts
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
    def from_rows(cls, starts: Counts, tracks_of: NDArray[np.int32], tracks: int) -> Self:
        """Build from row pointer and ascending, distinct tracks per row; adds the columns."""
        pattern = np.ones(len(tracks_of), dtype=np.int8)
        rows = sparse.csr_array((pattern, tracks_of, starts), shape=(len(starts) - 1, tracks))
        columns = rows.tocsc()
        small = tracks <= 2**16
        return cls(
            starts,
            tracks_of.astype(np.uint16) if small else tracks_of,
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

    @property
    def plays(self) -> int:
        """Number of pairs of listener and track."""
        return len(self.user_tracks)

    @cached_property
    def tracks_played(self) -> Counts:
        """n_u: how many tracks each listener played."""
        return np.diff(self.user_starts)

    @cached_property
    def listeners(self) -> Counts:
        """n_i: how many listeners each track has."""
        return np.diff(self.track_starts)

    def weights_by_length(self, exponent: float) -> RowWeights:
        """Return d_u ∝ n_u^-exponent, scaled so that the average play weighs 1.

        Thus weighted co-occurrences stay on the scale of listeners whatever the exponent.
        """
        played = self.tracks_played
        raw = np.maximum(played, 1).astype(np.float64) ** -exponent
        if exponent == 0 or self.plays == 0:
            return RowWeights(np.ones(self.users, np.int32), 1.0)
        return self.row_weights(raw * (self.plays / float(raw @ played)))

    def row_weights(self, weights: NDArray[np.float64]) -> RowWeights:
        """Round positive weights to multiples of a power of two, none to 0.

        The unit is the finest, down to 2^-20, with which no track's total leaves int32.
        """
        most = float(self.column_sums(weights).max(initial=1.0))
        unit = 2.0 ** -min(20.0, np.floor(30.0 - np.log2(most)))
        whole = np.maximum(np.rint(weights / unit), 1.0)
        return RowWeights(whole.astype(np.int32), unit)

    def column_sums(self, values: NDArray[np.float64] | NDArray[np.int32]) -> NDArray[np.float64]:
        """Return, per track, the sum of a value over its listeners."""
        return np.asarray(_column_sums(self.track_starts, self.track_users, values))

    def pair_costs(self) -> NDArray[np.float64]:
        """Return, per track, the tracks its listeners played: what its co-occurrences cost."""
        return self.column_sums(self.tracks_played.astype(np.float64))


@njit(nogil=True, cache=True)
def _column_sums(starts, users, values):  # type: ignore[no-untyped-def]
    sums = np.zeros(len(starts) - 1)
    for column in range(len(sums)):
        for at in range(starts[column], starts[column + 1]):
            sums[column] += values[users[at]]
    return sums
