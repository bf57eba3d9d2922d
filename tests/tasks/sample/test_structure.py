"""Structure of the sample: what plays show, what content shows, and what popularity explains."""

from dataclasses import dataclass

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.preprocessing import normalize

from tasks.sample.catalogue import Catalogue, build_catalogue
from tasks.sample.listening import BLOCK, block_plays, gather_audience
from tasks.sample.styles import TAGS

Scores = NDArray[np.float64]


@dataclass(frozen=True)
class World:
    catalogue: Catalogue
    plays: sp.csr_array
    """(listeners, tracks), 1 where played."""


@pytest.fixture(scope="module")
def world() -> World:
    catalogue = build_catalogue(2000, seed=11)
    audience = gather_audience(catalogue, 4000, seed=11)
    assert audience.blocks == 1 <= BLOCK
    drawn = block_plays(audience, 0)
    ones = np.ones(len(drawn.user))
    return World(catalogue, sp.csr_array((ones, (drawn.user, drawn.track)), shape=(4000, 2000)))


def content_similarity(catalogue: Catalogue) -> Scores:
    """Cosine over tags (rare ones count more) and artist."""
    tracks = len(catalogue.artist)
    row, place = np.nonzero(catalogue.tags >= 0)
    tags = np.zeros((tracks, len(TAGS)))
    tags[row, catalogue.tags[row, place]] = 1
    tags = normalize(tags * np.log(tracks / (1 + tags.sum(axis=0))))
    same_artist = catalogue.artist[:, None] == catalogue.artist[None, :]
    similarity: Scores = (tags @ tags.T + 0.6 * same_artist) / 1.6
    np.fill_diagonal(similarity, 0)
    near = np.partition(similarity, -50, axis=1)[:, -50, None]
    return np.where(similarity >= near, similarity, 0)


def collaborative_similarity(plays: sp.csr_array) -> Scores:
    unit = normalize(plays, axis=0)
    similarity: Scores = (unit.T @ unit).toarray()
    np.fill_diagonal(similarity, 0)
    return similarity


def recall_at_20(scores: Scores, known: Scores, hidden: NDArray[np.bool_]) -> Scores:
    """One value per listener: the share of the hidden tracks found, known ones left out."""
    top = np.argsort(-np.where(known > 0, -1, scores), axis=1, kind="stable")[:, :20]
    found = np.take_along_axis(hidden, top, axis=1).sum(axis=1)
    recall: Scores = found / np.minimum(20, hidden.sum(axis=1))
    return recall


def to_unit_maximum(scores: Scores) -> Scores:
    unit: Scores = scores / np.maximum(scores.max(axis=1, keepdims=True), 1e-12)
    return unit


CONTENT_SHARE = 0.2
"""The best of 0.1, 0.2, 0.3 and 0.5 on other catalogues."""


def recalls(world: World, known_tracks: int) -> dict[str, Scores]:
    """Find a fifth of everyone's tracks from at most ``known_tracks`` others, in four folds.

    All listeners with five tracks or more take part, because the blend's gain is smaller than
    what one draw of a few hundred listeners moves it by.
    """
    rng = np.random.default_rng(0)
    content = content_similarity(world.catalogue)
    found: dict[str, list[Scores]] = {}
    for fold in np.array_split(
        rng.permutation(np.flatnonzero(np.diff(world.plays.indptr) >= 5)), 4
    ):
        train = world.plays[np.setdiff1d(np.arange(4000), fold)]
        known, hidden = np.zeros((len(fold), 2000)), np.zeros((len(fold), 2000), dtype=np.bool_)
        for row, played in enumerate(world.plays[fold].toarray()):
            tracks = rng.permutation(np.flatnonzero(played))
            fifth = len(tracks) // 5
            hidden[row, tracks[:fifth]] = True
            known[row, tracks[fifth:][:known_tracks]] = 1
        plays = to_unit_maximum(known @ collaborative_similarity(train))
        shown = to_unit_maximum(known @ content)
        for name, scores in {
            "chance": rng.random(known.shape),
            "popularity": np.tile(np.asarray(train.sum(axis=0), dtype=np.float64), (len(fold), 1)),
            "content": shown,
            "collaborative": plays,
            "blend": (1 - CONTENT_SHARE) * plays + CONTENT_SHARE * shown,
        }.items():
            found.setdefault(name, []).append(recall_at_20(scores, known, hidden))
    return {name: np.concatenate(values) for name, values in found.items()}


@pytest.mark.parametrize("known_tracks", [2, 800])
def test_popularity_then_content_then_collaborative_then_the_blend(
    world: World, known_tracks: int
) -> None:
    recall = recalls(world, known_tracks)
    mean = {name: values.mean() for name, values in recall.items()}
    assert mean["popularity"] > 2 * mean["chance"]
    assert mean["content"] > 1.2 * mean["popularity"]
    assert mean["collaborative"] > 1.2 * mean["content"]
    # Paired over listeners: both signals together know more than the better one.
    gain = recall["blend"] - recall["collaborative"]
    assert gain.mean() > 2 * gain.std() / np.sqrt(len(gain))


def lift(plays: sp.csr_array, together: NDArray[np.bool_]) -> float:
    """How much more often the pairs ``together`` are co-played than their popularity explains.

    Over listeners of up to 20 tracks: a few long histories would make up most of the pairs.
    """
    plays = plays[np.diff(plays.indptr) <= 20]
    counts = (plays.T @ plays).toarray()
    np.fill_diagonal(counts, 0)
    weight = np.asarray(plays.sum(axis=0))
    expected = np.outer(weight, weight)
    np.fill_diagonal(expected, 0)
    expected *= counts.sum() / expected.sum()
    return float(counts[together].sum() / expected[together].sum())


def test_what_content_shows_is_played_together(world: World) -> None:
    artist, niche = world.catalogue.artist, world.catalogue.niche
    same_artist = artist[:, None] == artist[None, :]
    same_niche = (niche[:, None] == niche[None, :]) & ~same_artist
    shared_tags = content_similarity(world.catalogue) * 1.6 > 0.5
    assert lift(world.plays, same_artist) > 10
    assert lift(world.plays, same_niche) > 2
    assert lift(world.plays, shared_tags & ~same_artist) > 1.5


def test_scenes_are_played_together_where_content_sees_nothing(world: World) -> None:
    catalogue = world.catalogue
    scene, niche, artist = catalogue.scene, catalogue.niche, catalogue.artist
    strangers = (artist[:, None] != artist[None, :]) & (niche[:, None] != niche[None, :])
    same_scene = scene[:, None] == scene[None, :]
    assert lift(world.plays, strangers & same_scene) > 2
    assert lift(world.plays, strangers & ~same_scene) < 1
    # Within a scene, tracks share no more content than anywhere.
    similarity = content_similarity(catalogue)
    assert similarity[strangers & same_scene].mean() == pytest.approx(
        similarity[strangers & ~same_scene].mean(), rel=0.15
    )


def test_unplayed_tracks_are_like_the_played_ones(world: World) -> None:
    catalogue = world.catalogue
    played = catalogue.played
    spread = catalogue.appeal.std()
    difference = catalogue.appeal[played].mean() - catalogue.appeal[~played].mean()
    assert abs(difference) < 0.15 * spread
    hits = np.argsort(-catalogue.appeal)[:200]
    assert 0.28 < 1 - played[hits].mean() < 0.52  # four in ten would-be hits have no plays
    with_both = np.intersect1d(catalogue.artist[played], catalogue.artist[~played])
    assert len(with_both) > 0.4 * len(np.unique(catalogue.artist))


def test_listeners_keep_to_a_few_artists(world: World) -> None:
    """Histories of ten or more tracks have far fewer artists than shuffled ones."""
    rng = np.random.default_rng(0)
    shuffled = rng.permutation(world.plays.indices)

    def median_artists(tracks: NDArray[np.int32]) -> float:
        counts = []
        for start, stop in zip(world.plays.indptr[:-1], world.plays.indptr[1:], strict=True):
            if stop - start >= 10:
                artists = world.catalogue.artist[tracks[start:stop]]
                counts.append(len(np.unique(artists)) / (stop - start))
        return float(np.median(counts))

    assert median_artists(world.plays.indices) < 0.75 * median_artists(shuffled)
