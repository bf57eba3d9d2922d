"""The stage: what it records, for how long it is kept, and that a killed one goes on."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from distributed import Client, LocalCluster
from scipy import sparse

from tasks.choice import stage as choice
from tasks.choice.change import in_common, sketch_of
from tasks.choice.dials import DIALS, pinned_in
from tasks.choice.parameters import ChoiceParameters
from tasks.choice.stage import choice_stage, chosen_parameters
from tasks.collaborative.interactions import Interactions
from tasks.collaborative.parameters import CollaborativeParameters
from tasks.lake.dataset import Dataset
from tasks.lake.files import write_parquet
from tasks.lake.record import StageResult
from tests.tasks.choice.test_halving import tastes
from tests.tasks.collaborative.test_stage import lake_interactions
from warehouse.errors import RunError

TRACKS = 150
QUICK = ChoiceParameters(seconds=1.0)
BAD = CollaborativeParameters(ridge=1e5)


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with (
        LocalCluster(
            n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


def ingested(matrix: sparse.csr_array, folder: Path) -> StageResult:
    """Return what the ingest stage leaves of who played what."""
    folder.mkdir(exist_ok=True)
    users = [f"listener {key}" for key in range(matrix.shape[0])]
    write_parquet(pa.table({"user_id": users}), folder / "users.parquet")
    listeners = np.bincount(matrix.indices, minlength=matrix.shape[1])
    tracks = [f"track {key}" for key in range(matrix.shape[1])]
    write_parquet(
        pa.table({"track_id": tracks, "listeners": pa.array(listeners, pa.int32())}),
        folder / "tracks.parquet",
    )
    datasets = {name: Dataset.of(folder / f"{name}.parquet") for name in ("users", "tracks")}
    plays = lake_interactions(Interactions.of(matrix), folder / "interactions.parquet")
    return StageResult(
        stage="ingest",
        key=str(folder),
        datasets={**datasets, "interactions": plays},
        counts={"tracks": TRACKS, "unplayed_tracks": int(np.count_nonzero(listeners == 0))},
        seconds=0.0,
    )


@pytest.fixture(scope="module")
def plays(tmp_path_factory: pytest.TempPathFactory) -> StageResult:
    return ingested(tastes(), tmp_path_factory.mktemp("plays"))


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lake")


@pytest.fixture(scope="module")
def first(lake: Path, client: Client, plays: StageResult) -> StageResult:
    return choice_stage(lake, client, plays, None, CollaborativeParameters(), QUICK)


def without(rows: int) -> sparse.csr_array:
    """Return the plays of all but the first listeners, whose ids keep their place."""
    kept = tastes().toarray()
    kept[:rows] = 0
    return sparse.csr_array(kept)


def test_the_record_says_what_was_tried_and_chosen(first: StageResult) -> None:
    rows = first["tried"].read().to_pylist()
    (chosen,) = [row for row in rows if row["is_chosen"]]
    start = CollaborativeParameters()
    parameters = chosen_parameters(first, start)
    assert parameters.model == "learned"
    assert {dial: getattr(parameters, dial) for dial in DIALS} == {d: chosen[d] for d in DIALS}
    assert first.counts["settings"] == len({tuple(row[dial] for dial in DIALS) for row in rows})
    assert all(0 < row["ndcg_known"] <= 1 and 0 < row["ndcg_new"] <= 1 for row in rows)
    assert "for known listeners" in str(first.counts["gain"])


def test_equal_inputs_give_an_equal_record(
    tmp_path: Path, client: Client, plays: StageResult, first: StageResult
) -> None:
    again = choice_stage(tmp_path, client, plays, None, CollaborativeParameters(), QUICK)
    assert again.key == first.key
    assert again["tried"].digest == first["tried"].digest


@pytest.mark.parametrize(("gone", "kept"), [(20, True), (400, False)])
def test_it_is_kept_until_the_data_has_changed(
    tmp_path: Path, lake: Path, client: Client, first: StageResult, gone: int, kept: bool
) -> None:
    now = ingested(without(gone), tmp_path / "plays")
    result = choice_stage(lake, client, now, None, CollaborativeParameters(), QUICK, first)
    assert result.reused is kept
    assert (result.key == first.key) is kept
    if kept:
        again = choice_stage(
            lake, client, now, None, CollaborativeParameters(), QUICK, first, again=True
        )
        assert not again.reused
        assert again.key != first.key


def test_more_time_alone_is_no_reason_to_choose_again(
    lake: Path, client: Client, plays: StageResult, first: StageResult
) -> None:
    longer = QUICK.model_copy(update={"seconds": 2.0})
    result = choice_stage(lake, client, plays, None, CollaborativeParameters(), longer, first)
    assert result.key == first.key


@pytest.mark.parametrize("changed", ["code", "pin", "seed"])
def test_it_is_not_kept_for_another_question(
    tmp_path: Path,
    client: Client,
    plays: StageResult,
    first: StageResult,
    monkeypatch: pytest.MonkeyPatch,
    changed: str,
) -> None:
    start, parameters = CollaborativeParameters(), QUICK
    if changed == "code":
        monkeypatch.setattr(choice, "code_digest", lambda _: "other")
    elif changed == "pin":
        start = CollaborativeParameters(ridge=30.0)  # its default: pinned all the same
    else:
        parameters = QUICK.model_copy(update={"seed": 1})
    result = choice_stage(tmp_path, client, plays, None, start, parameters, first)
    assert result.key != first.key
    if changed == "pin":
        assert pinned_in(start) == ("ridge",)
        assert set(result["tried"].read()["ridge"].to_pylist()) == {30.0}


@pytest.mark.parametrize("listeners", [150, 900])
def test_the_start_stays_where_nothing_can_be_chosen(
    tmp_path: Path, client: Client, plays: StageResult, listeners: int
) -> None:
    seconds, data = 0.0, plays
    if listeners == 150:
        seconds, data = 60.0, ingested(tastes(users=150), tmp_path / "plays")
    result = choice_stage(tmp_path, client, data, None, BAD, ChoiceParameters(seconds=seconds))
    assert result["tried"].rows == 1
    assert chosen_parameters(result, BAD) == BAD.concrete
    assert str(result.counts["chosen"]).startswith("the start: ")


def test_a_killed_search_goes_on_where_it_was(
    tmp_path: Path,
    client: Client,
    plays: StageResult,
    first: StageResult,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    measured = choice.measured_block

    def dies(block: Any, world: Path, *arguments: Any) -> pa.Table:
        if len(list(world.parent.rglob("part-*.parquet"))) == 2:
            raise MemoryError("that was too much")
        return measured(block, world, *arguments)

    monkeypatch.setattr(choice, "measured_block", dies)
    with pytest.raises(RunError, match="finished blocks are kept"):
        choice_stage(tmp_path, client, plays, None, CollaborativeParameters(), QUICK)
    done = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("part-*.parquet")}
    assert len(done) == 2

    def goes_on(block: Any, world: Path, *arguments: Any) -> pa.Table:
        for path, then in done.items():
            assert path.stat().st_mtime_ns == then
        return measured(block, world, *arguments)

    monkeypatch.setattr(choice, "measured_block", goes_on)
    result = choice_stage(tmp_path, client, plays, None, CollaborativeParameters(), QUICK)
    assert result["tried"].digest == first["tried"].digest


def test_the_sketch_tells_how_much_is_in_common(tmp_path: Path, plays: StageResult) -> None:
    def sketch(of: StageResult) -> Any:
        return sketch_of(of["interactions"], of["users"], of["tracks"])

    X = tastes()
    for gone in (0, 90, 450):
        rest = without(gone)
        now = ingested(rest, tmp_path / str(gone))
        assert in_common(sketch(plays), sketch(now)) == pytest.approx(rest.nnz / X.nnz, abs=0.04)
