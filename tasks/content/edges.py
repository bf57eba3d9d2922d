"""From lists of neighbours to the symmetric neighbour table."""

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.content.search import NO_TRACK, Neighbours
from tasks.schemas import EDGES, WEIGHT_SCALE


def to_edges(neighbours: Neighbours, keys: NDArray[np.integer]) -> pa.Table:
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
    source = joined["source"].to_numpy().astype(np.int64)
    target = joined["target"].to_numpy().astype(np.int64)
    weight = joined["weight"].to_numpy()
    # One number per unordered pair and weight: sorting brings a pair's largest weight last.
    low, high = np.minimum(source, target), np.maximum(source, target)
    size = int(high.max(initial=0)) + 1
    packed = np.sort(((low * size + high) << 16) | weight)
    pair = packed >> 16
    last = np.flatnonzero(np.append(pair[1:] != pair[:-1], True)) if len(pair) else pair
    low, high = np.divmod(pair[last], size)
    weight = (packed[last] & 0xFFFF).astype(np.int16)
    return _sorted(np.append(low, high), np.append(high, low), np.append(weight, weight), size)


def _sorted(
    source: NDArray[np.int64], target: NDArray[np.int64], weight: NDArray[np.int16], size: int
) -> pa.Table:
    order = np.argsort(source * size + target, kind="stable")
    return pa.table(
        [source[order].astype(np.int32), target[order].astype(np.int32), weight[order]],
        schema=EDGES,
    )
