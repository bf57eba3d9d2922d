"""The neighbour table of a catalogue, block by block or in one go."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.content.edges import symmetric, to_edges
from tasks.content.hubness import centre_hubs
from tasks.content.parameters import ContentParameters
from tasks.content.search import NO_TRACK, ROWS, NearestTracks, Space, nearest
from tasks.lake.contracts.edges import EDGES


def similar_block(
    space: Space,
    played: NDArray[np.bool_],
    start: int,
    stop: int,
    parameters: ContentParameters,
) -> pa.Table:
    """List the nearest of tracks ``start`` to ``stop``, and of unplayed ones the nearest played.

    Tracks whose artist fills their list get the nearest by others besides. ``played`` tells which
    tracks of the catalogue have listeners. Unplayed tracks are searched for in tiles of their own,
    those that begin in the block. Not yet symmetric.
    """
    keys = np.arange(start, stop)
    best = nearest(space, start, stop, parameters.neighbours)
    found = [to_edges(best, keys), _by_others(space, keys, best, parameters)]
    k = parameters.played_neighbours
    cold, listened = np.flatnonzero(~played), np.flatnonzero(played)
    first, last = (_tile(int(np.searchsorted(cold, row))) for row in (start, stop))
    last = len(cold) if stop == space.size else last
    if k and len(listened) and first < last:
        near = nearest(space, first, last, k, cold, listened, observed=True)
        found.append(to_edges(near, cold[first:last]))
    return pa.concat_tables(found)


def nearest_of(
    space: Space,
    played: NDArray[np.bool_],
    keys: NDArray[np.integer],
    parameters: ContentParameters,
) -> pa.Table:
    """List for a few tracks what `similar_block` lists for those of its block."""
    best = nearest(space, 0, len(keys), parameters.neighbours, keys)
    found = [to_edges(best, keys), _by_others(space, keys, best, parameters)]
    k = parameters.played_neighbours
    cold, listened = keys[~played[keys]], np.flatnonzero(played)
    if k and len(listened) and len(cold):
        near = nearest(space, 0, len(cold), k, cold, listened, observed=True)
        found.append(to_edges(near, cold))
    return pa.concat_tables(found)


def _by_others(
    space: Space,
    keys: NDArray[np.integer],
    best: NearestTracks,
    parameters: ContentParameters,
) -> pa.Table:
    """List the nearest by others of the tracks whose artist fills their list, ``best``."""
    is_listed = best.tracks != NO_TRACK
    owned = (space.artists[best.tracks] == space.artists[keys][:, None]) & is_listed
    listed = is_listed.sum(axis=1) - owned.sum(axis=1)
    other = min(parameters.other_artists, parameters.neighbours)
    crowded = keys[(listed < other) & (space.artists[keys] >= 0)]
    if not len(crowded):
        return EDGES.empty_table()
    apart = nearest(space, 0, len(crowded), other, crowded, other_artists=True)
    return to_edges(apart, crowded)


def _tile(row: int) -> int:
    return row // ROWS * ROWS


def content_table(
    space: Space, played: NDArray[np.bool_], parameters: ContentParameters
) -> pa.Table:
    """Return the neighbour table of a whole catalogue, sorted by source and target."""
    similarity = symmetric([similar_block(space, played, 0, space.size, parameters)])
    return centre_hubs(similarity, played, parameters.crowd)
