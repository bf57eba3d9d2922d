"""The two neighbour tables as one, laid out for the ranking kernel.

Tracks are renumbered by popularity, so that the sums a history touches lie close together, and
the collaborative and the content edge of a pair stand in one entry, so that a history is walked
once. Nothing is rounded or left out.
"""

from typing import NamedTuple

import numba as nb
import numpy as np
from numpy.typing import NDArray

from tasks.kernels.sorting import sort


class EdgeArrays(NamedTuple):
    """A neighbour table by source: CSR with targets ascending within each source."""

    indptr: NDArray[np.int64]
    targets: NDArray[np.int32]
    weights: NDArray[np.int16]


class PackedEdges(NamedTuple):
    """Both tables by source, tracks in their new order, targets ascending within each source."""

    indptr: NDArray[np.int64]
    targets: NDArray[np.uint32]
    weights: NDArray[np.int32]
    """In `COLLABORATIVE_UNIT`s; a table without the edge counts as 0."""


COLLABORATIVE_UNIT = 1 << 16
"""A packed weight is the collaborative one times this plus the content one, both int16."""


def pack(
    collaborative: EdgeArrays,
    content: EdgeArrays,
    order: NDArray[np.int32],
    rank: NDArray[np.int32],
) -> PackedEdges:
    """Merge two tables in track keys.

    ``order`` holds the track keys in their new order, ``rank`` the new number of every track key.
    """
    most = len(collaborative.targets) + len(content.targets)
    targets, weights = np.empty(most, np.uint32), np.empty(most, np.int32)
    indptr = np.zeros(len(order) + 1, np.int64)
    _merge(collaborative, content, order, rank, indptr, targets, weights)
    return PackedEdges(indptr, targets[: indptr[-1]], weights[: indptr[-1]])


@nb.njit(cache=True, nogil=True)
def _merge(
    collaborative: EdgeArrays,
    content: EdgeArrays,
    order: NDArray[np.int32],
    rank: NDArray[np.int32],
    indptr: NDArray[np.int64],
    targets: NDArray[np.uint32],
    weights: NDArray[np.int32],
) -> None:
    """Write the union of both tables' edges, sources in ``order``, targets by ``rank``."""
    tracks, start = len(order), 0
    edges = np.empty(tracks, np.int64)  # of one source: target and weight in one number
    for source in range(tracks):
        key, size = order[source], 0
        x, x_end = collaborative.indptr[key], collaborative.indptr[key + 1]
        y, y_end = content.indptr[key], content.indptr[key + 1]
        while x < x_end or y < y_end:
            x_target = collaborative.targets[x] if x < x_end else tracks
            y_target = content.targets[y] if y < y_end else tracks
            target, weight = min(x_target, y_target), np.int64(0)
            if x_target == target:
                weight += np.int64(collaborative.weights[x]) * COLLABORATIVE_UNIT
                x += 1
            if y_target == target:
                weight += np.int64(content.weights[y])
                y += 1
            edges[size] = (np.int64(rank[target]) << 32) | (weight & 0xFFFFFFFF)
            size += 1
        sort(edges[:size])
        for e in range(size):
            targets[start + e] = edges[e] >> 32
            weights[start + e] = np.int32(edges[e] & 0xFFFFFFFF)
        start += size
        indptr[source + 1] = start
