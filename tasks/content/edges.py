"""From lists of neighbours to the symmetric neighbour table."""

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.content.search import NO_TRACK, NearestTracks
from tasks.lake.contracts.edges import EDGES
from warehouse.contract.constants import WEIGHT_SCALE


def to_edges(neighbours: NearestTracks, keys: NDArray[np.integer]) -> pa.Table:
    """List the pairs of ``neighbours``, whose rows are the tracks ``keys``, as `EDGES`.

    Weights are cosines, at least one unit: what is in a list stays reachable.
    """
    rows, places = np.nonzero(neighbours.tracks != NO_TRACK)
    cosine = np.clip(neighbours.similarity[rows, places].astype(np.float64), 0.0, 1.0)
    weight = np.maximum(np.rint(cosine * WEIGHT_SCALE), 1).astype(np.int16)
    source = keys[rows].astype(np.int32)
    return pa.table([source, neighbours.tracks[rows, places], weight], schema=EDGES)


def symmetric(tables: Iterable[pa.Table]) -> pa.Table:
    """Join edge tables and keep every pair in both directions, once, with its larger weight.

    Sorted by source, target.
    """
    joined = pa.concat_tables([EDGES.empty_table(), *tables])
    source, target, weight = (joined[name].to_numpy() for name in EDGES.names)
    size = int(max(source.max(initial=0), target.max(initial=0))) + 1
    # One number per edge: sorting brings the larger weight of a pair last.
    packed = np.empty(2 * len(weight), np.int64)
    for half, one, other in zip(
        np.split(packed, 2), (source, target), (target, source), strict=True
    ):
        np.multiply(one, size, out=half, dtype=np.int64)
        half += other
        half <<= 16
        half |= weight
    packed.sort()
    pair = packed >> 16
    last = np.append(pair[1:] != pair[:-1], True)[: len(pair)]
    source, target = np.divmod(pair[last], size)
    weight = (packed[last] & 0xFFFF).astype(np.int16)
    return pa.table([source.astype(np.int32), target.astype(np.int32), weight], schema=EDGES)
