"""The arrays a list is computed from, as the ranking kernel wants them."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Self

import numba as nb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.blend.kernels.fill import TracksByArtist, tracks_by_artist
from tasks.blend.kernels.kernel_layout import EdgeArrays, PackedEdges, pack
from tasks.blend.kernels.topk import TrackOrder
from tasks.blend.parameters import HybridParameters, artist_factors, popularity_prior


@dataclass(frozen=True)
class EdgeTable:
    """A neighbour table by source: CSR with targets ascending within each source."""

    indptr: NDArray[np.int64]
    targets: NDArray[np.int32]
    weights: NDArray[np.int16]

    @property
    def arrays(self) -> EdgeArrays:
        """What a compiled kernel takes."""
        return EdgeArrays(self.indptr, self.targets, self.weights)

    @classmethod
    def from_edges(cls, edges: pa.Table, tracks: int) -> Self:
        """Take EDGES rows in track keys, sorted by source and target (int32, int32, int16)."""
        # Copies: Arrow's own memory is read-only when it comes in one piece, and numba compiles
        # the kernel once more for read-only arrays.
        target, weight = edges["target"].to_numpy().copy(), edges["weight"].to_numpy().copy()
        return cls(_starts(edges["source"].to_numpy(), tracks), target, weight)

    def without(self, tracks: NDArray[np.bool_]) -> Self:
        """Return the table without any edge from or to the given tracks."""
        indptr = np.zeros_like(self.indptr)
        targets, weights = np.empty_like(self.targets), np.empty_like(self.weights)
        _leave_out(self.arrays, tracks, indptr, targets, weights)
        return type(self)(indptr, targets[: indptr[-1]], weights[: indptr[-1]])


@nb.njit(cache=True, nogil=True)
def _leave_out(
    table: EdgeArrays,
    tracks: NDArray[np.bool_],
    indptr: NDArray[np.int64],
    targets: NDArray[np.int32],
    weights: NDArray[np.int16],
) -> None:
    """Write the table without any edge from or to the given tracks."""
    size = np.int64(0)
    for source in range(len(tracks)):
        if not tracks[source]:
            for e in range(table.indptr[source], table.indptr[source + 1]):
                targets[size], weights[size] = table.targets[e], table.weights[e]
                size += not tracks[table.targets[e]]
        indptr[source + 1] = size


def _starts(source: NDArray[np.integer], tracks: int) -> NDArray[np.int64]:
    """Return where each track's edges begin, and where the last one's end; sources ascend."""
    return np.searchsorted(source, np.arange(tracks + 1, dtype=source.dtype)).astype(np.int64)


@dataclass(frozen=True)
class BlendCatalogue:
    """What the blend needs to know of each track; every array has one entry per track key."""

    artist_key: NDArray[np.int32]
    """-1: no artist."""
    is_cold: NDArray[np.bool_]
    popularity: NDArray[np.float64]
    by_listeners: NDArray[np.int32]
    """Track keys, most listened first, ties by key."""
    eligible: int
    """Only this many of ``by_listeners`` can be in a list; the others are never listed."""

    @classmethod
    def from_tracks(cls, tracks: pa.Table, unseen: NDArray[np.bool_] | None = None) -> Self:
        """Take the lake's TRACKS; ``unseen`` tracks are cold, whoever has played them since."""
        listeners = tracks["listeners"].to_numpy()
        if unseen is not None:
            listeners = np.where(unseen, 0, listeners)
        order = np.argsort(-listeners.astype(np.int64), kind="stable").astype(np.int32)
        artist = tracks["artist_key"].fill_null(-1).to_numpy().astype(np.int32)
        return cls(artist, listeners == 0, popularity_prior(listeners), order, len(order))

    @classmethod
    def read(cls, catalogue: pa.Table, tracks: pa.Table) -> Self:
        """Take the lake's CATALOGUE of a release, and the artists of TRACKS."""
        popularity = catalogue["popularity"].to_numpy().copy()
        order = np.empty(len(popularity), np.int32)
        order[catalogue["listener_rank"].to_numpy()] = np.arange(len(order), dtype=np.int32)
        artist = tracks["artist_key"].fill_null(-1).to_numpy().astype(np.int32)
        return cls(artist, popularity == 0, popularity, order, len(order))

    @cached_property
    def listener_rank(self) -> NDArray[np.int32]:
        """Position of each track in ``by_listeners``."""
        rank = np.empty_like(self.by_listeners)
        rank[self.by_listeners] = np.arange(len(rank), dtype=np.int32)
        return rank

    def __len__(self) -> int:
        return len(self.artist_key)


@dataclass(frozen=True)
class HybridModel:
    """Two neighbour tables, the catalogue and the parameters: enough to rank any history."""

    collaborative: EdgeTable
    content: EdgeTable
    catalogue: BlendCatalogue
    parameters: HybridParameters

    @cached_property
    def kernel_model(self) -> "KernelModel":
        """The arrays of the kernel; made once, when first asked for."""
        catalogue, order = self.catalogue, self.catalogue.by_listeners
        artist_key = catalogue.artist_key[order]
        warm = len(catalogue) - int(np.count_nonzero(catalogue.is_cold))
        return KernelModel(
            pack(self.collaborative.arrays, self.content.arrays, order, catalogue.listener_rank),
            TrackOrder(order, artist_key, artist_factors(self.parameters.artist_factor)),
            catalogue.popularity[order],
            tracks_by_artist(artist_key),
            min(self.parameters.popular_candidates, warm),
            catalogue.eligible,
        )


class KernelModel(NamedTuple):
    """A model as the kernel walks it, its tracks numbered by popularity (0: most listened)."""

    neighbours: PackedEdges
    tracks: TrackOrder
    popularity: NDArray[np.float64]
    by_artist: TracksByArtist
    popular: int
    """How many of the first tracks are candidates of every list with a prior."""
    eligible: int
    """How many of the first tracks can be in a list."""


def track_edges(edges: pa.Table, track_of_played: NDArray[np.int32]) -> pa.Table:
    """Map EDGES from played keys to track keys; the map is increasing, so the order stays."""
    return pa.table(
        {
            "source": track_of_played[edges["source"].to_numpy()],
            "target": track_of_played[edges["target"].to_numpy()],
            "weight": edges["weight"],
        }
    )


def track_of_played(tracks: pa.Table) -> NDArray[np.int32]:
    """Return the track key of every played key (int32, ascending)."""
    played = tracks.filter(tracks["played_key"].is_valid())
    keys: NDArray[np.int32] = played["track_key"].to_numpy()
    return keys
