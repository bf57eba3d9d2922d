"""The data as of a cut: nothing later gets in, and what is asked is what was played first later."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tasks.evaluation.cut import Cut, FirstPlays, choose_cut, last_day
from tasks.evaluation.parameters import EvaluationParameters
from tasks.evaluation.past import DAY, LEFT_OUT, has_questions, past_stage
from tasks.evaluation.past_tables import RECENT_DAYS, Listeners, past_tables
from tasks.lake.contracts.stages.ingest import interactions_schema
from tasks.lake.dataset import Dataset
from tasks.lake.files import write_parquet
from tasks.lake.record import StageResult
from tests.tasks.content.catalogues import catalogue
from tests.tasks.evaluation.test_stage import ingested_lake, planted_plays

PARAMETERS = EvaluationParameters(temporal_listeners=20, temporal_fewest=5, temporal_share=0.5)
CUT, TRACKS, LISTENERS = 500, 12, 15

Listen = tuple[int, int, int]
"""Listener, track and day, in keys of ingest."""


def plays_of(listens: Sequence[Listen]) -> FirstPlays:
    """Return the listens, whose tracks are played keys, as `FirstPlays`."""
    rows = np.array(sorted(listens), np.int32).reshape(-1, 3)
    return FirstPlays(rows[:, 0], rows[:, 1], rows[:, 2])


def world(
    listens: Sequence[Listen], held_out: Sequence[int] = (0, 1, 2), share: float = 1.0
) -> dict[str, pa.Table]:
    """Return the tables as of `CUT`; tracks are track keys, some of which nobody has played."""
    played = sorted({track for _, track, _ in listens})
    tracks = catalogue([["tag"]] * TRACKS, played=[track in played for track in range(TRACKS)])
    ids = pa.array([f"listener {key:03}" for key in range(LISTENERS)])
    listeners = Listeners.of(ids, np.array(held_out), share, seed=0)
    of_sampled = [
        (user, played.index(track), day)
        for user, track, day in listens
        if listeners.is_sampled[user]
    ]
    return past_tables(tracks, listeners, plays_of(of_sampled), CUT, PARAMETERS)


def listens_in(tables: dict[str, pa.Table]) -> set[tuple[str, str]]:
    """Return listener and track of every listen, by their ids."""
    tracks, users = tables["tracks"], tables["users"]["user_id"].to_pylist()
    rows = zip(tracks["played_key"].to_pylist(), tracks["track_id"].to_pylist(), strict=True)
    name = {key: track for key, track in rows if key is not None}
    listens = tables["interactions"]
    pairs = zip(listens["user_key"].to_pylist(), listens["played_key"].to_pylist(), strict=True)
    return {(users[user], name[played]) for user, played in pairs}


def asked_in(tables: dict[str, pa.Table]) -> dict[str, tuple[set[str], set[str], bool]]:
    """Return history and targets of every listener who is asked, by ids, and who is held out."""
    ids = tables["tracks"]["track_id"].to_pylist()
    found = {}
    for row in tables["asked"].to_pylist():
        names = [ids[track] for track in row["tracks"]]
        assert len(set(names)) == len(names)
        targets = set(names[: row["targets"]])
        found[row["user_id"]] = (set(names[row["targets"] :]), targets, row["is_held_out"])
    return found


worlds = st.dictionaries(
    st.tuples(st.integers(0, LISTENERS - 1), st.integers(0, TRACKS - 1)),
    st.integers(CUT - 2 * RECENT_DAYS, CUT + 20),
    min_size=1,
).map(lambda days: [(user, track, day) for (user, track), day in days.items()])


def named(listens: Sequence[Listen]) -> set[tuple[str, str]]:
    return {(f"listener {user:03}", f"T{track:06d}") for user, track, _ in listens}


@given(worlds)
@settings(max_examples=150)
def test_the_tables_are_those_of_an_oracle(listens: list[Listen]) -> None:
    """Everything once more from sets of ids."""
    held_out = {f"listener {key:03}" for key in (0, 1, 2)}
    tables = world(listens)
    before = named([one for one in listens if one[2] < CUT])
    after = named([one for one in listens if one[2] >= CUT])
    recent = named([one for one in listens if CUT - RECENT_DAYS <= one[2] < CUT])
    people = sorted({user for user, _ in before})
    assert listens_in(tables) == before
    assert tables["users"]["user_id"].to_pylist() == people
    assert tables["users"]["tracks_played"].to_pylist() == [
        sum(user == one for user, _ in before) for one in people
    ]
    keys = tables["held_out"]["user_key"].to_pylist()
    assert [people[key] for key in keys] == sorted(held_out & set(people))
    for track, row, known in zip(
        tables["tracks"]["track_id"].to_pylist(),
        tables["tracks"].to_pylist(),
        tables["popularity"].to_pylist(),
        strict=True,
    ):
        assert row["listeners"] == row["plays"] == sum(track == one for _, one in before)
        for name, pairs in (("listeners", before), ("recent_listeners", recent)):
            theirs = sum(track == one and user not in held_out for user, one in pairs)
            assert known[name] == theirs
    assert len(tables["tracks"]) == TRACKS
    expected = {}
    for one in people:
        history = {track for user, track in before if user == one}
        if targets := {track for user, track in after if user == one}:
            expected[one] = (history, targets, one in held_out)
    assert asked_in(tables) == expected
    day_of = {pair: day for user, track, day in listens for pair in named([(user, track, day)])}
    ids = tables["tracks"]["track_id"].to_pylist()
    for row in tables["asked"].to_pylist():
        told = [day_of[row["user_id"], ids[track]] for track in row["tracks"]]
        assert row["days"] == [0] * row["targets"] + told[row["targets"] :]
        assert all(day < CUT for day in row["days"])


@given(worlds, worlds)
@settings(max_examples=150)
def test_nothing_that_was_played_later_gets_in(past: list[Listen], future: list[Listen]) -> None:
    """Whatever follows the cut, the models learn from the same bytes."""
    before = [one for one in past if one[2] < CUT]
    known = {one[:2] for one in before}
    later = [(user, track, max(day, CUT)) for user, track, day in future]
    tables = world(before), world(before + [one for one in later if one[:2] not in known])
    for name in ("tracks", "users", "interactions", "held_out", "popularity"):
        assert tables[0][name].equals(tables[1][name]), name
    assert not len(tables[0]["asked"])


@given(worlds, st.floats(0.1, 0.9))
@settings(max_examples=100)
def test_a_sample_has_whole_histories_of_some_listeners(
    listens: list[Listen], share: float
) -> None:
    whole, tables = world(listens), world(listens, share=share)
    people = set(tables["users"]["user_id"].to_pylist())
    pairs = {pair for pair in listens_in(whole) if pair[0] in people}
    assert listens_in(tables) == pairs
    ids = set(tables["tracks"]["track_id"].to_pylist())
    assert {track for _, track in pairs} <= ids
    everyone = asked_in(whole)
    for user, (history, targets, is_held_out) in asked_in(tables).items():
        assert (history, targets, is_held_out) == (
            everyone[user][0],
            everyone[user][1] & ids,
            everyone[user][2],
        )
    assert people <= set(
        world(listens, share=min(1.0, share + 0.05))["users"]["user_id"].to_pylist()
    )


def test_at_most_as_many_are_asked_as_wanted_and_always_the_same() -> None:
    listens = [
        (user, track, CUT + 9 * (track > 6) - 5) for user in range(LISTENERS) for track in (1, 7, 8)
    ]
    everyone = asked_in(world(listens))
    assert len(everyone) == LISTENERS
    few = PARAMETERS.model_copy(update={"temporal_asked": 2})
    ids = pa.array([f"listener {key:03}" for key in range(LISTENERS)])
    tracks = catalogue([["tag"]] * TRACKS, played=[track in (1, 7, 8) for track in range(TRACKS)])
    plays = plays_of([(user, {1: 0, 7: 1, 8: 2}[track], day) for user, track, day in listens])
    listeners = Listeners.of(ids, np.array([0, 1, 2]), 1.0, 0)
    found = asked_in(past_tables(tracks, listeners, plays, CUT, few))
    assert sorted(is_held_out for *_, is_held_out in found.values()) == [False, False, True, True]
    assert found.items() <= everyone.items()


def days(*counts: tuple[int, int], before: int = 60) -> FirstPlays:
    """Return the first plays of people who were there on day 0, of whom as many came back.

    ``counts`` are days and numbers of them; ``before`` more never come back.
    """
    listens = [(user, 0, 0) for user in range(before + sum(number for _, number in counts))]
    users = iter(range(len(listens)))
    listens += [(next(users), 1, day) for day, number in counts for _ in range(number)]
    return plays_of(listens)


def test_the_shortest_window_with_enough_listeners_is_cut_off() -> None:
    plays = days((999, 12), (990, 12), (940, 20))
    assert choose_cut(plays, 1_000, PARAMETERS) == Cut(1_001 - 14, 14, 24)
    fewer = PARAMETERS.model_copy(update={"temporal_listeners": 10})
    assert choose_cut(plays, 1_000, fewer) == Cut(1_001 - 7, 7, 12)
    more = PARAMETERS.model_copy(update={"temporal_listeners": 40})
    assert choose_cut(plays, 1_000, more) == Cut(1_001 - 91, 91, 44)
    # where nobody has as many, the one with most; of equal ones the shortest
    most = PARAMETERS.model_copy(update={"temporal_listeners": 100})
    assert choose_cut(plays, 1_000, most) == Cut(1_001 - 91, 91, 44)


def test_the_window_leaves_the_models_most_of_the_plays() -> None:
    plays = days((999, 12), (990, 12), (940, 20))  # 104 + 44 first plays
    little = PARAMETERS.model_copy(update={"temporal_listeners": 40, "temporal_share": 0.17})
    assert choose_cut(plays, 1_000, little) == Cut(1_001 - 14, 14, 24)
    nothing = PARAMETERS.model_copy(update={"temporal_share": 0.05})
    said = choose_cut(plays, 1_000, nothing)
    assert isinstance(said, str)
    assert "at most 5 % of the listens have 5 listeners" in said
    assert choose_cut(FirstPlays.none(), 0, PARAMETERS) == "no play has a time"


def test_a_clock_that_is_a_year_ahead_does_not_move_the_end() -> None:
    by_day = np.zeros(1_366, np.int64)
    by_day[900:1_001] = 100
    assert last_day(by_day) == 1_000
    by_day[1_365] = 5
    assert last_day(by_day) == 1_000


def timed(ingested: StageResult, folder: Path, first_day: NDArray[np.int64]) -> StageResult:
    """Give every listen of ingest a first play at noon of a day; -1: unknown."""
    listens = ingested["interactions"].read()
    at = pa.array((first_day * DAY + DAY // 2).astype(np.int64), mask=first_day < 0)
    at = at.cast(pa.uint32())
    ones = pa.array(np.ones(len(listens), np.int32))
    write_parquet(
        pa.table([*listens.columns, at, at, ones], schema=interactions_schema(timed=True)),
        folder / "timed.parquet",
    )
    datasets = ingested.datasets | {"interactions": Dataset.of(folder / "timed.parquet")}
    return ingested.model_copy(update={"datasets": datasets})


def held_out_of(folder: Path, keys: Sequence[int]) -> Dataset:
    write_parquet(pa.table({"user_key": np.array(keys, np.int32)}), folder / "held_out.parquet")
    return Dataset.of(folder / "held_out.parquet")


@pytest.fixture
def ingested(tmp_path: Path) -> StageResult:
    return ingested_lake(tmp_path / "ingest", planted_plays(0))


def test_the_stage_writes_its_datasets_and_reuses_them(
    tmp_path: Path, ingested: StageResult
) -> None:
    rows = ingested["interactions"].rows
    day = np.random.default_rng(0).integers(19_000, 19_400, rows)
    day[::10] = -1
    ours = timed(ingested, tmp_path, day)
    held_out = held_out_of(tmp_path, range(0, 400, 5))
    first = past_stage(tmp_path / "lake", ours, held_out, PARAMETERS)
    assert first is not None
    assert has_questions(first)
    assert first.counts["cut"] == "2023-02-05"  # seven days before the end of day 19,399
    assert first["interactions"].rows == int(((day >= 0) & (day < 19_393)).sum())
    again = past_stage(tmp_path / "lake", ours, held_out, PARAMETERS)
    assert again is not None
    assert again.reused
    # neither the gate's limits nor how many choose the blend decide what is asked
    other = PARAMETERS.model_copy(update={"gate_loss": 0.5, "temporal_tuning": 99})
    same = past_stage(tmp_path / "lake", ours, held_out, other)
    assert same is not None
    assert same.reused
    elsewhere = past_stage(tmp_path / "other", ours, held_out, PARAMETERS)
    assert elsewhere is not None
    assert elsewhere.datasets.keys() == first.datasets.keys()
    for name, dataset in first.datasets.items():
        assert elsewhere[name].digest == dataset.digest


def test_without_times_there_is_no_past(tmp_path: Path, ingested: StageResult) -> None:
    lake, held_out = tmp_path / "lake", held_out_of(tmp_path, [0, 1])
    assert past_stage(lake, ingested, held_out, PARAMETERS) is None
    day = np.full(ingested["interactions"].rows, 19_000)
    off = PARAMETERS.model_copy(update={"temporal_share": 0.0})
    assert past_stage(lake, timed(ingested, tmp_path, day), held_out, off) is None
    assert not lake.exists()


@pytest.mark.parametrize(
    ("first_day", "held_out", "because"),
    [
        (lambda rows: np.full(rows, -1), [0, 1], "no play has a time"),
        (lambda rows: np.full(rows, 19_000), [0, 1], "the most is 0"),
        (lambda rows: 19_000 + np.arange(rows) % 400, [], "too few of the held-out listeners"),
    ],
)
def test_a_reason_is_given_where_the_data_do_not_suffice(
    tmp_path: Path,
    ingested: StageResult,
    first_day: Callable[[int], NDArray[np.int64]],
    held_out: list[int],
    because: str,
) -> None:
    ours = timed(ingested, tmp_path, first_day(ingested["interactions"].rows))
    chosen = held_out_of(tmp_path, held_out)
    result = past_stage(tmp_path / "lake", ours, chosen, PARAMETERS)
    assert result is not None
    assert not has_questions(result)
    assert because in str(result.counts[LEFT_OUT])
    again = past_stage(tmp_path / "lake", ours, chosen, PARAMETERS)
    assert again is not None
    assert again.reused
    assert again.counts == result.counts
