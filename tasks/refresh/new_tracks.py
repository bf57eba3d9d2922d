"""Content neighbours of tracks that a base has never seen, by what it has fitted.

A new track is placed as the fitted model places tracks without listeners, and lists its nearest as
any other would. Pairs that the base has found are not searched for again: what is in the base's
table stays as it is.
"""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.content.edges import symmetric
from tasks.content.hubness import centre_hubs
from tasks.content.parameters import ContentParameters
from tasks.content.projection import Placed, Projection
from tasks.content.search import Space
from tasks.content.tables import nearest_of
from tasks.lake.contracts.edges import EDGES
from warehouse.contract.constants import WEIGHT_SCALE

PIECE = 1 << 16
"""Pairs whose similarity is computed at a time."""


def place_new(
    projection: Projection,
    fitted_on: pa.Table,
    new: pa.Table,
    artists: NDArray[np.int32],
    numeric: tuple[str, ...],
    categorical: tuple[str, ...],
    parameters: ContentParameters,
) -> Placed:
    """Place the tracks of ``new``; ``fitted_on`` is the catalogue of the fit, the same columns.

    ``artists`` has the artist of each by its key in that catalogue, -1 for one who is not in it.
    Raises ValueError if the features do not come out as in the fit.
    """
    # scikit-learn takes over a second to import; only a refresh with new tracks needs it
    from tasks.content.features import ContentFeatures

    encoder = ContentFeatures(numeric, categorical, parameters.tag_vocabulary).fit(fitted_on)
    return projection.place(encoder.transform(new), artists)


def with_placed(space: Space, is_new: NDArray[np.bool_], placed: Placed) -> Space:
    """Return a space in which the new tracks lie where they were placed."""
    vectors = space.vectors.copy()
    vectors[is_new] = placed.vectors
    observed = space.observed
    if observed is not None and placed.observed is not None:
        observed = observed.copy()
        observed[is_new] = placed.observed
    return Space(vectors, space.artists, space.bonus, observed)


def with_new_edges(
    edges: pa.Table,
    space: Space,
    is_new: NDArray[np.bool_],
    played: NDArray[np.bool_],
    parameters: ContentParameters,
) -> pa.Table:
    """Return `EDGES` with those from and to new tracks, sorted by source and target.

    ``edges`` are those of the base in the keys of ``space``; ``played`` tells which tracks have
    listeners as far as the models know, which no new one has.
    """
    listed = symmetric([nearest_of(space, played, np.flatnonzero(is_new), parameters)])
    # What is common around an old track is the mean of the similarities that the base has found.
    source, target = edges["source"].to_numpy(), edges["target"].to_numpy()
    is_met = np.zeros(space.size, np.bool_)
    is_met[listed["target"].to_numpy()] = True
    around = is_met[target]
    known = pa.table(
        [source[around], target[around], _units(space, source[around], target[around], played)],
        schema=EDGES,
    )
    centred = centre_hubs(pa.concat_tables([listed, known]), played, parameters.crowd)
    joined = pa.concat_tables([edges, centred.slice(0, len(listed))]).combine_chunks()
    ends = (joined["target"].to_numpy(), joined["source"].to_numpy())
    return joined.take(pa.array(np.lexsort(ends)))


def _units(
    space: Space,
    source: NDArray[np.int32],
    target: NDArray[np.int32],
    played: NDArray[np.bool_],
) -> NDArray[np.int16]:
    """Return the similarity of pairs in units of an edge, before anything is taken off.

    A track without listeners is compared with one that has some by where that is listened to as
    well; the larger similarity counts, as where both were found.
    """
    found = np.empty(len(source), np.int16)
    heard = space.targets(observed=True)
    for piece in _pieces(len(source)):
        one, other = source[piece], target[piece]
        cosine = _products(space.vectors[one], space.vectors[other])
        for cold, listened in ((one, other), (other, one)):
            apart = ~played[cold] & played[listened]
            by_listening = _products(space.vectors[cold[apart]], heard[listened[apart]])
            cosine[apart] = np.maximum(cosine[apart], by_listening)
        artist = space.artists[one]
        same = (artist == space.artists[other]) & (artist >= 0)
        similarity = np.clip((1 - space.bonus) * cosine + space.bonus * same, 0, 1)
        found[piece] = np.maximum(np.rint(similarity * WEIGHT_SCALE), 1)
    return found


def _products(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.asarray(np.einsum("ij,ij->i", one, other), np.float64)


def _pieces(size: int) -> Iterator[slice]:
    for start in range(0, size, PIECE):
        yield slice(start, start + PIECE)
