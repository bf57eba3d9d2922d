"""The data checks: what they say of tables that are right, and of tables that are not."""

from collections.abc import Mapping
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from tasks.ingest.checks import all_checks, quality_table, run_checks, stop_on_failure
from tasks.ingest.limits import IngestLimits
from tasks.lake.contracts.quality import DATA_QUALITY
from warehouse.errors import InputError

COUNTS = {
    "records": 1_010,
    "play_records": 1_000,
    "plays_rows": 2,
    "merged_duplicates": 30,
    "unknown_track_plays": 40,
    "rejected_plays": 928,
    "long_history_plays": 0,
    "filtered_plays": 0,
    "forgotten_plays": 0,
    "dislike_rows": 0,
    "disliked_plays": 0,
    "filtered_tracks": 0,
    "fractional_counts": 0,
    "merged_tracks": 0,
    "tracks": 3,
    "track_records": 10,
}
"""1,000 = 2 + 30 + 40 + 928."""

TABLES: dict[str, dict[str, Any]] = {
    "tracks": {
        "track_id": ["a", "b", "c"],
        "listeners": [1, 0, 1],
        "plays": [5, 0, 7],
        "played_key": [0, None, 1],
    },
    "users": {"user_id": ["u", "v"], "tracks_played": [1, 1], "plays": [5, 7]},
    "interactions": {"user_key": [0, 1], "played_key": [0, 1], "plays": [5, 7]},
    "dislikes": {"user_key": pa.array([], pa.int32()), "track_key": pa.array([], pa.int32())},
    "unknown_tracks": {"track_id": ["x", "y", "z", "w"], "records": [37, 1, 1, 1]},
    "long_histories": {"user_id": [], "tracks": [], "records": []},
    "unknown_cause": {"cause": ["the history has others"]},
    "input_files": {
        "file": ["p.csv", "t.csv"],
        "records": [1_000, 10],
        "rejected": [25, 5],
        "reasons": ["open_quote 25", "nul_byte 5"],
    },
    "empty_files": {"file": pa.array([], pa.string())},
    **{
        kind: {
            "column": pa.array([], pa.string()),
            "rows": pa.array([], pa.int64()),
            "examples": pa.array([], pa.string()),
        }
        for kind in ("unreadable", "cut", "like_nulls", "like_lists")
    },
}

Results = dict[str, dict[str, object]]


def judge(
    changes: Mapping[str, Mapping[str, Any]] | None = None,
    counts: Mapping[str, int] | None = None,
    limits: IngestLimits | None = None,
    facts: frozenset[str] = frozenset({"counted"}),
) -> pa.Table:
    """Run the checks over `TABLES` with some columns replaced."""
    given = {**COUNTS, **(counts or {})}
    with duckdb.connect() as con:
        for name, columns in TABLES.items():
            con.register(name, pa.table({**columns, **(changes or {}).get(name, {})}))
        con.register("counts", pa.Table.from_pylist([given]))
        return quality_table(run_checks(con, given, limits or IngestLimits(), facts))


def by_name(table: pa.Table) -> Results:
    return {row["check_name"]: row for row in table.to_pylist()}


def test_every_check_says_what_it_is_for() -> None:
    for check in all_checks():
        assert check.purpose.endswith("."), check.name
        assert {"warn", "stop"} & set(check.settings), check.name


def test_tables_that_are_right_pass() -> None:
    table = judge()
    assert table.schema.equals(DATA_QUALITY.schema)
    assert set(table["status"].to_pylist()) == {"passed"}
    stop_on_failure(table)


def test_shares_are_of_what_they_say() -> None:
    rows = by_name(judge())
    assert rows["unknown_tracks"]["observed"] == (37 + 1 + 1 + 1) / 1_000
    assert rows["rejected_rows"]["observed"] == (25 + 5) / 1_010
    assert rows["duplicate_plays"]["observed"] == 30 / 1_000
    details = str(rows["unknown_tracks"]["details"])
    assert "track x (37), track w (1), track y (1) and 1 more; the history has others" in details


def test_a_limit_warns_and_a_higher_one_stops() -> None:
    warned = judge(limits=IngestLimits(unknown_share=0.03))
    row = by_name(warned)["unknown_tracks"]
    assert (row["status"], row["severity"]) == ("failed", "warn")
    assert row["expected"] == "at most 0.03 of play records; stops above 0.5"
    stop_on_failure(warned)
    stopped = judge(limits=IngestLimits(unknown_share=0.03, unknown_stop=0.035))
    row = by_name(stopped)["unknown_tracks"]
    assert (row["status"], row["severity"]) == ("failed", "stop")
    with pytest.raises(InputError, match=r"unknown_tracks failed: 0\.04, expected at most 0\.03"):
        stop_on_failure(stopped)


def test_few_rejected_rows_pass_whatever_their_share() -> None:
    assert (
        by_name(judge(limits=IngestLimits(reject_share=0.01)))["rejected_rows"]["status"]
        == "failed"
    )
    few = IngestLimits(reject_share=0.01, reject_rows=30)
    assert by_name(judge(limits=few))["rejected_rows"]["status"] == "passed"


def test_duplicates_are_no_matter_where_rows_are_plays() -> None:
    row = by_name(judge(facts=frozenset()))["duplicate_plays"]
    assert (row["status"], row["observed"]) == ("skipped", None)


def found(kind: str) -> dict[str, dict[str, list[object]]]:
    return {kind: {"column": ["c"], "rows": [1], "examples": ["'x'"]}}


@pytest.mark.parametrize(
    ("check", "changes", "counts", "severity"),
    [
        ("untidy_ids", {"users": {"user_id": ["u ", "v"]}}, {}, "warn"),
        ("untidy_ids", {"tracks": {"track_id": ["a", "\tb", "c"]}}, {}, "warn"),
        ("unreadable_values", found("unreadable"), {}, "warn"),
        ("long_values", found("cut"), {}, "warn"),
        ("null_like_names", found("like_nulls"), {}, "warn"),
        ("unread_lists", found("like_lists"), {}, "warn"),
        ("empty_files", {"empty_files": {"file": ["p.csv"]}}, {}, "warn"),
        ("fractional_counts", {}, {"fractional_counts": 500}, "warn"),
        ("records_add_up", {}, {"plays_rows": 3}, "stop"),
        ("totals_agree", {"users": {"plays": [5, 8]}}, {}, "stop"),
        ("totals_agree", {"tracks": {"listeners": [1, 0, 2]}}, {}, "stop"),
        ("keys_in_range", {"interactions": {"user_key": [0, 2]}}, {}, "stop"),
        ("keys_in_range", {"interactions": {"played_key": [1, 1]}}, {}, "stop"),
        ("keys_in_range", {"dislikes": {"user_key": [2], "track_key": [0]}}, {}, "stop"),
        ("keys_in_range", {"dislikes": {"user_key": [1], "track_key": [3]}}, {}, "stop"),
        ("records_add_up", {}, {"dislike_rows": 1}, "stop"),
        ("records_add_up", {}, {"disliked_plays": 1}, "stop"),
        ("keys_in_range", {"tracks": {"played_key": [0, 1, None]}}, {}, "stop"),
    ],
)
def test_each_check_finds_what_it_is_for(
    check: str,
    changes: Mapping[str, Mapping[str, Any]],
    counts: Mapping[str, int],
    severity: str,
) -> None:
    table = judge(changes, counts)
    failed = {row["check_name"]: row["severity"] for row in table.to_pylist()
              if row["status"] == "failed"}  # fmt: skip
    assert failed == {check: severity}
