"""Who played what, as the two compressed index arrays that every model reads."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import sparse

Counts = NDArray[np.int64]
Starts = NDArray[np.int32]
Keys = NDArray[np.uint16] | NDArray[np.int32]


@dataclass(frozen=True)
class RowWeights:
    """What each listener's row counts: ``whole`` · ``unit``, so that sums are exact integers."""

    whole: NDArray[np.int32]
    unit: float


@dataclass(frozen=True)
class Interactions:
    """The binary matrix X (listeners × tracks) by row and by column; indices ascend in both.

    Plays must be fewer than 2^31.
    """

    user_starts: Starts
    """Row pointer, length users + 1."""
    user_tracks: Keys
    """The tracks of each listener; 16 bits where they suffice, which the caches thank."""
    track_starts: Starts
    """Column pointer, length tracks + 1."""
    track_users: NDArray[np.int32]
    """The listeners of each track."""

    @classmethod
    def of(cls, matrix: sparse.csr_array | sparse.csr_matrix) -> Self:
        """Take the pattern of a users × tracks matrix (stored zeros count, values do not)."""
        rows = sparse.csr_array(matrix, copy=True)
        rows.sum_duplicates()
        return cls.from_rows(rows.indptr, rows.indices, rows.shape[1])

    @classmethod
    def from_rows(
        cls, starts: NDArray[np.integer], tracks_of: NDArray[np.integer], tracks: int
    ) -> Self:
        """Build from row pointer and ascending, distinct tracks per row; adds the columns."""
        user_starts = starts.astype(np.int32)
        user_tracks = as_keys(tracks_of, tracks)
        track_starts = pointer(np.bincount(user_tracks, minlength=tracks))
        track_users = np.empty(len(user_tracks), np.int32)
        fill_columns(user_starts, user_tracks, track_starts, track_users)
        return cls(user_starts, user_tracks, track_starts, track_users)

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

    @property
    def tracks_played(self) -> NDArray[np.int32]:
        """n_u: how many tracks each listener played."""
        return np.diff(self.user_starts)

    @cached_property
    def listeners(self) -> Counts:
        """n_i: how many listeners each track has."""
        return np.diff(self.track_starts).astype(np.int64)

    def weights_by_length(self, exponent: float) -> RowWeights:
        """Return d_u ∝ n_u^-exponent, scaled so that the average play weighs 1.

        Thus weighted co-occurrences stay on the scale of listeners whatever the exponent.
        """
        if exponent == 0 or self.plays == 0:
            return RowWeights(np.ones(self.users, np.int32), 1.0)
        played = self.tracks_played
        raw = np.maximum(played, 1).astype(np.float64) ** -exponent
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
        """Return, per track, the sum of a value over its listeners, added up in their order."""
        return np.asarray(
            _column_sums(self.user_starts, self.user_tracks, values, np.zeros(self.tracks))
        )

    def pair_costs(self) -> NDArray[np.float64]:
        """Return, per track, the tracks its listeners played: what its co-occurrences cost."""
        return self.column_sums(self.tracks_played)


def as_keys(tracks_of: NDArray[np.integer], tracks: int) -> Keys:
    """Return keys of ``tracks`` tracks in the smallest type that the kernels take."""
    return tracks_of.astype(np.uint16) if are_short(tracks) else tracks_of.astype(np.int32)


def are_short(tracks: int) -> bool:
    """Tell whether 16 bits are enough for the keys of ``tracks`` tracks."""
    return tracks <= 2**16


def pointer(counts: NDArray[np.integer]) -> Starts:
    """Return where each of consecutive runs of these lengths begins, and the end of the last."""
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)


@njit(nogil=True, cache=True)
def fill_columns(user_starts, user_tracks, track_starts, track_users):  # type: ignore[no-untyped-def]  # numba finds the types
    """Write every track's listeners, ascending, into ``track_users``."""
    fill = track_starts[:-1].copy()
    for user in range(len(user_starts) - 1):
        for track in user_tracks[user_starts[user] : user_starts[user + 1]]:
            track_users[fill[track]] = user
            fill[track] += 1


@njit(nogil=True, cache=True)
def _column_sums(starts, tracks_of, values, sums):  # type: ignore[no-untyped-def]  # numba finds the types
    """Walk the rows: the values come in order, and the sums of all tracks fit the caches."""
    for user in range(len(starts) - 1):
        value = values[user]
        for track in tracks_of[starts[user] : starts[user + 1]]:
            sums[track] += value
    return sums
