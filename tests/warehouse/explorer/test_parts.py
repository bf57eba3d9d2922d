"""Functions of the page: CSV, reasons, previews, settings, one reader per viewer."""

import csv
import io
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from tests.warehouse.publishing import publish
from warehouse.build.writer import BuildInput
from warehouse.explorer.as_sql import Value, as_sql, literal
from warehouse.explorer.components import short
from warehouse.explorer.covers import web_address
from warehouse.explorer.launch import options
from warehouse.explorer.listener import glance
from warehouse.explorer.reasons import reason
from warehouse.explorer.release.build import flatten
from warehouse.explorer.snapshot import _snapshot
from warehouse.releases.home import Home
from warehouse.releases.reader import Reader
from warehouse.spreadsheets import csv_bytes


def test_csv_keeps_every_text_whole() -> None:
    texts = ['say "hi"', "two\nlines", "a,b", "naïve 日本", "=1+1", "x" * 10_000, ""]
    table = pa.table({"text": texts, "tags": [["a", "b,c"]] * len(texts), "n": [1] * len(texts)})
    rows = list(csv.DictReader(io.StringIO(csv_bytes(table).decode(), newline="")))
    shown = [f"'{text}" if text.startswith("=") else text for text in texts]  # no formula
    assert [row["text"] for row in rows] == shown
    assert rows[0] == {"text": 'say "hi"', "tags": "a, b,c", "n": "1"}


def test_csv_of_nothing_has_its_header() -> None:
    empty = pa.table({"a": pa.array([], pa.string()), "b": pa.array([], pa.list_(pa.string()))})
    assert csv_bytes(empty).decode().splitlines() == ['"a","b"']


A: dict[str, Any] = {
    "track_id": "a",
    "name": "Alpha",
    "artist": "X",
    "tags": ["rock", "pop"],
    "genre": "Rock",
}
B: dict[str, Any] = {
    "track_id": "b",
    "name": "Beta",
    "artist": "X",
    "tags": ["pop"],
    "genre": "Rock",
}
C: dict[str, Any] = {"track_id": "c", "name": None, "artist": None, "tags": None, "genre": "Rock"}
D: dict[str, Any] = {"track_id": "d", "name": "Delta", "artist": None, "tags": [], "genre": None}
TRACKS = {track["track_id"]: track for track in (A, B, C, D)}


@pytest.mark.parametrize(
    ("track_id", "because", "source", "did", "weight", "sentence"),
    [
        ("b", "a", "hybrid", "played", 0.5,
         "Because you played|Alpha| · same artist · played by the same people · tags pop"),
        ("b", "a", "hybrid", "chose", 0, "Because you chose|Alpha| · same artist · tags pop"),
        ("b", "a", "hybrid", "", 1, "Same artist · played by the same people||"),
        ("b", "a", "content", "", 0.5, "Same artist · tags pop||"),
        ("c", "a", "content", "played", 0.5, "Because you played|Alpha| · same genre"),
        ("d", "c", "content", "played", 0.5, "Because you played|c| · sounds similar"),
        ("a", None, "popular", "played", 0.5, "Popular with all listeners||"),
        ("a", None, "same_artist", "chose", 0.5, "More by an artist you chose||"),
        ("d", None, "catalogue", "played", 0.5, "From the rest of the catalogue||"),
    ],
)  # fmt: skip
def test_reasons(
    track_id: str, because: str | None, source: str, did: str, weight: float, sentence: str
) -> None:
    row = {"track_id": track_id, "because_track_id": because, "source": source, "score": 0.5}
    shown = reason(row, TRACKS, did, weight)
    assert "|".join([shown["before"], shown["track"], shown["after"]]) == sentence


def test_a_listeners_history_at_a_glance() -> None:
    history: list[dict[str, Any]] = [
        {"artist": "X", "genre": "Rock", "year": 1990, "plays": 2},
        {"artist": "Y", "genre": None, "year": 2000, "plays": 5},
        {"artist": "X", "genre": "Rock", "year": None, "plays": 4},
    ]
    assert glance(history) == [
        ("Artists played most", "X (6), Y (5)"),
        ("Genres played most", "Rock (6)"),
        ("Years", "1990 to 2000, half of them by 1990"),
    ]
    assert glance([]) == []


def test_a_list_as_sql_binds_nothing_and_quotes_everything() -> None:
    values: dict[str, Value] = {"subject": ["O'N", "$k"], "k": 5, "weight": None}
    text = as_sql("liked", values)
    assert text.endswith("recommend_tracks(['O''N', '$k'], k := 5, weight := NULL) ORDER BY rank\n")
    assert [literal(value) for value in (True, 0.25, "a")] == ["true", "0.25", "'a'"]


@pytest.mark.parametrize(
    ("url", "served"),
    [("https://x/y", "https://x/y"), ("javascript:alert(1)", None), ("", None), (None, None)],
)
def test_only_web_addresses_are_previews(url: str | None, served: str | None) -> None:
    assert web_address(url) == served


def test_long_texts_are_cut_for_the_page() -> None:
    assert short("x" * 300) == "x" * 300
    assert short("x" * 10_000) == "x" * 299 + "…"


def test_parameters_are_flattened() -> None:
    assert flatten({"a": {"b": 1, "c": [1, 2]}, "d": None}) == {
        "a.b": "1", "a.c": "[1, 2]", "d": "null",
    }  # fmt: skip


def test_the_server_is_local_and_reports_nowhere() -> None:
    given = options(8501, "127.0.0.1", browser=False)
    assert given["server.address"] == "127.0.0.1"
    assert given["browser.gatherUsageStats"] is False


def test_two_viewers_read_one_release_at_once(home: Home, given: BuildInput) -> None:
    publish(home, given, 0)
    with (
        Reader(home.current, threads=1, memory_limit="100MB") as one,
        Reader(home.current, threads=1, memory_limit="100MB") as other,
    ):
        count = "SELECT count(*) AS n FROM tracks"
        assert one.rows(count) == other.rows(count) == [{"n": 30}]
        setting = "SELECT current_setting('memory_limit') AS most, current_setting('threads') AS n"
        assert one.rows(setting) == [{"most": "95.3 MiB", "n": 1}]


def test_a_run_that_was_cut_short_does_not_hold_up_the_next(three_published: Home) -> None:
    reader = Reader(three_published.current)
    first, second = _snapshot(reader), _snapshot(reader)
    busy = "SELECT count(*) FROM range(100000) a, range(100000) b WHERE a.range + b.range = -1"
    with ThreadPoolExecutor(1) as beside:
        query = beside.submit(first.connection.execute, busy)
        try:
            while not query.running():
                pass
            assert second.rows("segments")
            assert _snapshot(reader).release_id == first.release_id
        finally:
            first.connection.interrupt()
        with pytest.raises(duckdb.InterruptException):
            query.result()
