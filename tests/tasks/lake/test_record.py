"""Stages are reused when nothing changed, and redone when anything did or was damaged."""

import os
from pathlib import Path

import pyarrow as pa
import pytest

from tasks.blend.parameters import HybridParameters
from tasks.lake.contracts.contract import Column, Contract, StageContract
from tasks.lake.files import write_parquet
from tasks.lake.keys import fingerprint
from tasks.lake.record import Stage
from tasks.lake.retention import forget_unused
from warehouse.errors import RunError

TABLE = pa.table({"x": [1, 2, 3]})


EXAMPLE = StageContract(
    "example",
    {"rows": Contract(rows="number", columns=(Column("x", pa.int64(), "it", 0),), key=("x",))},
)


def _finished(lake: Path, **decides: object) -> Stage:
    stage = Stage(lake, EXAMPLE, **decides)
    path = stage.folder / "rows.parquet"
    write_parquet(TABLE, path)
    stage.finish(1.5, {"rows": 3}, rows=path)
    return stage


def test_a_finished_stage_is_found_again(tmp_path: Path) -> None:
    stage = _finished(tmp_path, inputs="a")
    result = Stage(tmp_path, EXAMPLE, inputs="a").finished()
    assert result is not None
    assert result.reused
    assert result.counts == {"rows": 3}
    assert result["rows"].path == stage.folder / "rows.parquet"
    assert result["rows"].read().equals(TABLE)
    assert not (stage.folder / "parts").exists()


def test_a_stage_that_breaks_its_contract_leaves_nothing(tmp_path: Path) -> None:
    stage = Stage(tmp_path, EXAMPLE, inputs="a")
    path = stage.folder / "rows.parquet"
    (stage.scratch / "part").touch()
    write_parquet(pa.table({"x": [1, 2, 2, -1]}), path)
    with pytest.raises(RunError, match=r"rows\.x is out of range \(1 row\); rows\.x is not in"):
        stage.finish(1.5, {}, rows=path)
    assert not stage.folder.exists()
    assert Stage(tmp_path, EXAMPLE, inputs="a").finished() is None


def test_another_input_is_another_stage(tmp_path: Path) -> None:
    _finished(tmp_path, inputs="a")
    assert Stage(tmp_path, EXAMPLE, inputs="b").finished() is None


@pytest.mark.parametrize("damage", ["missing", "cut", "flipped", "record"])
def test_damage_is_noticed(tmp_path: Path, damage: str) -> None:
    stage = _finished(tmp_path, inputs="a")
    path = stage.folder / "rows.parquet"
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(content[:-1])
    elif damage == "flipped":
        path.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    else:
        (stage.folder / "stage.json").write_text("{")
    assert Stage(tmp_path, EXAMPLE, inputs="a").finished() is None
    assert not (stage.folder / "stage.json").exists()
    assert path.exists() == (damage == "record")


def test_the_lake_can_be_moved(tmp_path: Path) -> None:
    _finished(tmp_path / "here", inputs="a")
    (tmp_path / "here").rename(tmp_path / "there")
    result = Stage(tmp_path / "there", EXAMPLE, inputs="a").finished()
    assert result is not None
    assert result["rows"].is_whole()


def test_the_least_recently_used_results_go(tmp_path: Path) -> None:
    stages = [_finished(tmp_path, inputs=name) for name in "abc"]
    Stage(tmp_path, EXAMPLE, inputs="a").finished()
    assert forget_unused(tmp_path, keep=2, in_use={stages[1].folder}) == []
    gone = forget_unused(tmp_path, keep=2)
    assert gone == [stages[1].folder]
    assert Stage(tmp_path, EXAMPLE, inputs="a").finished() is not None


def test_a_stage_that_runs_several_times_per_run_keeps_as_many_results(tmp_path: Path) -> None:
    several = StageContract("collaborative", {})
    stages = [Stage(tmp_path, several, inputs=name) for name in range(9)]
    for number, stage in enumerate(stages):
        os.utime(stage.folder, ns=(number, number))
    gone = forget_unused(tmp_path, keep=2)
    assert gone == [stages[0].folder]


def test_fingerprints_depend_on_content_not_on_order() -> None:
    assert fingerprint(a=1, b=[2]) == fingerprint(b=[2], a=1)
    assert fingerprint(a=1) != fingerprint(a=2)
    assert fingerprint(p=HybridParameters()) != fingerprint(p=HybridParameters(gamma=0.31))
