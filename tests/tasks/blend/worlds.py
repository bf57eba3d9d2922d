"""Small random worlds: neighbour tables, catalogues and histories with every awkwardness."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.blend.model import BlendCatalogue, EdgeTable, HybridModel
from tasks.blend.parameters import HybridParameters
from tasks.lake.contracts.edges import EDGES


def random_edges(
    rng: np.random.Generator, sources: NDArray[np.int32], targets: NDArray[np.int32], low: int
) -> pa.Table:
    """Return EDGES between the given tracks, about a third of all pairs, weights from ``low``."""
    pairs = [
        (int(i), int(j), weight)
        for i in sources
        for j in targets
        if i != j and rng.random() < 0.3 and (weight := int(rng.integers(low, 12))) != 0
    ]
    columns = list(zip(*pairs, strict=True)) if pairs else [(), (), ()]
    return pa.table(
        [pa.array(c, f.type) for c, f in zip(columns, EDGES, strict=True)], schema=EDGES
    )


def random_tracks(rng: np.random.Generator, n: int) -> pa.Table:
    """Return the columns of TRACKS that the blend reads, a third of the tracks unplayed."""
    listeners = np.where(rng.random(n) < 0.35, 0, rng.integers(1, 30, n)).astype(np.int32)
    artist = [None if rng.random() < 0.2 else int(rng.integers(0, 3)) for _ in range(n)]
    return pa.table({"listeners": listeners, "artist_key": pa.array(artist, pa.int32())})


def random_model(rng: np.random.Generator, n: int, parameters: HybridParameters) -> HybridModel:
    """Return a model of n tracks; few distinct weights, so that ties are common."""
    tracks = random_tracks(rng, n)
    everything = np.arange(n, dtype=np.int32)
    played = everything[tracks["listeners"].to_numpy() > 0]
    return HybridModel(
        EdgeTable.from_edges(random_edges(rng, played, played, -4), n),
        EdgeTable.from_edges(random_edges(rng, everything, everything, 1), n),
        BlendCatalogue.from_tracks(tracks),
        parameters,
    )
