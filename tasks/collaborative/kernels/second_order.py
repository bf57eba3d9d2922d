"""Two steps along the neighbour graph: B + share · B², cut to the strongest per target.

Where histories are sparse, two tracks that belong together may share no listener; the square of
the weights reaches one through the tracks between them.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import sparse

from tasks.collaborative.edges import Edges
from tasks.collaborative.kernels.cooccurrence import EMPTY
from tasks.kernels.heap import push


def two_step_edges(
    weights: sparse.csc_array, targets: NDArray[np.int32], share: float, top: int
) -> Edges:
    """Return the ``top`` largest entries, by absolute value, of the columns ``targets``.

    ``weights`` is B, sources × targets, without a diagonal; the result has none either. Equal
    values go to the lower key.
    """
    sources, values = _two_step(
        weights.indptr.astype(np.int64),
        weights.indices.astype(np.int32),
        weights.data,
        targets,
        share,
        top,
    )
    return Edges.of_lists(targets, sources, values)


@njit(nogil=True, cache=True)
def _two_step(starts, sources_of, weights, targets, share, top):  # type: ignore[no-untyped-def]  # numba finds the types
    tracks = len(starts) - 1
    sums = np.zeros(tracks)
    met = np.zeros(tracks, np.bool_)
    touched = np.empty(tracks, np.int32)
    best_size = np.empty(top)
    best = np.empty(top, np.int32)
    sources = np.full((len(targets), top), EMPTY, np.int32)
    values = np.zeros((len(targets), top))
    for row in range(len(targets)):
        target = targets[row]
        met[target] = True  # kept out
        count = 0
        for at in range(starts[target], starts[target + 1]):
            between = sources_of[at]
            if not met[between]:
                met[between] = True
                touched[count] = between
                count += 1
            sums[between] += weights[at]
            step = share * weights[at]
            for further in range(starts[between], starts[between + 1]):
                source = sources_of[further]
                if not met[source]:
                    met[source] = True
                    touched[count] = source
                    count += 1
                sums[source] += step * weights[further]
        kept = 0
        for at in range(count):
            source = touched[at]
            kept = push(best_size, best, kept, abs(sums[source]), source)
        sources[row, :kept] = np.sort(best[:kept])
        for at in range(kept):
            values[row, at] = sums[sources[row, at]]
        for at in range(count):
            sums[touched[at]] = 0.0
            met[touched[at]] = False
        sums[target] = 0.0
        met[target] = False
    return sources, values
