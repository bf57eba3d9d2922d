"""New tracks are placed as the fit placed its own, and get the neighbours a full search finds."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray
from scipy import sparse

from tasks.content import model as content_model
from tasks.content.features import ContentFeatures
from tasks.content.model import ContentModel, fit_content
from tasks.content.parameters import ContentParameters
from tasks.content.projection import Projection
from tasks.content.search import Space
from tasks.content.tables import content_table
from tasks.lake.contracts.edges import EDGES
from tasks.lake.files import write_parquet
from tasks.refresh.new_tracks import place_new, with_new_edges, with_placed
from tests.tasks.content.catalogues import CATEGORICAL, random_catalogue

COLUMNS = ("energy", "tempo")
PARAMETERS = ContentParameters(other_artists=3, neighbours=6, played_neighbours=4, dimensions=12)


def fitted(tracks: pa.Table, learned: bool = True) -> ContentModel:
    """Fit on a catalogue that people listen to at random, or on features alone."""
    rng = np.random.default_rng(3)
    played = tracks["played_key"].is_valid().to_numpy()
    heard = (rng.random((300, len(tracks))) < 0.05) & played
    plays = sparse.csr_array(heard.astype(np.float64)) if learned else None
    return fit_content(tracks, plays, COLUMNS, CATEGORICAL, PARAMETERS)


def spread(model: ContentModel, artists: NDArray[np.int32], is_new: NDArray[np.bool_]) -> Space:
    """Return the space of a model with room for new tracks."""
    space = model.space
    assert space.observed is not None
    wide = [
        np.zeros((len(is_new), one.shape[1]), np.float32) for one in (space.vectors, space.observed)
    ]
    for room, known in zip(wide, (space.vectors, space.observed), strict=True):
        room[~is_new] = known
    return Space(wide[0], artists, space.bonus, wide[1])


@pytest.mark.parametrize("learned", [True, False])
@pytest.mark.parametrize("is_projected", [True, False])
def test_every_track_of_the_fit_is_placed_where_the_fit_put_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, learned: bool, is_projected: bool
) -> None:
    if is_projected:  # as in a large catalogue, which cannot afford all columns
        monkeypatch.setattr(content_model, "LARGE", 0)
    tracks = random_catalogue(400, seed=7)
    model = fitted(tracks, learned)
    assert (model.projection.basis.size > 0) == is_projected
    assert (model.space.observed is not None) == learned
    file = tmp_path / "projection.parquet"
    write_parquet(model.projection.table(), file)
    artists = model.space.artists
    placed = place_new(
        Projection.read(file), tracks, tracks, artists, COLUMNS, CATEGORICAL, PARAMETERS
    )
    np.testing.assert_array_equal(placed.vectors, model.space.vectors)
    # Nobody has listened to a new track, so it is where content puts it.
    if learned:
        assert placed.observed is not None
        rank = placed.observed.shape[1]
        np.testing.assert_allclose(placed.observed, placed.vectors[:, -rank:], atol=1e-6)


def test_other_columns_than_those_of_the_fit_are_refused() -> None:
    tracks = random_catalogue(400, seed=7)
    model = fitted(tracks)
    encoder = ContentFeatures(COLUMNS[:1], (), 10).fit(tracks)
    with pytest.raises(ValueError, match="fitted were"):
        model.projection.place(encoder.transform(tracks), model.space.artists)


def test_new_tracks_list_their_nearest_and_old_pairs_stay() -> None:
    tracks = random_catalogue(420, seed=11)
    is_new = np.arange(420) % 20 == 5
    old = tracks.filter(pa.array(~is_new))
    model = fitted(old)
    artists = tracks["artist_key"].fill_null(-1).to_numpy().astype(np.int32)
    known = np.isin(artists, artists[~is_new])
    placed = place_new(
        model.projection,
        old,
        tracks.filter(pa.array(is_new)),
        np.where(known, artists, -1)[is_new],
        COLUMNS,
        CATEGORICAL,
        PARAMETERS,
    )
    played_old = old["played_key"].is_valid().to_numpy()
    keys = np.flatnonzero(~is_new).astype(np.int32)
    base = content_table(model.space, played_old, PARAMETERS)
    moved = base.set_column(0, "source", pa.array(keys[base["source"].to_numpy()]))
    moved = moved.set_column(1, "target", pa.array(keys[base["target"].to_numpy()])).cast(EDGES)
    space = with_placed(spread(model, artists, is_new), is_new, placed)
    played = np.zeros(420, np.bool_)
    played[keys] = played_old
    edges = with_new_edges(moved, space, is_new, played, PARAMETERS)

    pairs = list(zip(edges["source"].to_pylist(), edges["target"].to_pylist(), strict=True))
    assert pairs == sorted(set(pairs))
    source, target = edges["source"].to_numpy(), edges["target"].to_numpy()
    is_old_pair = ~is_new[source] & ~is_new[target]
    assert edges.filter(pa.array(is_old_pair)).equals(moved.combine_chunks())
    # The oracle: every similarity at once, of which the nearest six of a new track are edges.
    similar = (1 - space.bonus) * (space.vectors @ space.vectors.T)
    similar += space.bonus * ((artists[:, None] == artists[None, :]) & (artists >= 0)[:, None])
    np.fill_diagonal(similar, -1)
    found = set(pairs)
    for key in np.flatnonzero(is_new):
        nearest = np.argsort(-similar[key], kind="stable")[: PARAMETERS.neighbours - 1]
        for other in nearest[similar[key][nearest] > 0.01]:
            assert (key, other) in found
            assert (other, key) in found
        assert np.count_nonzero(played[target[source == key]]) > 0
    # Weights: what is common around the target is taken off, as of the base's own.
    new_edges = edges.filter(pa.array(~is_old_pair))
    assert new_edges["weight"].to_numpy().min() >= 1
    uncentred = with_new_edges(
        moved, space, is_new, played, PARAMETERS.model_copy(update={"crowd": 0.0})
    ).filter(pa.array(~is_old_pair))
    assert (new_edges["weight"].to_numpy() <= uncentred["weight"].to_numpy()).all()
