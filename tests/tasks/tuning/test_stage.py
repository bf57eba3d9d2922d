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
from tasks.tuning.search import Point, measured_here, tune, tuning_fold
from tasks.tuning.stage import tune_neighbours
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
