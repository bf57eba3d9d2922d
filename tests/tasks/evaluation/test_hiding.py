"""γ is chosen in a world without the hidden tracks' plays: no model there has learned from them."""

from pathlib import Path

import numpy as np
import pytest
from distributed import Client
from numpy.typing import NDArray

from tasks.collaborative.parameters import CollaborativeParameters
from tasks.collaborative.stage import collaborative_stage
from tasks.content.stage import content_stage
from tasks.evaluation.hiding import HiddenWorld, drawn_to_hide, hiding_stage
from tasks.evaluation.stage import evaluation_stage
from tasks.holdout.stage import holdout_stage
from tasks.lake.plays import played_tracks
from tasks.lake.record import StageResult
from tests.tasks.evaluation.test_stage import (
    CONTENT,
    HYBRID,
    PARAMETERS,
    client,
    ingested_lake,
    planted_plays,
)

__all__ = ["client"]  # a fixture


@pytest.fixture(scope="module")
def played() -> NDArray[np.bool_]:
    return planted_plays(0)


@pytest.fixture(scope="module")
def ingested(tmp_path_factory: pytest.TempPathFactory, played: NDArray[np.bool_]) -> StageResult:
    return ingested_lake(tmp_path_factory.mktemp("ingest"), played)


def pairs(world: StageResult) -> set[tuple[int, int]]:
    """Return who played what, in user and track keys."""
    tracks, plays = world["tracks"].read(), world["interactions"].read()
    keys = np.flatnonzero(tracks["played_key"].is_valid().to_numpy())
    np.testing.assert_array_equal(tracks["played_key"].drop_null().to_numpy(), np.arange(len(keys)))
    track = keys[plays["played_key"].to_numpy()]
    return set(zip(plays["user_key"].to_pylist(), track.tolist(), strict=True))


def test_only_the_hidden_tracks_lose_their_plays(
    tmp_path: Path, ingested: StageResult, played: NDArray[np.bool_]
) -> None:
    world = hiding_stage(tmp_path, ingested, PARAMETERS)
    assert world is not None
    ids = ingested["tracks"].read()["track_id"]
    hidden = drawn_to_hide(ids, PARAMETERS.hidden, PARAMETERS.seed) & played.any(axis=0)
    assert 0 < hidden.sum() < 60
    assert pairs(world) == {(u, j) for u, j in pairs(ingested) if not hidden[j]}
    tracks, before = world["tracks"].read(), ingested["tracks"].read()
    np.testing.assert_array_equal(
        tracks["listeners"].to_numpy(), np.where(hidden, 0, before["listeners"].to_numpy())
    )
    own = ["played_key", "listeners", "plays"]
    assert tracks.drop_columns(own).equals(before.drop_columns(own))
    assert played_tracks(world) == (played.any(axis=0) & ~hidden).sum()
    again = hiding_stage(tmp_path, ingested, PARAMETERS)
    assert again is not None
    assert again.reused


def test_who_played_a_hidden_track_does_not_matter(
    tmp_path: Path, ingested: StageResult, played: NDArray[np.bool_]
) -> None:
    """Everybody's plays of the hidden tracks are dealt out anew: the world stays the same."""
    ids = ingested["tracks"].read()["track_id"]
    hidden = drawn_to_hide(ids, PARAMETERS.hidden, PARAMETERS.seed)
    other = played.copy()
    other[:, hidden] = np.random.default_rng(1).permutation(played[:, hidden])
    kept = other.any(axis=1)
    assert kept.all()
    changed = ingested_lake(tmp_path / "ingest", other)
    worlds = [
        hiding_stage(tmp_path / f"{x}", w, PARAMETERS) for x, w in enumerate((ingested, changed))
    ]
    first, second = worlds
    assert first is not None
    assert second is not None
    assert ingested["interactions"].digest != changed["interactions"].digest
    assert {n: d.digest for n, d in first.datasets.items()} == {
        n: d.digest for n, d in second.datasets.items()
    }


def test_gamma_is_chosen_in_the_hidden_world_and_nothing_else_is(
    tmp_path: Path, client: Client, ingested: StageResult
) -> None:
    counted = ingested.model_copy(update={"counts": {"tracks": 140, "unplayed_tracks": 20}})
    held_out = holdout_stage(tmp_path, ingested["users"], PARAMETERS)
    assert held_out is not None

    def learned(world: StageResult) -> tuple[StageResult, StageResult]:
        plays, tracks = world["interactions"], world["tracks"]
        few = CollaborativeParameters(neighbours=20)
        return (
            collaborative_stage(tmp_path, client, plays, played_tracks(world), held_out, few),
            content_stage(tmp_path, client, tracks, plays, held_out, (), (), CONTENT),
        )

    hiding = hiding_stage(tmp_path, ingested, PARAMETERS)
    assert hiding is not None
    model, hidden = learned(counted), HiddenWorld(hiding, *learned(hiding))
    results = [
        evaluation_stage(
            tmp_path, client, ingested, held_out, *model, HYBRID, PARAMETERS, hidden=world
        )
        for world in (None, hidden)
    ]
    assert results[0].key != results[1].key
    curves = [result["segment_curve"].read() for result in results]
    assert curves[0].equals(curves[1])
    assert results[0]["segments"].read().equals(results[1]["segments"].read())


def test_large_data_is_not_learned_once_more(tmp_path: Path, ingested: StageResult) -> None:
    few = PARAMETERS.model_copy(update={"hiding_plays": ingested["interactions"].rows - 1})
    assert hiding_stage(tmp_path, ingested, few) is None
    nothing = PARAMETERS.model_copy(update={"hidden": 1e-9})
    assert hiding_stage(tmp_path, ingested, nothing) is None
