"""The two neighbour tables of a catalogue, block by block or in one go."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.content.discount import discounted
from tasks.content.edges import symmetric, to_edges
from tasks.content.parameters import ContentParameters
from tasks.content.search import Space, nearest


def similar_block(
    space: Space,
    played: NDArray[np.bool_],
    start: int,
    stop: int,
    parameters: ContentParameters,
) -> pa.Table:
    """List the nearest of tracks ``start`` to ``stop``, and of unplayed ones the nearest played.

    ``played`` tells which tracks of the catalogue have listeners. Not yet symmetric.
    """
    found = [to_edges(nearest(space, start, stop, parameters.neighbours), start)]
    k = parameters.played_neighbours
    if k and played.any() and not played[start:stop].all():
        near = nearest(space, start, stop, k, eligible=played, wanted=~played, observed=True)
        found.append(to_edges(near, start))
    return pa.concat_tables(found)


def weights_block(
    edges: pa.Table, space: Space, played: NDArray[np.bool_], parameters: ContentParameters
) -> pa.Table:
    """Weigh the neighbours (``edges``: rows of the symmetric table) of some target tracks."""
    ridge, most = parameters.redundancy, parameters.solved_neighbours
    return discounted(edges, space, played, ridge, most)


def content_tables(
    space: Space, played: NDArray[np.bool_], parameters: ContentParameters
) -> tuple[pa.Table, pa.Table]:
    """Return the similarity table and the weights table of a whole catalogue."""
    similarity = symmetric([similar_block(space, played, 0, space.size, parameters)])
    weights = weights_block(similarity, space, played, parameters)
    return similarity, weights.sort_by([("source", "ascending"), ("target", "ascending")])
