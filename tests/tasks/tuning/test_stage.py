"""Tuning on a Dask cluster chooses what tuning in one process chooses, away from those held out."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from distributed import Client, LocalCluster
from scipy import sparse

from tasks.collaborative.interactions import Interactions
from tasks.collaborative.parameters import CollaborativeParameters
from tasks.tuning.parameters import TuneParameters
from tasks.tuning.search import Point, Tuning, measured_here, tune, tuning_fold
from tasks.tuning.stage import judged, tune_neighbours
from tests.tasks.choice.test_halving import tastes
from tests.tasks.choice.test_stage import ingested
from tests.tasks.collaborative import oracle
from tests.tasks.collaborative.test_stage import TRACKS, lake_interactions, listeners
from warehouse.errors import InputError

ONE_ROUND = TuneParameters(rounds=1)


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with (
        LocalCluster(
            n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


def test_the_cluster_chooses_what_one_process_does_without_those_held_out(
    tmp_path: Path, client: Client
) -> None:
    X = oracle.random_interactions(23, 200, TRACKS, 0.15)
    out = list(range(0, 200, 4))
    told: list[Point] = []
    tuning = tune_neighbours(
        client,
        lake_interactions(X, tmp_path / "interactions.parquet"),
        TRACKS,
        listeners(out, tmp_path / "held_out.parquet"),
        CollaborativeParameters(),
        ONE_ROUND,
        told.append,
    )
    others = sparse.csr_array(np.delete(oracle.dense(X), out, axis=0))
    assert tuning == tune(measured_here(tuning_fold(others, ONE_ROUND)), parameters=ONE_ROUND)
    assert told == tuning.curve


def test_too_few_listeners_are_an_input_error(tmp_path: Path, client: Client) -> None:
    X = Interactions.of(sparse.csr_array(np.eye(TRACKS)))
    interactions = lake_interactions(X, tmp_path / "interactions.parquet")
    with pytest.raises(InputError, match="at least 5 tracks"):
        tune_neighbours(
            client,
            interactions,
            TRACKS,
            None,
            CollaborativeParameters(),
            ONE_ROUND,
            print,
        )


def test_the_better_end_of_a_search_is_compared_with_what_is_in_use(tmp_path: Path) -> None:
    plays = ingested(tastes(), tmp_path / "plays")
    used, good = CollaborativeParameters(neighbours=1), CollaborativeParameters(model="learned")
    worst = good.model_copy(update={"neighbours": 1, "target_exponent": 1.0})
    curve = [Point(good, {}), Point(worst, {})]
    found = judged(Tuning(worst, curve, {}, 100), used, plays, None, TuneParameters())
    assert found.chosen == good  # where the search began
    known, new = found.gain.split(" for known listeners, ")
    assert known.startswith("+")
    assert new.startswith("+")
    few = ingested(tastes(users=150), tmp_path / "few")
    unjudged = Tuning(worst, curve, {}, 100)
    assert judged(unjudged, used, few, None, TuneParameters()) == unjudged
