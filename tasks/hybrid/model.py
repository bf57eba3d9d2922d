"""The arrays a list is computed from, as the ranking kernel wants them."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.hybrid.fill import ByArtist, tracks_by_artist
from tasks.hybrid.packed import Packed, Table, pack
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
        indptr = np.concatenate([[0], np.cumsum(np.bincount(source, minlength=tracks))])
        # Copies: Arrow's own memory is read-only when it comes in one piece, and numba compiles
        # the kernel once more for read-only arrays.
        return cls(indptr, edges["target"].to_numpy().copy(), edges["weight"].to_numpy().copy())

    @classmethod
    def none(cls, tracks: int) -> Self:
        """Return a table without an edge."""
        return cls(np.zeros(tracks + 1, np.int64), np.empty(0, np.int32), np.empty(0, np.int16))


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
    eligible: int
    """Only so many of ``by_listeners`` can be in a list; the others are there in name only."""

    @classmethod
    def from_tracks(cls, tracks: pa.Table) -> Self:
        """Take the lake's TRACKS."""
        listeners = tracks["listeners"].to_numpy()
        order = np.argsort(-listeners.astype(np.int64), kind="stable").astype(np.int32)
        rank = np.empty(len(order), dtype=np.int32)
        rank[order] = np.arange(len(order), dtype=np.int32)
        artist = tracks["artist_key"].fill_null(-1).to_numpy().astype(np.int32)
        return cls(artist, listeners == 0, popularity_prior(listeners), order, rank, len(order))

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
    def numbered(self) -> "Numbered":
        """The arrays of the kernel; made once, when first asked for."""
        return Numbered.of(self)

    @property
    def artist_factors(self) -> NDArray[np.float64]:
        """δⁿ for n = 0, 1, …"""
        return artist_factors(self.parameters.artist_factor)


@dataclass(frozen=True)
class Numbered:
    """A model as the kernel walks it, its tracks numbered by popularity (0: most listened)."""

    neighbours: Packed
    track_key: NDArray[np.int32]
    artist_key: NDArray[np.int32]
    popularity: NDArray[np.float64]
    by_artist: ByArtist
    popular: int
    """How many of the first tracks are candidates of every list with a prior."""

    @classmethod
    def of(cls, model: HybridModel) -> Self:
        """Number the tracks of a model."""
        catalogue, order = model.catalogue, model.catalogue.by_listeners
        artist_key = catalogue.artist_key[order]
        warm = len(catalogue) - int(np.count_nonzero(catalogue.is_cold))
        return cls(
            pack(model.collaborative.arrays, model.content.arrays, order),
            order,
            artist_key,
            catalogue.popularity[order],
            tracks_by_artist(artist_key),
            min(model.parameters.popular_candidates, warm),
        )


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
