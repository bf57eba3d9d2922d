"""The content model: features of all tracks to one space to search in, and readable weights."""

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import sparse

from tasks.content.embedding import reduced, strongest, unit_rows
from tasks.content.features import ContentFeatures
from tasks.content.learning import (
    Placement,
    feature_shares,
    map_to_listening,
    placement_shares,
)
from tasks.content.listening import Listening, listening_positions
from tasks.content.parameters import ContentParameters
from tasks.content.projection import Projection, joined
from tasks.content.search import Space
from tasks.content.weights import ARTIST, fixed_weights

LARGE = 50_000
"""Tracks in a catalogue that gets just the dimensions asked for."""

MOST_DIMENSIONS = 2_048

MOST_BONUS = 0.6
"""The artist's largest share of similarity: content should distinguish an artist's tracks."""

ENOUGH_TRACKS = 500.0
"""With this many trusted tracks the map gets half of its share."""


@dataclass(frozen=True)
class ContentModel:
    """A fitted model: where each track lies and what each feature counts."""

    space: Space
    features: tuple[str, ...]
    weights: NDArray[np.float64]
    """Share of each feature, summing to 1; empty when the catalogue has no content."""
    projection: Projection
    """What the model does to features, to place further tracks with."""


def artist_keys(tracks: pa.Table) -> NDArray[np.int32]:
    """Return artist_key per track, -1 for none; all -1 when no two tracks share an artist."""
    keys = tracks["artist_key"].combine_chunks().fill_null(-1).to_numpy().astype(np.int32)
    known = keys[keys >= 0]
    if len(np.unique(known)) == len(known):
        return np.full(len(keys), -1, np.int32)
    return np.asarray(keys, dtype=np.int32)


def fit_content(
    tracks: pa.Table,
    plays: sparse.csr_array | None,
    numeric: tuple[str, ...],
    categorical: tuple[str, ...],
    parameters: ContentParameters,
) -> ContentModel:
    """Fit features and embedding on all ``tracks`` (columns of the dataset `tracks`).

    ``plays`` is listeners × tracks (presence, track_key columns), the listeners to learn from.
    """
    artists = artist_keys(tracks)
    with_artist = bool((artists >= 0).any())
    encoder = ContentFeatures(numeric, categorical, parameters.tag_vocabulary).fit(tracks)
    matrix = encoder.transform(tracks)
    names = ((ARTIST,) if with_artist else ()) + matrix.names
    weights = fixed_weights(names)
    if not matrix.names:
        vectors = np.zeros((tracks.num_rows, 1), np.float32)
        space = Space(vectors, artists, float(weights.sum()))
        return ContentModel(space, names, weights, _fixed(weights[:0], None, 0))
    listening = None
    if plays is not None and parameters.weights == "learned":
        listening = listening_positions(plays, parameters.listening_rank, parameters.seed)
    known = artists if with_artist else None
    if listening is not None and len(names) > 1:
        weights = feature_shares(matrix, known, listening, weights, parameters.seed)
    bonus = min(float(weights[0]), MOST_BONUS) if with_artist else 0.0
    shares = weights[1:] if with_artist else weights
    shares = shares / max(shares.sum(), 1e-12)
    features = matrix.weighted(shares)
    width = raw_dimensions(parameters.dimensions, tracks.num_rows)
    basis = strongest(features, width, parameters.seed)
    raw = unit_rows(reduced(features, basis))
    projection = _fixed(shares, basis, features.shape[1])
    if listening is None or parameters.listening_share == 0:
        return ContentModel(Space(raw, artists, bonus), names, weights, projection)
    placement = map_to_listening(features, known, listening)
    share = parameters.listening_share * _evidence(listening)
    by_map = placement_shares(features, matrix.widths, placement, with_artist)
    if with_artist:
        weights = bonus * (np.arange(len(names)) == 0) + (1 - bonus) * np.append(
            share * by_map[0], (1 - share) * shares + share * by_map[1:]
        )
    else:
        weights = (1 - share) * weights + share * by_map
    space = _joined(raw, placement, listening, share, artists, bonus)
    projection = replace(
        projection,
        weights=placement.weights,
        constant=placement.constant,
        effects=_by_artist(placement.effects, artists),
        listening_share=share,
    )
    return ContentModel(space, names, weights, projection)


def _fixed(
    shares: NDArray[np.float64], basis: NDArray[np.float64] | None, columns: int
) -> Projection:
    """Return a projection to features alone, with nothing learned from listening."""
    return Projection(
        shares=shares,
        basis=np.zeros((0, 0)) if basis is None else basis,
        weights=np.zeros((columns, 0)),
        constant=np.zeros(0),
        effects=np.zeros((0, 0)),
        listening_share=0.0,
    )


def _by_artist(effects: NDArray[np.float64], artists: NDArray[np.int32]) -> NDArray[np.float64]:
    """Return the effect of each artist, which all tracks of the artist have."""
    found = np.zeros((int(artists.max(initial=-1)) + 1, effects.shape[1]))
    known = artists >= 0
    found[artists[known]] = effects[known]
    return found


def raw_dimensions(dimensions: int, tracks: int) -> int:
    """Return how many dimensions features keep: more in small catalogues, at equal search cost."""
    affordable = int(dimensions * (LARGE / max(tracks, 1)) ** 2)
    return min(max(dimensions, affordable), max(dimensions, MOST_DIMENSIONS))


def _evidence(listening: Listening) -> float:
    """Return how far there are tracks enough to trust the map, 0 to 1."""
    tracks = float(listening.confidence.sum())
    return tracks / (tracks + ENOUGH_TRACKS)


def _joined(
    raw: NDArray[np.float32],
    placement: Placement,
    listening: Listening,
    share: float,
    artists: NDArray[np.int32],
    bonus: float,
) -> Space:
    """Return where tracks lie, by content and as far as is known by listening."""
    trust = listening.confidence[:, None]
    observed = trust * listening.positions + (1 - trust) * placement.positions
    placed = joined(raw, placement.positions, observed, share)
    return Space(placed.vectors, artists, bonus, placed.observed)
