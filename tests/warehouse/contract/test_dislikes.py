"""What a listener dislikes is in none of their lists, whoever computes them."""

import re
import shutil
from pathlib import Path

import duckdb
import numpy as np
import pytest

from tasks.blend.parameters import segment_of
from tests.tasks.blend.oracle import rank
from tests.warehouse.worlds import World, build_world
from warehouse.build.checks import check_release
from warehouse.contract.ranked import Settings, batch_macros, ranked_macros
from warehouse.contract.relations import relations

COLUMNS = "rank, track_id, score, because_track_id"


@pytest.fixture(scope="module", params=[(30, 0.3), (60, 0.1), (12, 1.0)])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Worlds where lists are full and where they run out; the first listener has no history."""
    n, disliked = request.param
    return build_world(tmp_path_factory.mktemp("world"), seed=n, n=n, disliked=disliked)


@pytest.fixture(scope="module")
def reader(world: World) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(world.database), read_only=True)


def _expected(world: World, listener: int, weight: float | None, heard: bool) -> list[object]:
    history, segments = world.histories[listener], world.blend.parameters.segments
    segment = segments[int(segment_of(np.array([len(history)]), segments)[0])]
    rows = rank(
        world.blend,
        history,
        segment.weight if weight is None else weight,
        segment.popularity,
        frozenset(world.dislikes[listener]),
        heard,
    )
    ids = world.track_ids
    return [
        (x, ids[row.track], row.score / 10_000, None if row.because is None else ids[row.because])
        for x, row in enumerate(rows, start=1)
    ]


@pytest.mark.parametrize("heard", [False, True])
@pytest.mark.parametrize("weight", [None, 0.0, 0.4, 1.0])
def test_every_macro_for_listeners_equals_the_definition(
    world: World, reader: duckdb.DuckDBPyConnection, weight: float | None, heard: bool
) -> None:
    given = {"w": weight, "h": heard}
    for listener, user_id in enumerate(world.user_ids):
        expected = _expected(world, listener, weight, heard)
        for k, call in (
            (7, "recommend_user($id, k := 7, weight := $w, heard := $h)"),
            (99, "recommend_user($id, k := 99, weight := $w, heard := $h)"),
            (99, "user_candidates($id, weight := $w, heard := $h)"),
            (99, "recommend_users([$id], k := 99, weight := $w, heard := $h)"),
            (7, "recommend_users([$id], k := 7, weight := $w, heard := $h)"),
        ):
            rows = reader.execute(
                f"SELECT {COLUMNS} FROM {call} ORDER BY rank", {"id": user_id, **given}
            ).fetchall()
            assert rows == expected[:k], call


def test_a_batch_is_answered_as_one_by_one(world: World, reader: duckdb.DuckDBPyConnection) -> None:
    asked = ["nobody", *world.user_ids, "no one", *world.user_ids[:3]]
    for settings in ("", ", k := 99", ", weight := 0.3, k := 5"):
        together = reader.execute(f"FROM recommend_users(?{settings})", [asked]).fetchall()
        alone = [
            (user_id, *row)
            for user_id in asked
            for row in reader.execute(f"FROM recommend_user(?{settings})", [user_id]).fetchall()
        ]
        assert together == alone


def test_no_list_limited_by_artist_holds_a_disliked_track(
    world: World, reader: duckdb.DuckDBPyConnection
) -> None:
    for user_id, dislikes in zip(world.user_ids, world.dislikes, strict=True):
        ids = [world.track_ids[j] for j in dislikes]
        for settings in (
            "per_artist := 1",
            "new_artists := true",
            "exclude_artists := ['Artist 1']",
        ):
            found = reader.execute(
                f"SELECT track_id FROM recommend_user(?, k := 99, {settings})", [user_id]
            ).fetchall()
            assert not {row[0] for row in found} & {*ids}
            assert (
                found
                == reader.execute(
                    "SELECT track_id FROM recommend_tracks((SELECT list(l.track_id) FROM listens l "
                    f"WHERE l.user_id = $id), k := 99, exclude := $ids, {settings})",
                    {"id": user_id, "ids": ids},
                ).fetchall()
            )


def test_a_listener_with_nothing_but_dislikes_gets_the_popular_tracks_without_them(
    world: World, reader: duckdb.DuckDBPyConnection
) -> None:
    user_id, disliked = world.user_ids[0], {world.track_ids[j] for j in world.dislikes[0]}
    assert reader.execute(
        "SELECT tracks_played, plays, segment FROM users WHERE user_id = ?", [user_id]
    ).fetchall() == [(0, 0, "0")]
    popular = reader.execute("SELECT track_id FROM recommend_user('nobody', k := 99)").fetchall()
    stored = reader.execute(
        "SELECT track_id FROM user_recommendations WHERE user_id = ? ORDER BY rank", [user_id]
    ).fetchall()
    assert stored == [row for row in popular if row[0] not in disliked][:20]


def test_liked_tracks_and_neighbours_know_no_dislikes(
    world: World, reader: duckdb.DuckDBPyConnection
) -> None:
    for user_id, history, dislikes in zip(
        world.user_ids, world.histories, world.dislikes, strict=True
    ):
        liked = [world.track_ids[j] for j in history]
        found = reader.execute(
            "SELECT track_id FROM recommend_tracks(?, k := 99)", [liked]
        ).fetchall()
        assert {row[0] for row in found} >= {world.track_ids[j] for j in dislikes}, user_id


def test_the_relation_holds_what_was_given(world: World, reader: duckdb.DuckDBPyConnection) -> None:
    given = [
        (user_id, world.track_ids[j])
        for user_id, dislikes in zip(world.user_ids, world.dislikes, strict=True)
        for j in dislikes
    ]
    assert sorted(reader.execute("FROM dislikes").fetchall()) == sorted(given)
    assert "dislikes" in relations()


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> World:
    return build_world(tmp_path_factory.mktemp("damage"), seed=30, n=30, disliked=0.3)


DAMAGE = {
    "nothing_disliked_is_recommended": (
        "INSERT INTO store.dislikes SELECT r.user_id, t.track_key FROM store.recommendations r "
        "JOIN store.tracks t ON t.id = r.track_id::VARCHAR WHERE r.rank = 1"
    ),
    "lists_are_full": (
        "DELETE FROM store.dislikes WHERE id = (SELECT min(r.user_id) FROM "
        "(SELECT user_id FROM store.recommendations GROUP BY user_id HAVING count(*) < 20) r)"
    ),
    "tables_and_macros_agree": (
        "DELETE FROM store.dislikes WHERE id = (SELECT max(r.user_id) FROM "
        "(SELECT user_id FROM store.recommendations GROUP BY user_id HAVING count(*) < 20) r)"
    ),
}


def _broken(database: Path) -> set[str]:
    return {broken.check for broken in check_release(database, 20, 10, "500MB", 1)}


def _copied(world: World, folder: Path) -> Path:
    """Copy a release: a file can be open with one configuration only."""
    database = folder / "crossfade.duckdb"
    shutil.copyfile(world.database, database)
    return database


def test_a_built_release_passes_the_checks(world: World, tmp_path: Path) -> None:
    assert _broken(_copied(world, tmp_path)) == set()


@pytest.mark.parametrize("check", DAMAGE)
def test_damage_is_seen(small: World, tmp_path: Path, check: str) -> None:
    database = _copied(small, tmp_path)
    with duckdb.connect(str(database)) as connection:
        connection.execute(DAMAGE[check])
    assert check in _broken(database)


def test_without_dislikes_the_macros_do_not_look_for_them() -> None:
    segments = [{"min_tracks": 0, "max_tracks": None, "weight": 0.5, "popularity": 0.1}]
    texts = {
        has_dislikes: [
            *ranked_macros(settings),
            *batch_macros(settings, {"listener": 20, "track": 10}),
        ]
        for has_dislikes in (False, True)
        for settings in [Settings(segments, 0.3, [1.0, 0.7], has_dislikes)]
    }
    assert not any("dislike" in text for text in texts[False])
    looking = {
        name
        for text in texts[True]
        for name in re.findall(r"^CREATE MACRO (\w+)", text, re.MULTILINE)
        if "dislike" in text
    }
    assert looking == {"recommend_user", "user_candidates", "recommend_users"}
