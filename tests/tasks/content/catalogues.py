"""Small catalogues for the tests: random ones, and ones made by hand."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from tasks.lake.contracts.stages.ingest import TRACKS, tracks_schema

NUMERIC = ("duration_ms", "energy", "tempo")
CATEGORICAL = ("key", "mode", "mood")


def catalogue(
    tags: Sequence[Sequence[str] | None],
    artists: Sequence[int | None] | None = None,
    played: Sequence[bool] | None = None,
    **columns: Sequence[Any],
) -> pa.Table:
    """Make a TRACKS table of the given tags, artists and further columns; the rest is null."""
    size = len(tags)
    played = [True] * size if played is None else played
    played_keys = np.cumsum(played) - 1
    data: dict[str, Any] = {name: [None] * size for name in TRACKS.schema.names}
    data |= {
        "track_key": list(range(size)),
        "track_id": [f"T{key:06d}" for key in range(size)],
        "artist_key": list(artists) if artists is not None else [None] * size,
        "tags": list(tags),
        "listeners": [int(one) for one in played],
        "plays": [int(one) for one in played],
        "played_key": [int(k) if p else None for k, p in zip(played_keys, played, strict=True)],
    }
    numeric = tuple(name for name in columns if name not in (*TRACKS.schema.names, *CATEGORICAL))
    categorical = tuple(name for name in columns if name in CATEGORICAL)
    data |= {name: list(values) for name, values in columns.items()}
    return pa.table(data, schema=tracks_schema(numeric, categorical))


def random_catalogue(size: int, seed: int, cold: float = 0.4, missing: float = 0.2) -> pa.Table:
    """Make a catalogue of ``size`` tracks with every kind of column and gaps in each."""
    rng = np.random.default_rng(seed)
    names = [f"tag{i:02d}" for i in range(30)]
    gone = rng.random((size, 8)) < missing

    def gaps(values: Sequence[Any], column: int) -> list[Any]:
        return [None if gone[i, column] else value for i, value in enumerate(values)]

    tags = [sorted(rng.choice(names, rng.integers(1, 6), replace=False)) for _ in range(size)]
    artists = np.unique(rng.integers(0, max(size // 4, 1), size), return_inverse=True)[1]
    return catalogue(
        gaps([[str(tag) for tag in row] for row in tags], 0),
        gaps(artists.tolist(), 1),
        (rng.random(size) >= cold).tolist(),
        genre=gaps([f"genre{i}" for i in rng.integers(0, 5, size)], 2),
        year=gaps(rng.integers(1950, 2020, size).tolist(), 3),
        energy=gaps(rng.random(size).tolist(), 4),
        tempo=gaps((60 + 120 * rng.random(size)).tolist(), 5),
        key=gaps([str(i) for i in rng.integers(0, 12, size)], 6),
        mode=gaps([str(i) for i in rng.integers(0, 2, size)], 6),
        mood=gaps([f"mood{i}" for i in rng.integers(0, 3, size)], 7),
    )
