"""The lists that rest on times: against their definitions, and what they promise."""

import math
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.warehouse.timed_worlds import (
    EPOCH,
    Listen,
    TimedWorld,
    build_timed_world,
    rebuilt,
)
from tests.warehouse.worlds import World, build_world

Row = tuple[object, ...]

OF_LISTENERS = ("on_repeat", "rediscover", "new_for_user")
CALLS = (*(f"{name}(?)" for name in OF_LISTENERS), "trending('all')")


@pytest.fixture(scope="module", params=range(3))
def timed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> TimedWorld:
    folder = tmp_path_factory.mktemp("timed")
    return build_timed_world(folder, request.param, n=[40, 12, 60][request.param])


@pytest.fixture(scope="module")
def reader(timed: TimedWorld) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(timed.world.database), read_only=True) as connection:
        yield connection


def presence(plays: int, ago: int, since: int) -> float:
    big, small = since + 1, ago + 1
    rest = math.sqrt(big * small) * (math.sqrt(big) + math.sqrt(small))
    return 1 / (small * math.sqrt(small)) + 2 * (plays - 1) / rest


def expected(timed: TimedWorld, user: int, macro: str, days: int) -> list[Row]:
    """Return what the definition of `on_repeat` or `rediscover` gives: rank, id, plays, day."""
    own = [one for one in timed.listens if one.user == user]
    newest = max((one.last for one in own if one.last is not None), default=0)
    average = sum(one.plays for one in own) / len(own) if own else 0
    found = []
    for one in own:
        if one.last is None or one.first is None or one.plays < 2:
            continue
        ago = newest - one.last
        fits = ago < days if macro == "on_repeat" else ago >= days and one.plays > average
        if fits:
            found.append((-presence(one.plays, ago, newest - one.first), one.track, one))
    return [
        (rank, timed.world.track_ids[track], one.plays, EPOCH + timedelta(one.last or 0))
        for rank, (_, track, one) in enumerate(sorted(found, key=lambda x: x[:2]), start=1)
    ]


@pytest.mark.parametrize("days", [0, 1, 28, 90, 10_000])
@pytest.mark.parametrize("macro", ["on_repeat", "rediscover"])
def test_lists_of_the_history_equal_their_definition(
    timed: TimedWorld, reader: duckdb.DuckDBPyConnection, macro: str, days: int
) -> None:
    found_any = False
    for user, user_id in enumerate(timed.world.user_ids):
        rows = reader.execute(
            f"SELECT rank, track_id, plays, last_played FROM {macro}(?, k := 500, days := ?)",
            [user_id, days],
        ).fetchall()
        assert rows == expected(timed, user, macro, days)
        found_any |= bool(rows)
    assert found_any == ((macro, days) not in {("on_repeat", 0), ("rediscover", 10_000)})


@pytest.mark.parametrize(("macro", "days"), [("on_repeat", 28), ("rediscover", 90)])
def test_defaults_scores_and_reasons(
    timed: TimedWorld, reader: duckdb.DuckDBPyConnection, macro: str, days: int
) -> None:
    plays = {(one.user, one.track): one for one in timed.listens}
    words = {"on_repeat": "last on", "rediscover": "not since"}[macro]
    for user, user_id in enumerate(timed.world.user_ids):
        rows = reader.execute(f"FROM {macro}(?)", [user_id]).fetchall()
        assert [(row[0], row[1], row[5], row[6]) for row in rows] == expected(
            timed, user, macro, days
        )[:20]
        for _, track_id, name, artist, score, count, day, reason in rows:
            one = plays[user, timed.world.track_ids.index(str(track_id))]
            newest = max(x.last for x in timed.listens if x.user == user and x.last is not None)
            assert one.first is not None
            assert one.last is not None
            p = presence(one.plays, newest - one.last, newest - one.first)
            assert score == pytest.approx(math.sqrt(p) / (1 + math.sqrt(p)), abs=6e-5)
            assert reason == f"played {count} times, {words} {day}"
            assert [(name, artist)] == reader.execute(
                "SELECT name, artist FROM tracks WHERE track_id = ?", [track_id]
            ).fetchall()


def test_new_tracks_are_ordered_by_what_suits_and_by_their_listeners(
    timed: TimedWorld, reader: duckdb.DuckDBPyConnection
) -> None:
    columns = "track_id, name, artist, collaborative_score, content_score, source, because_track_id"
    own = dict(reader.execute("SELECT user_id, weight FROM users").fetchall())
    for user_id in timed.world.user_ids:
        for weight, days in ((None, 28), (0.0, 60), (0.7, 1), (9.0, 60), (None, -1)):
            candidates = reader.execute(
                f"SELECT {columns}, listeners FROM user_candidates(?, weight := ?) ORDER BY rank",
                [user_id, weight],
            ).fetchall()
            share = min(1, own[user_id] if weight is None else weight)
            rows = reader.execute(
                f"SELECT rank, score, reason, {columns} FROM new_for_user(?, k := 100, "
                "weight := ?, days := ?)",
                [user_id, weight, days],
            ).fetchall()
            new = [row for row in candidates if timed.new_tracks.get(row[0], 10**6) < days]
            assert [(row[1], *row[3:]) for row in rows] == in_order_of_appeal(new, share)
            assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
            assert all(str(row[2]).startswith("new since 20") for row in rows)


def in_order_of_appeal(new: list[tuple[Any, ...]], share: float) -> list[Row]:
    """Return score and columns of new tracks, the last of which is the number of listeners."""
    most = max((row[-1] for row in new), default=0)
    found = []
    for row in new:
        collaborative, content, source = row[3:6]
        suited = math.floor(10_000 * (share * collaborative + (1 - share) * content) + 0.5)
        popular = math.floor(10_000 * math.sqrt(row[-1] / max(1, most)) + 0.5)
        if source not in ("popular", "catalogue"):
            score = math.floor((suited + popular) / 2 + 0.5) / 10_000
            found.append(((-suited - popular, -row[-1], row[0]), (score, *row[:-1])))
    return [row for _, row in sorted(found)]


def test_a_new_track_of_a_favourite_artist_is_not_marked_down(
    tmp_path: Path,
) -> None:
    """The artist factor counts the tracks of a list, and old tracks are not in this one."""
    timed = build_timed_world(tmp_path, seed=5, n=60)
    marked_down = 0
    with duckdb.connect(str(timed.world.database), read_only=True) as connection:
        for user_id in timed.world.user_ids:
            scores = dict(
                connection.execute(
                    "SELECT track_id, score FROM user_candidates(?, weight := 0.5)", [user_id]
                ).fetchall()
            )
            for track_id, c, d, score in connection.execute(
                "SELECT track_id, collaborative_score, content_score, score "
                "FROM new_for_user(?, weight := 0.5, days := 60)",
                [user_id],
            ).fetchall():
                marked_down += scores[track_id] < (c + d) / 2 - 2e-4
                assert score >= (c + d) / 4 - 2e-4
    assert marked_down


@pytest.mark.parametrize("scope", ["all", None, "Jazz", "rock", "nothing"])
def test_trending_is_the_stored_list_within_a_scope(
    timed: TimedWorld, reader: duckdb.DuckDBPyConnection, scope: str | None
) -> None:
    rows = reader.execute(
        "SELECT rank, track_id, score, new_listeners FROM trending(?, k := 50)", [scope]
    ).fetchall()
    described = reader.execute("SELECT track_id, genre, tags FROM tracks").fetchall()
    within = {
        str(track_id)
        for track_id, genre, tags in described
        if scope in (None, "all", genre) or scope in (tags or [])
    }
    ordered = sorted(timed.trending, key=lambda one: (-one[1], -one[2], one[0]))
    ids = timed.world.track_ids
    assert [row[1:] for row in rows] == [
        (ids[key], score, recent) for key, score, recent in ordered if ids[key] in within
    ]
    assert [row[0] for row in rows] == list(range(1, len(rows) + 1))


def test_without_times_they_have_no_rows(tmp_path: Path) -> None:
    world = build_world(tmp_path, seed=3)
    with duckdb.connect(str(world.database), read_only=True) as connection:
        for call in CALLS:
            for user_id in world.user_ids if "?" in call else [None]:
                asked = [user_id] if "?" in call else []
                assert connection.execute(f"FROM {call}", asked).fetchall() == []


def test_only_the_listeners_own_plays_change_their_lists(tmp_path: Path) -> None:
    """Nobody's list changes because time passes for others, or for everybody."""
    before = build_timed_world(tmp_path / "before", seed=1)
    user = next(
        user
        for user in range(len(before.world.user_ids))
        if expected(before, user, "on_repeat", 28) and expected(before, user, "rediscover", 90)
    )

    def moved(days_of_one: int, days_of_others: int) -> TimedWorld:
        def at(one: Listen) -> Listen:
            by = days_of_one if one.user == user else days_of_others
            if one.first is None or one.last is None:
                return one
            return replace(one, first=one.first + by, last=one.last + by)

        folder = tmp_path / f"{days_of_one},{days_of_others}"
        listens = [at(one) for one in before.listens]
        return rebuilt(folder, before.world, listens, before.new_tracks, before.trending)

    def lists(timed: TimedWorld, later: int) -> list[list[Row]]:
        with duckdb.connect(str(timed.world.database), read_only=True) as connection:
            return [
                connection.execute(
                    f"SELECT rank, track_id, score, last_played - {later} FROM {macro}(?)",
                    [timed.world.user_ids[user]],
                ).fetchall()
                for macro in ("on_repeat", "rediscover")
            ]

    expected_lists = lists(before, 0)
    assert all(expected_lists)
    assert lists(moved(0, 300), 0) == expected_lists
    assert lists(moved(77, 0), 77) == expected_lists


@settings(max_examples=8, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(1, 45),
    users=st.integers(1, 5),
    disliked=st.sampled_from([0.0, 0.3]),
    data=st.data(),
)
def test_lists_keep_their_promises(
    seed: int, n: int, users: int, disliked: float, data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        timed = build_timed_world(Path(folder), seed, n, users, disliked=disliked)
        ids = [*timed.world.track_ids, "no such track"]
        excluded = data.draw(st.lists(st.sampled_from(ids), max_size=6))
        k = data.draw(st.sampled_from([None, -1, 0, 1, 3, 10**12]))
        user_id = data.draw(st.sampled_from([*timed.world.user_ids, "nobody"]))
        with duckdb.connect(str(timed.world.database), read_only=True) as connection:
            _assert_promises(connection, timed.world, user_id, excluded, k)


def _assert_promises(
    connection: duckdb.DuckDBPyConnection,
    world: World,
    user_id: str,
    excluded: list[str],
    k: int | None,
) -> None:
    rows: dict[str, list[Row]] = {}
    for call in CALLS:
        name, asked = call.partition("(")[0], [user_id] if "?" in call else []
        start = call.rstrip(")")
        whole = connection.execute(f"{'FROM ' + start}, k := 1000)", asked).fetchall()
        some = connection.execute(
            f"FROM {start}, k := ?, exclude := ?)", [*asked, k, excluded]
        ).fetchall()
        again = connection.execute(
            f"FROM {start}, exclude := ?, k := ?)", [*asked, excluded, k]
        ).fetchall()
        assert some == again
        left = [row[1:] for row in whole if row[1] not in excluded]
        if name != "new_for_user":  # popularity and artists of what is left decide its order
            assert [row[1:] for row in some] == left[: 20 if k is None else max(k, 0)]
        else:
            wanted = 20 if k is None else max(k, 0)
            unlimited = connection.execute(
                f"FROM {start}, k := 1000, exclude := ?)", [*asked, excluded]
            ).fetchall()
            assert some == unlimited[:wanted]
            assert {row[1] for row in unlimited} == {row[0] for row in left}
        for found in (whole, some):
            assert [row[0] for row in found] == list(range(1, len(found) + 1))
            assert len({row[1] for row in found}) == len(found)
            assert all(0 <= float(str(row[4])) <= 1 for row in found)
        rows[name] = whole
    played = dict(zip(world.user_ids, world.histories, strict=True)).get(user_id, [])
    heard = {world.track_ids[key] for key in played}
    disliked = dict(zip(world.user_ids, world.dislikes, strict=True)).get(user_id, [])
    of = {name: {str(row[1]) for row in found} for name, found in rows.items()}
    assert of["on_repeat"] | of["rediscover"] <= heard
    assert not of["on_repeat"] & of["rediscover"]
    assert not of["new_for_user"] & (heard | {world.track_ids[key] for key in disliked})
    if user_id == "nobody":
        assert not of["on_repeat"] | of["rediscover"] | of["new_for_user"]


def test_a_list_of_ids_is_refused_where_one_is_meant(reader: duckdb.DuckDBPyConnection) -> None:
    for name in OF_LISTENERS:
        with pytest.raises(duckdb.Error, match="a list was given where one id is expected"):
            reader.execute(f"FROM {name}(?)", [["a", "b"]]).fetchall()


def test_ids_are_bound_never_read_as_sql(reader: duckdb.DuckDBPyConnection) -> None:
    for call in CALLS:
        query = f"FROM {call.replace(chr(39) + 'all' + chr(39), '?')}"
        assert reader.execute(query, ["x'; DROP TABLE store.tracks; --"]).fetchall() == []
