"""Learning from listening: what matters gets the weight, and content finds the listeners."""

import numpy as np
import pytest
from scipy import sparse

from tasks.content.listening import listening_positions
from tasks.content.model import fit_content, raw_dimensions
from tasks.content.parameters import ContentParameters
from tasks.content.weights import fixed_weights
from tests.tasks.content.catalogues import catalogue

PARAMETERS = ContentParameters(dimensions=16, listening_rank=6)


def world(
    tracks: int, users: int, seed: int
) -> tuple[list[list[str]], list[str], sparse.csr_array]:
    """Make tracks of six scenes that listeners keep to; tags tell the scene, moods nothing."""
    rng = np.random.default_rng(seed)
    scene = rng.integers(0, 6, tracks)
    tags = [[f"scene{s}", f"noise{rng.integers(0, 9)}"] for s in scene]
    moods = [f"mood{i}" for i in rng.integers(0, 6, tracks)]
    taste = rng.integers(0, 6, users)
    likes = rng.random((users, tracks)) < np.where(taste[:, None] == scene, 0.35, 0.02)
    return tags, moods, sparse.csr_array(likes.astype(np.int8))


def test_the_feature_that_listeners_follow_gets_the_weight() -> None:
    tags, moods, plays = world(600, 500, seed=1)
    table = catalogue(tags, genre=moods)
    model = fit_content(table, plays, (), ("genre",), PARAMETERS)
    learned = dict(zip(model.features, model.weights, strict=True))
    shipped = dict(zip(model.features, fixed_weights(model.features), strict=True))
    assert sum(learned.values()) == pytest.approx(1)
    assert shipped["tags"] < 0.93 < learned["tags"]
    assert learned["genre"] < 0.07
    assert model.space.observed is not None


def test_an_artist_whose_tracks_share_listeners_gets_weight() -> None:
    rng = np.random.default_rng(2)
    artists = np.repeat(np.arange(100), 6)
    fans = rng.integers(0, 100, (400, 3))
    likes = np.zeros((400, 600), np.int8)
    for user, liked in enumerate(fans):
        likes[user] = np.isin(artists, liked) & (rng.random(600) < 0.7)
    tags = [[f"tag{i}"] for i in rng.integers(0, 5, 600)]
    model = fit_content(
        catalogue(tags, artists.tolist()), sparse.csr_array(likes), (), (), PARAMETERS
    )
    weights = dict(zip(model.features, model.weights, strict=True))
    assert weights["artist"] > 0.5
    assert 0 < model.space.bonus <= 0.6


def test_few_plays_fall_back_to_the_shipped_weights() -> None:
    tags, moods, _ = world(200, 10, seed=3)
    table = catalogue(tags, mood=moods)
    for plays in (
        None,
        sparse.csr_array(np.zeros((3, 200))),
        sparse.csr_array(np.eye(9, 200)),
    ):
        model = fit_content(table, plays, (), ("mood",), PARAMETERS)
        assert model.weights == pytest.approx(fixed_weights(("tags", "mood")))
        assert model.space.observed is None


def test_unplayed_tracks_are_placed_with_their_scene() -> None:
    tags, moods, plays = world(600, 500, seed=4)
    cold = np.arange(600) % 5 == 0
    hidden = plays @ sparse.diags_array((~cold).astype(np.float64))
    table = catalogue(tags, played=(~cold).tolist(), mood=moods)
    space = fit_content(table, sparse.csr_array(hidden), (), ("mood",), PARAMETERS).space
    scene = np.array([row[0] for row in tags])
    similarity = space.vectors[cold] @ space.targets(observed=True)[~cold].T
    nearest = scene[~cold][np.argmax(similarity, axis=1)]
    assert (nearest == scene[cold]).mean() > 0.97
    # An unplayed track is nowhere else than where content puts it.
    rank = space.observed.shape[1] if space.observed is not None else 0
    assert rank == 6
    assert space.targets(observed=True)[cold] == pytest.approx(space.vectors[cold], abs=1e-6)


def test_positions_do_not_depend_on_the_order_of_nothing() -> None:
    _, _, plays = world(300, 200, seed=5)
    one = listening_positions(plays, 5, seed=0)
    two = listening_positions(plays.copy(), 5, seed=0)
    assert one is not None
    assert two is not None
    assert (one.positions == two.positions).all()
    assert (one.listeners == np.asarray(plays.sum(axis=0))).all()


def test_small_catalogues_afford_more_dimensions() -> None:
    assert raw_dimensions(96, 50_000) == 96
    assert raw_dimensions(96, 300_000) == 96
    assert raw_dimensions(96, 25_000) == 96 * 4
    assert raw_dimensions(96, 100) == 2_048
