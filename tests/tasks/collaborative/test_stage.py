"""The collaborative stage on a Dask cluster: what it writes, and that only the input decides it."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from distributed import Client, LocalCluster
from scipy import sparse

from tasks.collaborative import stage as collaborative
from tasks.collaborative.interactions import Interactions
from tasks.collaborative.parameters import CollaborativeParameters
from tasks.collaborative.stage import collaborative_stage
from tasks.lake.contracts.edges import EDGES
from tasks.lake.contracts.stages.ingest import INTERACTIONS
from tasks.lake.dataset import Dataset
from tasks.lake.files import write_parquet
from tasks.lake.record import StageResult
from tests.tasks.collaborative import oracle
from warehouse.contract.constants import WEIGHT_SCALE
from warehouse.errors import RunError

TRACKS = 60


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


def lake_interactions(X: Interactions, path: Path) -> Dataset:
    users = np.repeat(np.arange(X.users, dtype=np.int32), X.tracks_played)
    columns = [users, X.user_tracks, np.ones(len(users), dtype=np.int32)]
    write_parquet(pa.table(columns, schema=INTERACTIONS.schema), path)
    return Dataset.of(path)


def listeners(keys: list[int], path: Path) -> Dataset:
    write_parquet(pa.table({"user_key": pa.array(keys, pa.int32())}), path)
    return Dataset.of(path)


@pytest.fixture(scope="module")
def X() -> Interactions:  # noqa: N802
    return oracle.random_interactions(2, 300, TRACKS, 0.08)


@pytest.fixture(scope="module")
def plays(X: Interactions, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return lake_interactions(X, tmp_path_factory.mktemp("plays") / "interactions.parquet")


def table(result: StageResult, name: str) -> oracle.Dense:
    """Return a neighbour table as sources × targets, after checking its form."""
    edges = result[name].read()
    assert edges.schema.equals(EDGES)
    source, target, weight = (edges[column].to_numpy() for column in EDGES.names)
    position = source.astype(np.int64) * TRACKS + target
    assert np.all(np.diff(position) > 0)
    assert np.all(source != target)
    assert np.all(weight != 0)
    W = np.zeros((TRACKS, TRACKS))
    W[source, target] = weight
    return W


def test_weights_are_the_solved_ones_as_whole_numbers(
    tmp_path: Path, client: Client, plays: Dataset, X: Interactions
) -> None:
    parameters = CollaborativeParameters(neighbours=10, non_negative=False)
    result = collaborative_stage(tmp_path, client, plays, TRACKS, None, parameters)
    W = oracle.learned(X, parameters)
    expected = np.rint(W / np.abs(W).max() * WEIGHT_SCALE)
    assert np.abs(table(result, "weights") - expected).max() <= 1
    assert result.counts["edges"] == result["weights"].rows


def test_cosine_keeps_its_own_scale(
    tmp_path: Path, client: Client, plays: Dataset, X: Interactions
) -> None:
    parameters = CollaborativeParameters(model="cosine", neighbours=10)
    result = collaborative_stage(tmp_path, client, plays, TRACKS, None, parameters)
    expected = np.rint(oracle.cosine(X, 10) * WEIGHT_SCALE)
    np.testing.assert_array_equal(table(result, "weights"), expected)


def test_similarity_is_cosine_made_symmetric(
    tmp_path: Path, client: Client, plays: Dataset, X: Interactions
) -> None:
    parameters = CollaborativeParameters(similar=5, neighbours=10)
    result = collaborative_stage(tmp_path, client, plays, TRACKS, None, parameters)
    one_way = oracle.cosine(X, 5)
    expected = np.rint(np.maximum(one_way, one_way.T) * WEIGHT_SCALE)
    np.testing.assert_array_equal(table(result, "similarity"), expected)


def test_held_out_listeners_teach_nothing(
    tmp_path: Path, client: Client, plays: Dataset, X: Interactions
) -> None:
    parameters = CollaborativeParameters(neighbours=10)
    out = list(range(0, 300, 3))
    held_out = listeners([*out, 5_000], tmp_path / "held_out.parquet")  # one without plays
    result = collaborative_stage(tmp_path, client, plays, TRACKS, held_out, parameters)
    rest = oracle.dense(X)
    rest[out] = 0
    others = Interactions.of(sparse.csr_array(rest))
    fresh = lake_interactions(others, tmp_path / "others.parquet")
    alone = collaborative_stage(tmp_path, client, fresh, TRACKS, None, parameters)
    for name in ("weights", "similarity"):
        assert result[name].digest == alone[name].digest


@pytest.mark.parametrize("everyone_out", [False, True])
def test_nobody_left_gives_empty_tables(
    tmp_path: Path, client: Client, plays: Dataset, everyone_out: bool
) -> None:
    if everyone_out:
        held_out = listeners(list(range(300)), tmp_path / "held_out.parquet")
    else:
        held_out = None
        write_parquet(INTERACTIONS.schema.empty_table(), tmp_path / "none.parquet")
        plays = Dataset.of(tmp_path / "none.parquet")
    parameters = CollaborativeParameters()
    result = collaborative_stage(tmp_path, client, plays, TRACKS, held_out, parameters)
    assert result["weights"].rows == result["similarity"].rows == 0


def test_the_second_step_goes_through_blocks_too(
    tmp_path: Path, client: Client, plays: Dataset, X: Interactions
) -> None:
    parameters = CollaborativeParameters(neighbours=5, two_step=0.5, two_step_neighbours=20)
    result = collaborative_stage(tmp_path, client, plays, TRACKS, None, parameters)
    W = oracle.learned(X, parameters)
    expected = np.rint(W / np.abs(W).max() * WEIGHT_SCALE)
    assert np.abs(table(result, "weights") - expected).max() <= 2


@pytest.mark.parametrize("model", ["learned", "rp3beta"])
def test_the_number_of_blocks_does_not_show(
    tmp_path: Path,
    client: Client,
    plays: Dataset,
    model: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parameters = CollaborativeParameters.model_validate({"model": model, "neighbours": 10})
    digests = set()
    for blocks in (1, 3, 32):
        monkeypatch.setattr(collaborative, "BLOCKS", blocks)
        lake = tmp_path / str(blocks)
        result = collaborative_stage(lake, client, plays, TRACKS, None, parameters)
        digests.add((result["weights"].digest, result["similarity"].digest))
    assert len(digests) == 1


def test_a_run_goes_on_with_the_blocks_it_began_with(
    tmp_path: Path, client: Client, plays: Dataset
) -> None:
    parameters = CollaborativeParameters(neighbours=10)

    def stop(done: int, _: int) -> None:
        if done == 1:
            raise InterruptedError

    with pytest.raises(RunError):
        collaborative_stage(tmp_path, client, plays, TRACKS, None, parameters, stop)
    reports: list[tuple[int, int]] = []
    with (
        LocalCluster(
            n_workers=1, threads_per_worker=5, processes=False, dashboard_address=None
        ) as larger,
        Client(larger) as other,
    ):
        result = collaborative_stage(
            tmp_path, other, plays, TRACKS, None, parameters, lambda *done: reports.append(done)
        )
        afresh = collaborative_stage(tmp_path / "afresh", other, plays, TRACKS, None, parameters)
    done, total = reports[0]  # the second block may have been too far to be stopped
    assert done >= 1
    assert total == 2  # as many as the smaller cluster has threads
    assert afresh.counts["blocks"] == 5
    assert result["weights"].digest == afresh["weights"].digest


def test_a_finished_stage_is_not_computed_again(
    tmp_path: Path, client: Client, plays: Dataset
) -> None:
    parameters = CollaborativeParameters(neighbours=10)
    reports: list[tuple[int, int]] = []
    first = collaborative_stage(
        tmp_path, client, plays, TRACKS, None, parameters, lambda *done: reports.append(done)
    )
    assert reports[0][0] == 0
    assert reports[-1][0] == reports[-1][1] == first.counts["blocks"]
    again = collaborative_stage(tmp_path, client, plays, TRACKS, None, parameters)
    assert again.reused
    assert again.datasets == first.datasets
    other = parameters.model_copy(update={"ridge": 16.0})
    assert not collaborative_stage(tmp_path, client, plays, TRACKS, None, other).reused
