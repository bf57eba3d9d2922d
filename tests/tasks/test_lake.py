"""Stages are reused when nothing changed, and redone when anything did or was damaged."""

from pathlib import Path

import pyarrow as pa
import pytest

from tasks import lake as lake_module
from tasks.contracts import CONTRACTS, Column, Contract
from tasks.errors import RunError
from tasks.hybrid.parameters import HybridParameters
from tasks.lake import Stage, fingerprint, forget_unused, write_parquet
from tasks.source import source_digest

TABLE = pa.table({"x": [1, 2, 3]})


@pytest.fixture(autouse=True)
def _example(monkeypatch: pytest.MonkeyPatch) -> None:
    contract = Contract(rows="number", columns=(Column("x", pa.int64(), "it", 0),), key=("x",))
    monkeypatch.setitem(CONTRACTS, "example", {"rows": contract})


def _finished(lake: Path, **decides: object) -> Stage:
    stage = Stage(lake, "example", **decides)
    path = stage.folder / "rows.parquet"
    write_parquet(TABLE, path)
    stage.finish(1.5, {"rows": 3}, rows=path)
    return stage


def test_a_finished_stage_is_found_again(tmp_path: Path) -> None:
    stage = _finished(tmp_path, inputs="a")
    result = Stage(tmp_path, "example", inputs="a").finished()
    assert result is not None
    assert result.reused
    assert result.counts == {"rows": 3}
    assert result["rows"].path == stage.folder / "rows.parquet"
    assert result["rows"].read().equals(TABLE)
    assert not (stage.folder / "parts").exists()


def test_a_stage_that_breaks_its_contract_leaves_nothing(tmp_path: Path) -> None:
    stage = Stage(tmp_path, "example", inputs="a")
    path = stage.folder / "rows.parquet"
    (stage.scratch / "part").touch()
    write_parquet(pa.table({"x": [1, 2, 2, -1]}), path)
    with pytest.raises(RunError, match=r"rows\.x is out of range \(1 row\); rows\.x is not in"):
        stage.finish(1.5, {}, rows=path)
    assert not stage.folder.exists()
    assert Stage(tmp_path, "example", inputs="a").finished() is None


def test_another_input_is_another_stage(tmp_path: Path) -> None:
    _finished(tmp_path, inputs="a")
    assert Stage(tmp_path, "example", inputs="b").finished() is None


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
    assert Stage(tmp_path, "example", inputs="a").finished() is None
    assert not (stage.folder / "stage.json").exists()
    assert path.exists() == (damage == "record")


def test_the_lake_can_be_moved(tmp_path: Path) -> None:
    _finished(tmp_path / "here", inputs="a")
    (tmp_path / "here").rename(tmp_path / "there")
    result = Stage(tmp_path / "there", "example", inputs="a").finished()
    assert result is not None
    assert result["rows"].is_whole()


def test_the_least_recently_used_results_go(tmp_path: Path) -> None:
    stages = [_finished(tmp_path, inputs=name) for name in "abc"]
    Stage(tmp_path, "example", inputs="a").finished()
    gone = forget_unused(tmp_path, keep=2)
    assert gone == [stages[1].folder]
    assert Stage(tmp_path, "example", inputs="a").finished() is not None


def test_fingerprints_depend_on_content_not_on_order() -> None:
    assert fingerprint(a=1, b=[2]) == fingerprint(b=[2], a=1)
    assert fingerprint(a=1) != fingerprint(a=2)
    assert fingerprint(p=HybridParameters()) != fingerprint(p=HybridParameters(gamma=0.31))


def test_changed_code_changes_the_digest(tmp_path: Path) -> None:
    class Module:
        __file__ = str(tmp_path / "module.py")

    (tmp_path / "module.py").write_text("x = 1\n")
    before = source_digest(Module)
    assert source_digest(Module) == before
    (tmp_path / "module.py").write_text("x = 2\n")
    assert source_digest(Module) != before
    assert source_digest(lake_module) == source_digest(lake_module)
