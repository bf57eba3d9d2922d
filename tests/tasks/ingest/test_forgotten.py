"""Input of forgotten listeners is counted and not read, whatever the file and the row."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.dataset.spec import DatasetSpec
from tasks.forgetting.remember import remember
from tasks.ingest.stage import ingest_stage
from tasks.lake.record import StageResult
from warehouse.errors import InputError
from warehouse.releases.home import Home

Row = tuple[str, str, str]

GONE = ("gone-one-1", "gone, two", "9")
"""Forgotten listeners."""

ROWS: Sequence[Row] = (
    ("t1", "ann", "3"),
    ("t2", "gone-one-1", "4"),
    ("t2", "bob", "9"),
    ("t1", "gone, two", "1"),
    ("t3", "9", "2"),
    ("t3", "ann", "1"),
    ("t2", "gone-one-1", "-5"),  # set aside
    ("t2", "bob", "none"),  # set aside
    ("unknown", "gone-one-1", "1"),
    ("unknown", "bob", "1"),
    ("t1", " 9 ", "1"),
)


def _csv(path: Path, rows: Sequence[Row]) -> str:
    quoted = [",".join(f'"{one}"' for one in row) for row in rows]
    (path / "plays.csv").write_text("\n".join(["track_id,user_id,playcount", *quoted]) + "\n")
    return "plays.csv"


def _plain(path: Path, rows: Sequence[Row]) -> str:
    lines = ["\t".join(row) for row in rows]
    (path / "plays.tsv").write_text("\n".join(["track_id\tuser_id\tplaycount", *lines]) + "\n")
    return "plays.tsv"


def _parquet(path: Path, rows: Sequence[Row]) -> str:
    columns = zip(("track_id", "user_id", "playcount"), zip(*rows, strict=True), strict=True)
    pq.write_table(pa.table({name: list(values) for name, values in columns}), path / "p.parquet")
    return "p.parquet"


def _lines(path: Path, rows: Sequence[Row]) -> str:
    names = ("track_id", "user_id", "playcount")
    lines = [json.dumps(dict(zip(names, row, strict=True))) for row in rows]
    (path / "plays.jsonl").write_text("\n".join(lines) + "\n")
    return "plays.jsonl"


def _ingested(
    folder: Path, rows: Sequence[Row], write: Callable[[Path, Sequence[Row]], str]
) -> StageResult:
    folder.mkdir(parents=True, exist_ok=True)
    tracks = "track_id,name\nt1,One\nt2,Two\nt3,Three\n"
    (folder / "tracks.csv").write_text(tracks)
    name = write(folder, rows)
    spec = DatasetSpec.model_validate(
        {
            "name": "set",
            "tracks": {"path": (str(folder / "tracks.csv"),), "id": "track_id"},
            "plays": {
                "path": (str(folder / name),), "user": "user_id", "track": "track_id",
                "count": "playcount",
            },
        }
    )  # fmt: skip
    return ingest_stage(folder / "home" / "lake", spec)


def _is_gone(row: Row) -> bool:
    return row[1].strip() in GONE


@pytest.mark.parametrize("write", [_csv, _plain, _parquet, _lines])
def test_a_file_gives_what_it_gives_without_their_rows(
    tmp_path: Path, write: Callable[[Path, Sequence[Row]], str]
) -> None:
    remember(Home(tmp_path / "here" / "home"), GONE)
    here = _ingested(tmp_path / "here", ROWS, write)
    there = _ingested(tmp_path / "there", [row for row in ROWS if not _is_gone(row)], write)
    for name in ("users", "interactions", "tracks"):
        assert here[name].read() == there[name].read()
    kept = ["reason"] if write is _lines else ["reason", "raw"]
    assert here["rejected_rows"].read(kept) == there["rejected_rows"].read(kept)
    quality = {row["check_name"]: row for row in here["data_quality"].read().to_pylist()}
    assert quality["forgotten_listeners"]["observed"] * here.counts["records"] == pytest.approx(6)
    assert quality["forgotten_listeners"]["status"] == "passed"
    assert "of the history (6)" in quality["forgotten_listeners"]["details"]
    assert quality["records_add_up"]["status"] == "passed"
    names = {row["check_name"] for row in there["data_quality"].read().to_pylist()}
    assert "forgotten_listeners" not in names
    _assert_nowhere(tmp_path / "here" / "home")


def test_rows_that_cannot_be_split_are_not_shown(tmp_path: Path) -> None:
    remember(Home(tmp_path / "home"), GONE)

    def broken(path: Path, rows: Sequence[Row]) -> str:
        name = _csv(path, rows)
        with (path / name).open("a") as file:
            file.write('t1,gone-one-1\nt1,9\nt1,ann\nt2,gone-one-1,3,4\nt2,"bob\n')
        return name

    result = _ingested(tmp_path, ROWS, broken)
    raw = result["rejected_rows"].read()["raw"].to_pylist()
    assert raw == ['"t2","bob","none"', "t1,ann", 't2,"bob'] or sorted(raw) == sorted(
        ["t2,bob,none", "t1,ann", 't2,"bob']
    )
    assert result.counts["forgotten_plays"] == 9
    assert result.counts["rejected_plays"] == 3
    _assert_nowhere(tmp_path / "home")


def test_an_error_shows_no_row_of_theirs(tmp_path: Path) -> None:
    remember(Home(tmp_path / "home"), GONE)
    bad = [("t1", "gone-one-1", "-1")] * 5 + [("t1", "ann", "-1")] * 300
    with pytest.raises(InputError) as raised:
        _ingested(tmp_path, bad, _csv)
    assert "ann" in str(raised.value)
    assert "gone" not in str(raised.value)
    _assert_nowhere(tmp_path / "home")


def test_a_history_of_nobody_else_is_named(tmp_path: Path) -> None:
    remember(Home(tmp_path / "home"), GONE)
    rows = [row for row in ROWS if _is_gone(row) and row[2].isdigit()]
    with pytest.raises(InputError, match="5 are of listeners who were forgotten"):
        _ingested(tmp_path, rows, _csv)


def test_forgetting_more_makes_another_result(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    first = _ingested(tmp_path, ROWS, _csv)
    assert _ingested(tmp_path, ROWS, _csv).reused
    remember(home, ["bob"])
    second = _ingested(tmp_path, ROWS, _csv)
    assert not second.reused
    assert second.key != first.key
    assert _ingested(tmp_path, ROWS, _csv).reused


def _assert_nowhere(home: Path) -> None:
    for path in home.rglob("*"):
        if path.is_file():
            assert b"gone" not in path.read_bytes()
        if path.suffix == ".parquet":
            assert "gone" not in str(pq.read_table(path).to_pylist())
