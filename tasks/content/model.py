"""The content model: features of all tracks to one space to search in, and readable weights."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.content.embedding import reduce_rows, unit_rows
from tasks.content.features import ContentFeatures
from tasks.content.parameters import ContentParameters
from tasks.content.search import Space
from tasks.content.weights import ARTIST, fixed_weights


@dataclass(frozen=True)
class ContentModel:
    """A fitted model: where each track lies and what each feature counts."""

    space: Space
    features: tuple[str, ...]
    weights: NDArray[np.float64]
    """Share of each feature, summing to 1; empty when the catalogue has no content."""


def artist_keys(tracks: pa.Table) -> NDArray[np.int32]:
    """Return artist_key per track, -1 for none; all -1 when no two tracks share an artist."""
    keys = tracks["artist_key"].combine_chunks().fill_null(-1).to_numpy().astype(np.int32)
    known = keys[keys >= 0]
    if len(np.unique(known)) == len(known):
        return np.full(len(keys), -1, np.int32)
    return np.asarray(keys, dtype=np.int32)


def fit_content(
    tracks: pa.Table,
    numeric: tuple[str, ...],
    categorical: tuple[str, ...],
    parameters: ContentParameters,
) -> ContentModel:
    """Fit features and embedding on all ``tracks`` (columns of `tasks.schemas.TRACKS`)."""
    artists = artist_keys(tracks)
    encoder = ContentFeatures(numeric, categorical, parameters.tag_vocabulary).fit(tracks)
    matrix = encoder.transform(tracks)
    names = ((ARTIST,) if (artists >= 0).any() else ()) + matrix.names
    weights = fixed_weights(names)
    if not matrix.names:
        vectors = np.zeros((tracks.num_rows, 1), np.float32)
        return ContentModel(Space(vectors, artists, float(weights.sum())), names, weights)
    bonus = float(weights[0]) if names[0] == ARTIST else 0.0
    weighted = matrix.weighted(weights[len(names) - len(matrix.names) :])
    rows = reduce_rows(weighted, parameters.dimensions, parameters.seed)
    return ContentModel(Space(unit_rows(rows), artists, bonus), names, weights)
