"""An order of tracks in which similar ones stand together, so that blocks share work."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse


def family_order(similarity: sparse.csr_array, listeners: NDArray[np.int64]) -> NDArray[np.int32]:
    """Return all tracks, families one after the other.

    A track's parent is the most similar of its neighbours that more people listen to (ties by
    key). The forest is walked depth first, roots and children by key.
    """
    tracks = similarity.shape[0]
    neighbours = similarity.tocoo()
    child, parent = neighbours.coords
    above = (listeners[parent] > listeners[child]) | (
        (listeners[parent] == listeners[child]) & (parent < child)
    )
    child, parent, value = child[above], parent[above], neighbours.data[above]
    best = np.lexsort((parent, -value.astype(np.float64), child))
    child, parent = child[best], parent[best]
    first = np.r_[True, child[1:] != child[:-1]] if len(child) else np.zeros(0, bool)
    root = tracks
    parents = np.full(tracks, root)
    parents[child[first]] = parent[first]
    forest = sparse.csr_array(
        (np.ones(tracks, np.int8), (parents, np.arange(tracks))), shape=(tracks + 1, tracks + 1)
    )
    walk = sparse.csgraph.depth_first_order(forest, root, directed=True, return_predecessors=False)
    return walk[1:].astype(np.int32)
