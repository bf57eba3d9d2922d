"""Times of plays: how they are read, which are rejected, and what the lake keeps of them."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.dataset.plays import PlaysSpec
from tasks.dataset.spec import DatasetSpec
from tasks.dataset.times import PER_SECOND, Unit
from tasks.ingest.limits import IngestLimits
from tasks.ingest.queries import judgement, query
from tasks.ingest.stage import ingest_stage
from tasks.ingest.times import EARLIEST
from tasks.lake.record import StageResult
from warehouse.errors import InputError

NOW = datetime(2024, 7, 1, 12, tzinfo=UTC)
LATEST = int((NOW + timedelta(days=1)).timestamp())
ZONES = (
    "UTC", "Europe/Berlin", "America/New_York", "America/St_Johns", "Asia/Kolkata",
    "Australia/Lord_Howe", "Pacific/Apia", "America/Sao_Paulo",
)  # fmt: skip


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as con:
        con.execute(query("macros"))
        yield con


def read(
    con: duckdb.DuckDBPyConnection,
    texts: Sequence[str | None],
    nulls: tuple[str, ...] = (),
    **at: str,
) -> list[int | str | None]:
    """Return of each text the second since 1970, or else the reason to reject it, or None."""
    spec = PlaysSpec.model_validate(
        {"path": "p", "user": "u", "track": "t", "at": {"column": "at", **at}, "nulls": nulls}
    )
    assert spec.at
    con.execute(f"SET TimeZone = '{spec.at.zone}'")
    fill = judgement(spec, IngestLimits(), LATEST)
    records = "SELECT 't1' AS track_id, 'u1' AS user_id, NULL AS count_text, at_text FROM given"
    con.register("given", pa.table({"at_text": pa.array(texts, pa.string())}))
    con.execute(query("plays", counted=query("counted", records=records, **fill), **fill))
    found = con.execute("SELECT played_at, reason FROM plays").fetchall()
    return [reason or second for second, reason in found]


def at(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> int:
    return int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-01-31", at(2024, 1, 31)),
        ("2024-01-31T10:15:30", at(2024, 1, 31, 10, 15, 30)),
        ("2024-01-31 10:15", at(2024, 1, 31, 10, 15)),
        ("2024-01-31T10", at(2024, 1, 31, 10)),
        ("2024-01-31T10:15:30Z", at(2024, 1, 31, 10, 15, 30)),
        ("2024-01-31t10:15:30z", at(2024, 1, 31, 10, 15, 30)),
        ("2024-01-31 10:15:30 UTC", at(2024, 1, 31, 10, 15, 30)),
        ("2024-01-31T10:15:30+02:00", at(2024, 1, 31, 8, 15, 30)),
        ("2024-01-31T10:15:30+0530", at(2024, 1, 31, 4, 45, 30)),
        ("2024-01-31 10:15:30-08", at(2024, 1, 31, 18, 15, 30)),
        ("2024-01-31T10:15:30.999", at(2024, 1, 31, 10, 15, 30)),
        ("2024-01-31T10:15:30,999Z", at(2024, 1, 31, 10, 15, 30)),
        ("2024-01-31T24:00:00Z", at(2024, 2, 1)),
        ("  2024-01-31 ", at(2024, 1, 31)),
        ("20240131", at(2024, 1, 31)),
        ("20240131T1015", at(2024, 1, 31, 10, 15)),
        ("20240131T101530Z", at(2024, 1, 31, 10, 15, 30)),
        ("2024/01/31 10:15:30", at(2024, 1, 31, 10, 15, 30)),
        # leap seconds: those that were, and one that was not, count as the second before
        ("2016-12-31T23:59:60Z", at(2016, 12, 31, 23, 59, 59)),
        ("2015-06-30 23:59:60.5+00", at(2015, 6, 30, 23, 59, 59)),
        ("2024-01-31T10:60:00", "at_not_a_time"),
        ("2024-01-31T10:15:61", "at_not_a_time"),
        ("2024-02-30", "at_not_a_time"),
        ("2024-13-01", "at_not_a_time"),
        ("31/01/2024", "at_not_a_time"),
        ("yesterday", "at_not_a_time"),
        ("infinity", "at_not_a_time"),
        ("10:15:30", "at_not_a_time"),
        ("2024", "at_not_a_time"),
        ("2024-01", "at_not_a_time"),
        # numbers are seconds, but no short ones
        ("964982703", 964982703),
        ("964982703.0", 964982703),
        ("9.64982703E8", 964982703),
        ("1719835200.75", 1719835200),
        ("1719835200123", "at_in_the_future"),
        ("99999999", "at_not_a_time"),
        ("0", "at_too_early"),
        ("-1", "at_too_early"),
        ("-964982703", "at_too_early"),
        # the range: from February 1970 until a day after the run
        ("1960-05-05", "at_too_early"),
        ("1970-01-01T00:00:00+00:00", "at_too_early"),
        ("1970-01-31T23:59:59Z", "at_too_early"),
        ("1970-02-01T00:00:00Z", EARLIEST),
        ("2024-07-02T12:00:00Z", LATEST),
        ("2024-07-02T12:00:01Z", "at_in_the_future"),
        ("12024-01-31", "at_in_the_future"),
        # nothing at all
        (None, None), ("", None), (" \t", None), ("NA", None), ("nan", None), ("null", None),
        (r"\N", None), ("None", None), ("?", None), ("-", None),
    ],
)  # fmt: skip
def test_what_a_text_says_without_more(
    text: str | None, expected: int | str | None, con: duckdb.DuckDBPyConnection
) -> None:
    assert read(con, [text]) == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-01-31T10:15:30", at(2024, 1, 31, 9, 15, 30)),
        ("2024-07-01", at(2024, 6, 30, 22)),
        ("2024-01-31T10:15:30Z", at(2024, 1, 31, 10, 15, 30)),
        # 02:30 was not there on 31 March 2024: the clocks said 03:30 half an hour later
        ("2024-03-31T02:30:00", at(2024, 3, 31, 1, 30)),
        # it was there twice on 29 October 2023: the second time counts
        ("2023-10-29T02:30:00", at(2023, 10, 29, 1, 30)),
        ("2023-10-29T02:30:00+02:00", at(2023, 10, 29, 0, 30)),
        ("1719835200", 1719835200),
    ],
)  # fmt: skip
def test_the_zone_is_that_of_times_without_one(
    text: str, expected: int, con: duckdb.DuckDBPyConnection
) -> None:
    assert read(con, [text], zone="Europe/Berlin") == [expected]


@settings(max_examples=30)
@given(
    zone=st.sampled_from(ZONES),
    naive=st.lists(
        st.datetimes(datetime(1975, 1, 1), datetime(2024, 6, 30)), min_size=1, max_size=50
    ),
)
def test_naive_times_agree_with_python_in_every_zone(
    con: duckdb.DuckDBPyConnection, zone: str, naive: list[datetime]
) -> None:
    # Of a gap the earlier offset, of an hour that comes twice the later time: the larger of both.
    there = ZoneInfo(zone)
    expected = [
        int(max(one.replace(tzinfo=there, fold=fold).timestamp() for fold in (0, 1)) // 1)
        for one in naive
    ]
    assert read(con, [one.isoformat(" ") for one in naive], zone=zone) == expected


@settings(max_examples=30)
@given(
    st.lists(
        st.tuples(
            st.datetimes(datetime(1975, 1, 1), datetime(2024, 6, 30)),
            st.integers(-14 * 60, 14 * 60),
            st.sampled_from(["T", " "]),
            st.sampled_from(["seconds", "milliseconds", "microseconds"]),
        ),
        min_size=1,
        max_size=50,
    )
)
def test_offsets_agree_with_python(
    con: duckdb.DuckDBPyConnection, written: list[tuple[datetime, int, str, str]]
) -> None:
    moments = [
        (naive.replace(tzinfo=timezone(timedelta(minutes=offset))), mark, digits)
        for naive, offset, mark, digits in written
    ]
    texts: list[str | None] = [one.isoformat(mark, digits) for one, mark, digits in moments]
    expected = [int(one.timestamp() // 1) for one, _, _ in moments]
    assert read(con, texts, zone="Asia/Kolkata") == expected


SECONDS = st.floats(1e9, LATEST, allow_nan=False, width=64)


@settings(max_examples=30)
@given(unit=st.sampled_from(["s", "ms", "us", "ns"]), seconds=st.lists(SECONDS, min_size=1))
def test_numbers_agree_with_pandas(
    con: duckdb.DuckDBPyConnection, unit: Unit, seconds: list[float]
) -> None:
    numbers = [int(one * PER_SECOND[unit]) for one in seconds]
    expected = pd.to_datetime(pd.Series(numbers), unit=unit).astype("datetime64[s]").astype(int)
    assert read(con, [str(one) for one in numbers], unit=unit) == expected.tolist()


@settings(max_examples=30)
@given(
    st.permutations(["s", "ms", "us", "ns"]).map(lambda units: units[:2]),
    st.lists(SECONDS, min_size=1),
)
def test_a_wrong_unit_is_never_believed(
    con: duckdb.DuckDBPyConnection, units: list[Unit], seconds: list[float]
) -> None:
    texts: list[str | None] = [str(int(one * PER_SECOND[units[0]])) for one in seconds]
    found = read(con, texts, unit=units[1])
    assert set(found) <= {"at_too_early", "at_in_the_future", "at_not_a_time"}


@pytest.mark.parametrize(
    ("text", "form", "expected"),
    [
        ("31 Jan 2020 14:02", "%d %b %Y %H:%M", at(2020, 1, 31, 13, 2)),
        ("31 Jan 2020, 14:02", "%d %b %Y, %H:%M", at(2020, 1, 31, 13, 2)),
        ("07/04/2020 2:05 PM", "%m/%d/%Y %I:%M %p", at(2020, 7, 4, 12, 5)),
        ("Fri Jan 31 14:02:00 +0000 2020", "%a %b %d %H:%M:%S %z %Y", at(2020, 1, 31, 14, 2)),
        ("2020-01-31", "%d %b %Y", "at_not_a_time"),
        ("", "%d %b %Y", None),
    ],
)
def test_a_format_reads_other_texts(
    text: str, form: str, expected: int | str | None, con: duckdb.DuckDBPyConnection
) -> None:
    assert read(con, [text], format=form, zone="Europe/Berlin") == [expected]


def test_a_unit_reads_numbers_only_and_nulls_are_missing(con: duckdb.DuckDBPyConnection) -> None:
    texts = ["1719835200123", "1719835200123.9", "2024-07-01", "0", "never", "1_719835200123"]
    found = read(con, texts, nulls=("0", "Never"), unit="ms")
    assert found == [
        1719835200, 1719835200, "at_not_a_time", None, None, "at_not_a_time",
    ]  # fmt: skip


# --- the whole stage ---

TOML = """
[tracks]
path = "tracks.csv"
id = "id"
title = "name"
{tracks}
[plays]
path = [{paths}]
user = "user"
{plays}
"""
TRACKS = "id,name\n" + "".join(f"T{one},Song {one // 2}\n" for one in range(10))


def ingest(
    folder: Path, plays: str, *paths: str, tracks: str = "", now: datetime = NOW
) -> StageResult:
    (folder / "tracks.csv").write_text(TRACKS)
    if "track = " not in plays:
        plays = f'track = "track"\n{plays}'
    text = TOML.format(tracks=tracks, plays=plays, paths=", ".join(map(json.dumps, paths)))
    (folder / "dataset.toml").write_text(text)
    spec = DatasetSpec.from_toml(folder / "dataset.toml")
    return ingest_stage(folder / "lake", spec, now=now)


def listens(result: StageResult) -> pd.DataFrame:
    """Return the listens with ids, in order of user and track."""
    tracks = result["tracks"].read(["track_id", "played_key"]).to_pandas().dropna()
    users = result["users"].read(["user_key", "user_id"]).to_pandas()
    pairs = result["interactions"].read().to_pandas()
    joined = pairs.merge(users, validate="m:1").merge(tracks, validate="m:1")
    names = ["user_id", "track_id", "plays", "first_at", "last_at", "records"]
    found: pd.DataFrame = joined[names].sort_values(["user_id", "track_id"], ignore_index=True)
    return found


def history(rows: int = 600) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    second = rng.integers(at(2023, 1, 1), at(2024, 6, 1), rows)
    return pd.DataFrame(
        {
            "user": [f"U{one}" for one in rng.integers(0, 12, rows)],
            "track": [f"T{one}" for one in rng.integers(0, 10, rows)],
            "n": rng.integers(1, 5, rows),
            "second": np.where(rng.random(rows) < 0.3, np.nan, second),
        }
    )


def expected_listens(rows: pd.DataFrame) -> pd.DataFrame:
    grouped = rows.groupby(["user", "track"], as_index=False).agg(
        plays=("n", "sum"),
        first_at=("second", "min"),
        last_at=("second", "max"),
        records=("n", "size"),
    )
    return grouped.rename(columns={"user": "user_id", "track": "track_id"})


def write(rows: pd.DataFrame, path: Path, kind: str) -> None:
    moments = pd.to_datetime(rows["second"], unit="s", utc=True)
    text = moments.dt.strftime("%Y-%m-%dT%H:%M:%SZ").where(moments.notna(), "")
    table = rows[["user", "track", "n"]].assign(at=text)
    if kind == "csv":
        table.to_csv(path, index=False)
    elif kind == "quoted":  # read record by record
        table.to_csv(path, index=False, quoting=1)
    elif kind == "json":
        table.to_json(path, orient="records", lines=True)
    else:
        naive = moments.dt.tz_localize(None) if kind == "naive parquet" else moments
        pq.write_table(pa.Table.from_pandas(table.assign(at=naive), preserve_index=False), path)


@pytest.mark.parametrize("kind", ["csv", "quoted", "json", "parquet", "naive parquet"])
def test_the_lake_keeps_first_last_and_number_as_pandas_finds_them(
    kind: str, tmp_path: Path
) -> None:
    rows = history()
    write(rows, tmp_path / "p", kind)
    result = ingest(tmp_path, 'count = "n"\nat = "at"', "p")
    pd.testing.assert_frame_equal(
        listens(result), expected_listens(rows), check_dtype=False, check_names=False
    )
    assert result.counts["untimed_plays"] == rows["second"].isna().sum()
    assert listens(result)["first_at"].isna().any()
    assert not result["rejected_rows"].rows


def test_the_order_of_rows_and_files_makes_no_difference(tmp_path: Path) -> None:
    rows = history()
    found = []
    for number, seed in enumerate((1, 2)):
        folder = tmp_path / str(number)
        folder.mkdir()
        mixed = rows.sample(frac=1, random_state=seed)
        cut = 150 + 200 * number
        write(mixed[:cut], folder / "a", "csv" if number else "parquet")
        write(mixed[cut:], folder / "b", "csv")
        result = ingest(folder, 'count = "n"\nat = "at"', "a", "b")
        found.append([result[name].digest for name in ("tracks", "users", "interactions")])
    assert found[0] == found[1]


def test_without_times_there_are_no_columns_of_times(tmp_path: Path) -> None:
    write(history(), tmp_path / "p", "csv")
    result = ingest(tmp_path, 'count = "n"', "p")
    assert result["interactions"].read().column_names == ["user_key", "played_key", "plays"]
    assert "released" not in result["tracks"].read().column_names
    names = result["data_quality"].read()["check_name"].to_pylist()
    assert "untimed_plays" not in names
    assert not {"untimed_plays", "next_future_play"} & result.counts.keys()


def test_songs_under_several_ids_have_the_times_of_all(tmp_path: Path) -> None:
    rows = history()
    write(rows, tmp_path / "p", "csv")
    result = ingest(tmp_path, 'count = "n"\nat = "at"', "p", tracks='duplicates = ["title"]')
    song = rows["track"].str[1:].astype(int) // 2
    merged = expected_listens(rows.assign(track=[f"Song {one}" for one in song]))
    names = result["tracks"].read(["track_id", "name"]).to_pandas()
    found = listens(result).merge(names, validate="m:1")
    found = found.assign(track_id=found["name"]).drop(columns="name")
    found = found.sort_values(["user_id", "track_id"], ignore_index=True)
    pd.testing.assert_frame_equal(found, merged, check_dtype=False)


def test_a_playlist_has_its_time_for_every_track(tmp_path: Path) -> None:
    rows = '{"user": "U1", "items": ["T1", "T2"], "at": 1700000000}\n'
    (tmp_path / "p").write_text(rows)
    result = ingest(
        tmp_path,
        'track = { column = "items", list = "json" }\nat = { column = "at", unit = "s" }',
        "p",
    )
    assert listens(result)["last_at"].tolist() == [1700000000] * 2


@pytest.fixture
def clocks(tmp_path: Path) -> Path:
    """A history with one play a week ahead of NOW."""
    good = "".join(f"U{one},T{one},2024-06-0{one}T10:00:00Z\n" for one in range(1, 9))
    (tmp_path / "p.csv").write_text(f"user,track,at\n{good}U1,T2,2024-07-08T12:00:00Z\n")
    return tmp_path


def test_plays_of_the_future_are_rejected_until_they_are_past(clocks: Path) -> None:
    def run(now: datetime) -> StageResult:
        return ingest(clocks, 'at = "at"', "p.csv", now=now)

    first = run(NOW)
    assert not first.reused
    rejected = first["rejected_rows"].read().to_pylist()
    assert [(row["record"], row["reason"]) for row in rejected] == [(10, "at_in_the_future")]
    assert run(NOW + timedelta(days=5)).reused
    later = run(NOW + timedelta(days=6))
    assert not later.reused
    assert later["rejected_rows"].rows == 0
    assert later["interactions"].rows == first["interactions"].rows + 1
    assert run(NOW + timedelta(days=90)).reused


@pytest.mark.parametrize(
    ("column", "plays", "advice"),
    [
        ("1719000000123", 'at = "at"', "`plays.at.unit` says what numbers count"),
        ("1719000000", 'at = { column = "at", unit = "ms" }', "`plays.at.unit` says"),
        ("31/01/2024 10:00", 'at = "at"', 'a `format` such as "%d %b %Y'),
    ],
)
def test_a_column_in_another_way_stops_with_what_to_write(
    column: str, plays: str, advice: str, tmp_path: Path
) -> None:
    rows = "".join(f"U{one},T{one % 10},{column}\n" for one in range(40))
    (tmp_path / "p.csv").write_text("user,track,at\n" + rows)
    with pytest.raises(InputError, match=advice) as caught:
        ingest(tmp_path, plays, "p.csv")
    assert "40 of 40 records cannot be used" in str(caught.value)
    assert column in str(caught.value)


def test_missing_times_are_counted_and_warned_of(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("user,track,at\nU1,T1,2024-06-01\nU1,T2\nU2,T2,\n")
    result = ingest(tmp_path, 'at = "at"', "p.csv")
    check = next(
        row
        for row in result["data_quality"].read().to_pylist()
        if row["check_name"] == "untimed_plays"
    )
    assert (check["severity"], check["status"], check["observed"]) == ("warn", "failed", 2 / 3)
    assert result.counts["plays_rows"] == 3
