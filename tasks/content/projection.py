"""What a fitted model does to the features of a track: tracks can be placed that it never saw."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tasks.content.embedding import reduced, unit_rows
from tasks.content.features import FeatureMatrix
from tasks.lake.contracts.stages.content import PROJECTION

_ARRAYS = ("shares", "basis", "weights", "constant", "effects", "listening_share")


@dataclass(frozen=True)
class Placed:
    """Where tracks lie, as in `tasks.content.search.Space`."""

    vectors: NDArray[np.float32]
    observed: NDArray[np.float32] | None


@dataclass(frozen=True)
class Projection:
    """The fitted parts of a model, float64; features themselves are encoded by `features`."""

    shares: NDArray[np.float64]
    """(features,) what each counts, summing to 1."""
    basis: NDArray[np.float64]
    """(columns, dimensions) that features are reduced to; empty where they keep their columns."""
    weights: NDArray[np.float64]
    """(columns, rank), the map to listening; rank 0 where nothing was learned."""
    constant: NDArray[np.float64]
    """(rank,), what the map adds."""
    effects: NDArray[np.float64]
    """(artists, rank), what each artist adds."""
    listening_share: float
    """Share of similarity that lies in the mapped positions."""

    def place(self, matrix: FeatureMatrix, artists: NDArray[np.int32]) -> Placed:
        """Place tracks by their features and artists (-1: none known), as the model places those
        that nobody has played.

        Raises ValueError for a matrix with other columns than those of the fit.
        """
        rows, columns = len(artists), sum(matrix.widths)
        if columns != len(self.weights) or len(matrix.names) != len(self.shares):
            raise ValueError(f"{columns} columns of features, fitted were {len(self.weights)}")
        if not matrix.names:
            return Placed(np.zeros((rows, 1), np.float32), None)
        features = matrix.weighted(self.shares)
        raw = unit_rows(reduced(features, self.basis if self.basis.size else None))
        if not self.listening_share:
            return Placed(raw, None)
        known_artist = artists >= 0
        effects = np.zeros((rows, len(self.constant)))
        effects[known_artist] = self.effects[artists[known_artist]]
        known = (np.diff(features.indptr) > 0) | (effects != 0).any(axis=1)
        placed = features @ self.weights + self.constant + effects
        positions = np.where(known[:, None], placed, 0.0)
        return joined(raw, positions, positions, self.listening_share)

    def table(self) -> pa.Table:
        """Return PROJECTION."""
        arrays = [np.asarray(getattr(self, name), np.float64) for name in _ARRAYS]
        return pa.table(
            [
                _ARRAYS,
                pa.array([list(one.shape) for one in arrays], pa.list_(pa.int32())),
                pa.array([one.ravel() for one in arrays], pa.list_(pa.float64())),
            ],
            schema=PROJECTION.schema,
        )

    @classmethod
    def read(cls, path: Path) -> "Projection":
        """Read what `table` was written to."""
        rows = pq.read_table(path)
        values = {
            name: rows["values"][x].values.to_numpy().reshape(rows["shape"][x].as_py())
            for x, name in enumerate(rows["name"].to_pylist())
        }
        share = float(values.pop("listening_share"))
        return cls(**values, listening_share=share)


def joined(
    raw: NDArray[np.float32],
    positions: NDArray[np.float64],
    observed: NDArray[np.float64],
    share: float,
) -> Placed:
    """Set features and positions side by side, so that products add up with their shares."""
    head = raw * np.sqrt(1 - share)
    tail = unit_rows(positions) * np.sqrt(share)
    length = np.sqrt((head**2).sum(axis=1) + (tail**2).sum(axis=1))[:, None]
    scale = np.where(length > 0, 1 / np.maximum(length, 1e-9), 1.0)
    return Placed(
        vectors=np.asarray(np.hstack([head, tail]) * scale, dtype=np.float32),
        observed=np.asarray(unit_rows(observed) * np.sqrt(share) * scale, dtype=np.float32),
    )
