"""The arrays a list is computed from, as the ranking kernel wants them."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.hybrid.packed import PackedNeighbours, Table
from tasks.hybrid.parameters import HybridParameters, artist_factors, popularity_prior


@dataclass(frozen=True)
class Neighbours:
    """A neighbour table by source: CSR with targets ascending within each source."""

    indptr: NDArray[np.int64]
    targets: NDArray[np.int32]
    weights: NDArray[np.int16]

    @property
    def arrays(self) -> Table:
        """What a compiled kernel takes."""
        return self.indptr, self.targets, self.weights

    @classmethod
    def from_edges(cls, edges: pa.Table, tracks: int) -> Self:
        """Take EDGES rows in track keys, sorted by source and target (int32, int32, int16)."""
        source = edges["source"].to_numpy()
        indptr = np.searchsorted(source, np.arange(tracks + 1)).astype(np.int64)
        # Copies: Arrow's own memory is read-only when it comes in one piece, and numba compiles
        # the kernel once more for read-only arrays.
        return cls(indptr, edges["target"].to_numpy().copy(), edges["weight"].to_numpy().copy())


@dataclass(frozen=True)
class Catalogue:
    """What the blend must know of each track; every array has one entry per track key."""

    artist_key: NDArray[np.int32]
    """-1: no artist."""
    is_cold: NDArray[np.bool_]
    popularity: NDArray[np.float64]
    by_listeners: NDArray[np.int32]
    """Track keys, most listened first, ties by key."""
    listener_rank: NDArray[np.int32]
    """Position of each track in ``by_listeners``."""

    @classmethod
    def from_tracks(cls, tracks: pa.Table) -> Self:
        """Take the lake's TRACKS."""
        listeners = tracks["listeners"].to_numpy()
        order = np.argsort(-listeners.astype(np.int64), kind="stable").astype(np.int32)
        rank = np.empty(len(order), dtype=np.int32)
        rank[order] = np.arange(len(order), dtype=np.int32)
        artist = tracks["artist_key"].fill_null(-1).to_numpy().astype(np.int32)
        return cls(artist, listeners == 0, popularity_prior(listeners), order, rank)

    def __len__(self) -> int:
        return len(self.artist_key)


@dataclass(frozen=True)
class HybridModel:
    """Two neighbour tables, the catalogue and the parameters: enough to rank any history."""

    collaborative: Neighbours
    content: Neighbours
    catalogue: Catalogue
    parameters: HybridParameters

    @cached_property
    def packed(self) -> PackedNeighbours:
        """Both neighbour tables as the kernel walks them; made once, when first asked for."""
        return PackedNeighbours.pack(
            self.collaborative.arrays, self.content.arrays, self.catalogue.listener_rank
        )

    @property
    def artist_factors(self) -> NDArray[np.float64]:
        """δⁿ for n = 0, 1, …"""
        return artist_factors(self.parameters.artist_factor)


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
