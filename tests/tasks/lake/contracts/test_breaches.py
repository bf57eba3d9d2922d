"""Every breach of a contract is found, in tables in memory and in files, and counted."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.ingest.checks import contract_check, quality_table, stop_on_failure
from tasks.lake.contracts.breaches import breaches, file_breaches, hold
from tasks.lake.contracts.contract import Column, Contract
from tasks.lake.contracts.document import stage_contracts
from tasks.lake.contracts.stages.ingest import INTERACTIONS, USERS, tracks_schema
from warehouse.errors import InputError, RunError

CONTRACTS = {contract.stage: contract for contract in stage_contracts()}

SCHEMA = tracks_schema(["tempo"], ["key"])
TRACKS = pa.table(
    {
        name: pa.array(values, SCHEMA.field(name).type)
        for name, values in {
            "track_key": [0, 1, 2],
            "track_id": ["A", "a", "é"],
            "name": ["N", None, "M"],
            "artist": [None, "X", "X"],
            "artist_key": [None, 0, 0],
            "artists": [None, ["X"], ["X", "Y"]],
            "tags": [["x"], None, ["y", "x"]],
            "genre": [None, None, "Jazz"],
            "year": [None, 1901, 2100],
            "spotify_preview_url": [None] * 3,
            "spotify_id": [None] * 3,
            "listeners": [1, 0, 2],
            "plays": [4, 0, 2],
            "played_key": [0, None, 1],
            "tempo": [None, 0.5, -3.0],
            "key": ["5", None, "x"],
        }.items()
    },
    schema=SCHEMA,
)
USER_ROWS = pa.table(
    {"user_key": [0, 1], "user_id": ["u", "v"], "tracks_played": [2, 1], "plays": [5, 1]},
    schema=USERS.schema,
)
PAIRS = pa.table(
    {"user_key": [0, 0, 1], "played_key": [0, 1, 1], "plays": [4, 1, 1]}, schema=INTERACTIONS.schema
)
TABLES = {"tracks": TRACKS, "users": USER_ROWS, "interactions": PAIRS}


def written(folder: Path, table: pa.Table) -> list[Path]:
    """Write a table as Parquet of several row groups, its columns all nullable."""
    loose = pa.schema([field.with_nullable(True) for field in table.schema])
    pq.write_table(table.cast(loose), folder / "table.parquet", row_group_size=2)
    return [folder / "table.parquet"]


def test_tables_that_keep_their_contract_pass() -> None:
    row = contract_check(TABLES)
    assert (row["status"], row["observed"]) == ("passed", 0.0)
    stop_on_failure(quality_table([row]))
    for name, table in TABLES.items():
        assert breaches(name, CONTRACTS["ingest"].datasets[name], table.slice(0, 0)) == []


@pytest.mark.parametrize(
    ("name", "column", "values", "breach"),
    [
        (
            "tracks",
            "track_key",
            [0, 2, 1],
            "tracks.track_key is not in ascending order or repeats a row (1 row)",
        ),
        ("tracks", "track_id", ["A", "A", "é"], "tracks.track_id does not ascend (1 row)"),
        ("tracks", "track_id", ["a", "A", "é"], "tracks.track_id does not ascend (1 row)"),
        ("tracks", "listeners", [1, None, 2], "tracks.listeners is empty (1 row)"),
        ("tracks", "year", [1900, None, 2101], "tracks.year is out of range (2 rows)"),
        ("tracks", "plays", [-1, 0, 0], "tracks.plays is out of range (1 row)"),
        ("tracks", "tempo", [1.0, float("nan"), None], "tracks.tempo is not finite (1 row)"),
        ("users", "tracks_played", [-1, 1], "users.tracks_played is out of range (1 row)"),
        ("users", "user_id", ["v", "u"], "users.user_id does not ascend (1 row)"),
        (
            "interactions",
            "played_key",
            [0, 0, 1],
            "interactions.user_key, played_key is not in ascending order or repeats a row (1 row)",
        ),
        (
            "interactions",
            "user_key",
            [1, 1, 0],
            "interactions.user_key, played_key is not in ascending order or repeats a row (1 row)",
        ),
    ],
)
def test_a_breach_is_found_and_stops(
    tmp_path: Path, name: str, column: str, values: Sequence[object], breach: str
) -> None:
    table = TABLES[name]
    at = table.column_names.index(column)
    broken = table.set_column(at, column, pa.array(values, table.schema.field(column).type))
    contract = CONTRACTS["ingest"].datasets[name]
    assert [str(found) for found in breaches(name, contract, broken)] == [breach]
    assert [str(found) for found in file_breaches(name, contract, written(tmp_path, broken))] == [
        breach
    ]
    with pytest.raises(InputError, match=r"the data check contracts failed"):
        stop_on_failure(quality_table([contract_check({**TABLES, name: broken})]))


def test_a_column_of_another_type_is_found() -> None:
    other = USER_ROWS.set_column(3, "plays", pa.array([5, 1], pa.int32()))
    found = breaches("users", CONTRACTS["ingest"].datasets["users"], other)
    assert [str(breach) for breach in found] == ["users.plays is not int64 (2 rows)"]


LISTS = pa.table(
    {
        "track_key": [0, 1, 2],
        "tracks": [[1, 2], [0], []],
        "collaborative": [[10_000, 5], [7], []],
        "content": [[0, 0], [10_000], []],
        "repeats": [[0, 1], [0], []],
        "source": [[0, 5], [1], []],
    },
    schema=CONTRACTS["lists"].datasets["similar"].schema,
)
EDGES = pa.table(
    {"source": [0, 0, 2], "target": [1, 2, 0], "weight": [5, -3, 20_000]},
    schema=CONTRACTS["collaborative"].datasets["weights"].schema,
)
QUALITY = quality_table(
    [
        {"check_name": name, "severity": "warn", "status": "passed", "observed": None,
         "expected": "", "details": ""}
        for name in ("b", "a", "c")
    ]
)  # fmt: skip
GOOD = {
    ("lists", "similar"): LISTS,
    ("collaborative", "weights"): EDGES,
    ("ingest", "data_quality"): QUALITY,
}


@pytest.mark.parametrize(("stage", "name"), GOOD)
def test_files_that_keep_their_contract_pass(tmp_path: Path, stage: str, name: str) -> None:
    table = GOOD[stage, name]
    assert breaches(name, CONTRACTS[stage].datasets[name], table) == []
    hold(CONTRACTS[stage], {name: written(tmp_path, table)[0]})
    hold(CONTRACTS[stage], {name: written(tmp_path, table.slice(0, 0))[0]})


@pytest.mark.parametrize(
    ("stage", "name", "column", "values", "breach"),
    [
        ("collaborative", "weights", "weight", [5, 0, 1], "weights.weight is 0 (1 row)"),
        (
            "collaborative",
            "weights",
            "target",
            [1, 2, 2],
            "weights.source, target are equal (1 row)",
        ),
        (
            "lists",
            "similar",
            "source",
            [[0, 6], [-1], []],
            "similar.source is out of range (2 rows)",
        ),
        ("lists", "similar", "tracks", [[1, 2], [None], []], "similar.tracks is empty (1 row)"),
        (
            "lists",
            "similar",
            "repeats",
            [[0], [0, 0], []],
            "similar.tracks, collaborative, content, repeats, source are not equally long (2 rows)",
        ),
        (
            "ingest",
            "data_quality",
            "severity",
            ["warn", "stop", "loud"],
            "data_quality.severity is not one of warn, stop (1 row)",
        ),
        (
            "ingest",
            "data_quality",
            "check_name",
            ["b", "c", "b"],
            "data_quality.check_name repeats a row (1 row)",
        ),
    ],
)
def test_a_breach_of_a_later_stage_is_found(
    tmp_path: Path, stage: str, name: str, column: str, values: Sequence[object], breach: str
) -> None:
    table = GOOD[stage, name]
    at = table.column_names.index(column)
    broken = table.set_column(at, column, pa.array(values, table.schema.field(column).type))
    assert [str(found) for found in breaches(name, CONTRACTS[stage].datasets[name], broken)] == [
        breach
    ]
    found = file_breaches(name, CONTRACTS[stage].datasets[name], written(tmp_path, broken))
    assert [str(one) for one in found] == [breach]
    with pytest.raises(RunError) as raised:
        hold(CONTRACTS[stage], {name: tmp_path / "table.parquet"})
    assert f"the stage {stage} broke the contract of its data: {breach};" in str(raised.value)


def test_the_order_holds_from_part_to_part(tmp_path: Path) -> None:
    paths = {}
    for number, keys in enumerate(([0, 1], [1, 2])):
        paths[f"similar_{number:03}"] = tmp_path / f"{number}.parquet"
        table = LISTS.slice(0, 2).set_column(0, "track_key", pa.array(keys, pa.int32()))
        pq.write_table(table, paths[f"similar_{number:03}"])
    hold(CONTRACTS["lists"], {"similar_000": paths["similar_000"]})
    with pytest.raises(RunError, match=r"similar\.track_key is not in ascending order .*1 row"):
        hold(CONTRACTS["lists"], paths)


def test_columns_and_datasets_without_a_contract_are_found(tmp_path: Path) -> None:
    contract = Contract(rows="x", columns=(Column("x", pa.int32(), "a number"),), key=("x",))
    found = breaches("table", contract, pa.table({"y": [1]}))
    assert [str(one) for one in found] == [
        "table.x is missing (1 row)",
        "table.y is not in the contract (1 row)",
    ]
    with pytest.raises(RunError, match="the stage lists writes sums, for which no contract"):
        hold(CONTRACTS["lists"], {"sums": tmp_path})
