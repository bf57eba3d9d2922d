"""The contracts of the lake's tables: complete, and every breach is found."""

from collections.abc import Sequence

import pyarrow as pa
import pytest

from tasks.errors import InputError
from tasks.ingest.checks import contract_check, quality_table, stop_on_failure
from tasks.ingest.contracts import CONTRACTS, breaches
from tasks.schemas import INTERACTIONS, USERS, tracks_schema

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
    schema=USERS,
)
PAIRS = pa.table(
    {"user_key": [0, 0, 1], "played_key": [0, 1, 1], "plays": [4, 1, 1]}, schema=INTERACTIONS
)
TABLES = {"tracks": TRACKS, "users": USER_ROWS, "interactions": PAIRS}


def test_contracts_cover_every_column() -> None:
    for contract in CONTRACTS.values():
        assert list(contract.columns) == contract.schema.names


def test_tables_that_keep_their_contract_pass() -> None:
    row = contract_check(TABLES)
    assert (row["status"], row["observed"]) == ("passed", 0.0)
    stop_on_failure(quality_table([row]))
    for name, table in TABLES.items():
        assert list(breaches(name, table.slice(0, 0))) == []


@pytest.mark.parametrize(
    ("name", "column", "values", "breach"),
    [
        ("tracks", "track_key", [0, 2, 1], ("tracks is not sorted by track_key or repeats one", 1)),
        ("tracks", "track_id", ["A", "A", "é"], ("tracks.track_id does not ascend", 1)),
        ("tracks", "track_id", ["a", "A", "é"], ("tracks.track_id does not ascend", 1)),
        ("tracks", "listeners", [1, None, 2], ("tracks.listeners is empty", 1)),
        ("tracks", "year", [1900, None, 2101], ("tracks.year is out of range", 2)),
        ("tracks", "plays", [-1, 0, 0], ("tracks.plays is out of range", 1)),
        ("tracks", "tempo", [1.0, float("nan"), None], ("tracks.tempo is not finite", 1)),
        ("users", "tracks_played", [0, 1], ("users.tracks_played is out of range", 1)),
        ("users", "user_id", ["v", "u"], ("users.user_id does not ascend", 1)),
        (
            "interactions",
            "played_key",
            [0, 0, 1],
            ("interactions is not sorted by user_key, played_key or repeats one", 1),
        ),
        (
            "interactions",
            "user_key",
            [1, 1, 0],
            ("interactions is not sorted by user_key, played_key or repeats one", 1),
        ),
    ],
)
def test_a_breach_is_found_and_stops(
    name: str, column: str, values: Sequence[object], breach: tuple[str, int]
) -> None:
    table = TABLES[name]
    at = table.column_names.index(column)
    broken = table.set_column(at, column, pa.array(values, table.schema.field(column).type))
    assert list(breaches(name, broken)) == [breach]
    with pytest.raises(InputError, match=r"the data check contracts failed"):
        stop_on_failure(quality_table([contract_check({**TABLES, name: broken})]))


def test_a_column_of_another_type_is_found() -> None:
    other = USER_ROWS.set_column(3, "plays", pa.array([5, 1], pa.int32()))
    assert list(breaches("users", other)) == [("users.plays is not int64", 2)]
