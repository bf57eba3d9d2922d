"""What is rising and what is new: against SciPy, plain definitions and simulated catalogues."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import binomtest

from tasks.lake.contracts.stages.ingest import interactions_schema, tracks_schema
from tasks.lake.dataset import Dataset
from tasks.lake.files import write_parquet
from tasks.release.recent import (
    ENOUGH,
    FALSE_ALARMS,
    NEW_DAYS,
    USUAL_WINDOWS,
    FirstPlays,
    Ints,
    lowest_shares,
    new_tracks,
    trending_tracks,
)

DAY = 86_400
BEGIN = 19_000
"""First day of the data, since 1970."""


def first_plays(folder: Path, played: Ints, day: Ints, tracks: int) -> FirstPlays:
    """Write plays by a listener each, of the tracks on the days given; day −1: no time."""
    seconds = pa.array(day * DAY + 7, pa.uint32(), mask=day < 0)
    n = len(played)
    columns = [np.arange(n), played, np.ones(n), seconds, seconds, np.ones(n)]
    schema = interactions_schema(timed=True)
    arrays = [pa.array(c).cast(f.type) for c, f in zip(columns, schema, strict=True)]
    path = folder / "interactions.parquet"
    write_parquet(pa.table(arrays, schema=schema), path)
    found = FirstPlays.of(Dataset.of(path), tracks)
    assert found is not None
    return found


def static(seed: int, tracks: int, plays: int, days: int) -> tuple[Ints, Ints]:
    """Draw plays whose track says nothing of their day; tracks differ in popularity."""
    rng = np.random.default_rng(seed)
    popularity = rng.pareto(1.0, tracks)
    played = rng.choice(tracks, plays, p=popularity / popularity.sum())
    return played, BEGIN + rng.integers(0, days, plays)


@pytest.mark.parametrize("seed", range(4))
def test_the_bound_is_scipy_s_with_tarone_s_correction(seed: int) -> None:
    rng = np.random.default_rng(seed)
    recent, before = rng.poisson(4, 60), rng.poisson(rng.exponential(30, 60))
    share = recent.sum() / (recent.sum() + before.sum())
    n = recent + before
    for tried in range(1, 61):  # the least number of tests of which no more can pass
        able = share**n <= FALSE_ALARMS / tried
        if able.sum() <= tried:
            break
    found = lowest_shares(recent, before, float(share))
    for j in range(60):
        expected = 0.0
        if able[j]:
            test = binomtest(int(recent[j]), int(n[j]), share, alternative="greater")
            expected = test.proportion_ci(1 - FALSE_ALARMS / tried, "exact").low
            assert (expected > share) == (test.pvalue < FALSE_ALARMS / tried)
        assert found[j] == pytest.approx(expected, abs=1e-12)


def test_where_nothing_rises_few_catalogues_have_a_row(tmp_path: Path) -> None:
    alarms = 0
    for seed in range(200):
        plays = first_plays(tmp_path, *static(seed, 300, 9_000, 63), 300)
        alarms += trending_tracks(plays, np.arange(300, dtype=np.int32)).num_rows > 0
    assert alarms / 200 <= FALSE_ALARMS


def test_what_rises_is_found_and_ordered_by_the_bound(tmp_path: Path) -> None:
    played, day = static(1, 300, 9_000, 63)
    recent = BEGIN + 56
    # beside 1,000 usual plays of the last week: a new track, one that doubles its many, one that
    # has a single play more
    rising = np.concatenate([np.full(40, 300), np.full(150, 301), [302]])
    usual = np.full(8 * 75, 301), BEGIN + np.arange(8 * 75) % 56
    played = np.concatenate([played, rising, usual[0]])
    day = np.concatenate([day, recent + np.arange(len(rising)) % 7, usual[1]])
    found = trending_tracks(first_plays(tmp_path, played, day, 303), np.arange(303, dtype=np.int32))
    rows = found.to_pylist()
    assert [(row["track_key"], row["new_listeners"], row["days"]) for row in rows] == [
        (300, 40, 7), (301, 150, 7)
    ]  # fmt: skip
    assert rows[0]["usual_listeners"] == 0.0
    assert rows[1]["usual_listeners"] == pytest.approx(75, rel=0.15)
    assert 0 < rows[1]["score"] < 0.5 < rows[0]["score"] < 1


@pytest.mark.parametrize(
    ("per_day", "days", "window"),
    [
        (ENOUGH, 70, 7),
        (ENOUGH / 7, 70, 7),
        (ENOUGH / 28, 300, 28),
        (1, 2_000, 91),
        (1, 40, 7),  # the longest that as many days are before
        (1, 13, None),
    ],
)
def test_the_window_is_the_shortest_that_says_enough(
    tmp_path: Path, per_day: float, days: int, window: int | None
) -> None:
    day = BEGIN + np.repeat(np.arange(days), int(np.ceil(per_day)))
    day = np.append(day, np.full(400, BEGIN + days - 1))  # one track that rises
    played = np.append(np.zeros(len(day) - 400, np.int64), np.ones(400, np.int64))
    if window is not None and per_day < 2:
        played, day = played[:-380], day[:-380]
    found = trending_tracks(first_plays(tmp_path, played, day, 2), np.arange(2, dtype=np.int32))
    assert set(found["days"].to_pylist()) == ({window} if window else set())


def test_one_clock_that_is_ahead_does_not_empty_the_window(tmp_path: Path) -> None:
    played, day = static(2, 100, 6_000, 63)
    played, day = np.append(played, np.full(60, 100)), np.append(day, np.full(60, BEGIN + 60))
    keys = np.arange(101, dtype=np.int32)
    expected = trending_tracks(first_plays(tmp_path, played, day, 101), keys)
    assert expected["track_key"].to_pylist() == [100]
    played, day = np.append(played, [5, 6]), np.append(day, [BEGIN + 900, BEGIN - 9_000])
    plays = first_plays(tmp_path, played, day, 101)
    assert (plays.first_day, plays.last_day) == (BEGIN, BEGIN + 62)
    assert trending_tracks(plays, keys)["track_key"].to_pylist() == [100]


def test_without_times_there_is_nothing(tmp_path: Path) -> None:
    schema = interactions_schema(timed=False)
    table = pa.table({"user_key": [0], "played_key": [0], "plays": [1]}).cast(schema)
    write_parquet(table, tmp_path / "interactions.parquet")
    assert FirstPlays.of(Dataset.of(tmp_path / "interactions.parquet"), 1) is None
    schema = interactions_schema(timed=True)
    row = [0, 0, 1, None, None, 1]
    untimed = pa.table(
        [pa.array([value], field.type) for value, field in zip(row, schema, strict=True)],
        schema=schema,
    )
    write_parquet(untimed, tmp_path / "interactions.parquet")
    assert FirstPlays.of(Dataset.of(tmp_path / "interactions.parquet"), 1) is None


LAST = BEGIN + 799

NEW_CASES = {
    # id: (days of release and of the first play before the last day of the data, age expected)
    "released and played": (10, 7, 7),
    "released, not played": (10, None, 10),
    "played, release not known": (None, 5, 5),
    "played before its release": (3, 5, 3),
    "old, first played now": (NEW_DAYS + 30, 5, None),
    "released a year ago": (NEW_DAYS, None, NEW_DAYS),
    "released longer ago": (NEW_DAYS + 1, None, None),
    "out next week": (-7, None, None),
    "out next week, played already": (-7, 2, 2),
    "first played when the data began": (None, 790, None),
    "of this year, played for long": (300, 299, 299),
    "neither": (None, None, None),
}


def test_new_tracks_case_by_case(tmp_path: Path) -> None:
    schema = tracks_schema([], [], released=True)
    names = sorted(NEW_CASES)
    first = {name: NEW_CASES[name][1] for name in names}
    keys = {name: key for key, name in enumerate(n for n in names if first[n] is not None)}
    released = [NEW_CASES[name][0] for name in names]
    given = {
        "track_key": range(len(names)),
        "track_id": names,
        "released": [
            None if ago is None else date(1970, 1, 1) + timedelta(LAST - ago) for ago in released
        ],
        "played_key": [keys.get(name) for name in names],
    }
    nothing = [None] * len(names)
    tracks = pa.table(
        [pa.array(given.get(f.name, nothing), f.type) for f in schema], names=schema.names
    )
    # one more played key, for a track that is played all the time
    everyday = BEGIN + np.arange(800)
    played = np.append(np.full(800, len(keys)), [keys[name] for name in keys])
    day = np.append(everyday, [LAST - (first[name] or 0) for name in keys])
    extra = tracks.slice(0, 1).to_pylist()[0] | {
        "track_key": len(names), "track_id": "~", "released": None, "played_key": len(keys)
    }  # fmt: skip
    tracks = pa.concat_tables([tracks, pa.Table.from_pylist([extra], schema=tracks.schema)])
    found = new_tracks(first_plays(tmp_path, played, day, len(keys) + 1), tracks)
    ages = dict(zip(found["id"].to_pylist(), found["age"].to_pylist(), strict=True))
    assert ages == {name: age for name, (_, _, age) in NEW_CASES.items() if age is not None}
    assert found["age"].to_pylist() == sorted(ages.values())
    for name, day_ in zip(found["id"].to_pylist(), found["day"].to_pylist(), strict=True):
        assert day_ == date(1970, 1, 1) + timedelta(LAST - ages[name])


def test_the_usual_level_is_that_of_the_windows_before(tmp_path: Path) -> None:
    """Plays from before them do not count, and a tracks that was loud long ago rises again."""
    days = 7 * (USUAL_WINDOWS + 1)
    played, day = static(3, 50, 10_000, days)
    played = np.concatenate([played, np.full(500, 50), np.full(60, 50)])
    day = np.concatenate([day, np.full(500, BEGIN - 1), np.full(60, BEGIN + days - 1)])
    found = trending_tracks(first_plays(tmp_path, played, day, 51), np.arange(51, dtype=np.int32))
    assert found["track_key"].to_pylist() == [50]
    assert found["usual_listeners"].to_pylist() == [0.0]
