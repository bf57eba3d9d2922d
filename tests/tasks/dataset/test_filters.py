"""Row filters: what they keep, on text columns."""

import duckdb
import pytest

from tasks.dataset.filters import RowFilter
from tasks.dataset.plays import PlaysSpec
from tasks.ingest.queries import column_value, query

SPEC = PlaysSpec(path=("x",), user="u", track="t", decimal=",")
ROWS = [
    ("play", "false", "4,5", "2020-05-01T10:00:00Z"),
    ("play", "1", "2", "2021-01-01"),
    ("skip", "no", "10", "1577836800"),
    ("NA", "", "", ""),
]


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        ("event = 'play' AND NOT skipped", [0]),
        ("rating >= 4.5", [0, 2]),
        ("rating * 2 > 8 OR skipped", [0, 1, 2]),
        ("event IN ('skip', 'view')", [2]),
        ("event NOT IN ('skip')", [0, 1]),
        ("rating BETWEEN 2 AND 5", [0, 1]),
        ("event IS NULL", [3]),
        ("skipped IS NOT TRUE", [0, 2, 3]),
        ("played >= DATE '2020-06-01'", [1]),
        ("played < TIMESTAMP '2020-02-01 00:00:00'", [2]),
        ("lower(event) LIKE 'pl%'", [0, 1]),
        ("starts_with(event, 'sk') AND length(event) = 4", [2]),
        ("-rating < -9", [2]),
    ],
)
def test_a_condition_keeps_the_rows_it_says(condition: str, kept: list[int]) -> None:
    names = ("event", "skipped", "rating", "played")
    at = {name: f'"{name}"' for name in names}
    filter_ = RowFilter.parse(condition)
    assert set(filter_.columns) <= set(names)
    sql = filter_.sql(lambda name, kind: column_value(SPEC, at, name, kind))
    with duckdb.connect() as con:
        con.execute(query("macros"))
        con.execute(
            "CREATE TABLE given (n INT, event TEXT, skipped TEXT, rating TEXT, played TEXT)"
        )
        con.executemany(
            "INSERT INTO given VALUES (?, ?, ?, ?, ?)",
            [(number, *row) for number, row in enumerate(ROWS)],
        )
        found = con.execute(f"SELECT n FROM given WHERE {sql} ORDER BY n").fetchall()
    assert [number for (number,) in found] == kept
