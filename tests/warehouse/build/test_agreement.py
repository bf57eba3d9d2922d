"""Many questions in one query are answered as one by one, and the check before publishing sees."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import duckdb
import pytest

from tests.warehouse.worlds import World, build_world
from warehouse.build.agreement import create_many
from warehouse.build.checks import check_release
from warehouse.contract.ranked import ranked_macros

SIZES = [8, 60, 1]


@pytest.fixture(scope="module", params=range(len(SIZES)))
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Worlds where lists are full and where they run out, with and without artists."""
    seed = request.param
    return build_world(tmp_path_factory.mktemp("many"), seed=10 + seed, n=SIZES[seed])


@pytest.fixture(scope="module")
def reader(world: World) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(str(world.database), read_only=True)
    create_many(connection)
    return connection


def _assert_same(
    reader: duckdb.DuckDBPyConnection,
    many: str,
    one: str,
    ids: list[str],
    given: Mapping[str, object],
) -> None:
    together = reader.execute(f"FROM {many}", {"ids": ids, **given}).fetchall()
    alone = [
        (question, *row)
        for question, name in enumerate(ids, start=1)
        for row in reader.execute(f"FROM {one}", {"id": name, **given}).fetchall()
    ]
    assert together == alone


@pytest.mark.parametrize(("weight", "k"), [(None, 20), (0.35, 100), (0.0, None), (7.5, 3)])
def test_many_questions_are_answered_as_one_by_one(
    world: World, reader: duckdb.DuckDBPyConnection, weight: float | None, k: int | None
) -> None:
    given = {"weight": weight, "k": k}
    settings = "k := $k, weight := $weight"
    users = [*world.user_ids[:4], "nobody", world.user_ids[0]]
    _assert_same(
        reader,
        f"recommend_users($ids, {settings})",
        f"recommend_user($id, {settings})",
        users,
        given,
    )
    tracks = [*world.track_ids[:4], "it's"]
    _assert_same(
        reader, f"similar_to_each($ids, {settings})", f"similar_to($id, {settings})", tracks, given
    )


@pytest.mark.parametrize("heard", [False, True])
def test_ids_are_left_out_and_heard_tracks_let_in_for_all_of_them(
    world: World, reader: duckdb.DuckDBPyConnection, heard: bool
) -> None:
    settings = "k := 25, exclude := $exclude, heard := $heard"
    _assert_same(
        reader,
        f"recommend_users($ids, {settings})",
        f"recommend_user($id, {settings})",
        ["nobody", *world.user_ids[:4]],
        {"exclude": world.track_ids[::3], "heard": heard},
    )


def test_no_question_has_no_answer(reader: duckdb.DuckDBPyConnection) -> None:
    assert reader.execute("FROM recommend_users([])").fetchall() == []
    assert reader.execute("FROM similar_to_each([])").fetchall() == []


def _broken(database: Path) -> list[str]:
    found = check_release(database, 20, 10, "500MB", 1)
    assert {broken.check for broken in found} <= {"tables_and_macros_agree"}
    return [broken.example for broken in found]


DAMAGE = {
    "a part of a row of a listener": (
        "UPDATE store.listeners SET collaborative = "
        "[CASE WHEN collaborative[1] > 0 THEN collaborative[1] - 1 ELSE 1 END] "
        "|| collaborative[2:] WHERE id = (SELECT min(id) FROM store.listeners)"
    ),
    "the order of a listener's rows": (
        "UPDATE store.listeners SET tracks = [tracks[2], tracks[1]] || tracks[3:] "
        "WHERE id = (SELECT min(id) FROM store.listeners)"
    ),
    "the reason of a row": (
        "UPDATE store.listeners SET because = [CASE WHEN because[1] = 0 THEN -1 ELSE 0 END] "
        "|| because[2:] WHERE id = (SELECT min(id) FROM store.listeners)"
    ),
    "a part of a row of a track": (
        "UPDATE store.similar_lists SET content = "
        "[CASE WHEN content[1] > 0 THEN content[1] - 1 ELSE 1 END] || content[2:] "
        "WHERE track_key = 0"
    ),
    "a learned weight": (
        "UPDATE store.edges SET weight = 20000 WHERE NOT is_content AND source = "
        "(SELECT min(source) FROM store.edges WHERE NOT is_content AND weight BETWEEN 1 AND 9000)"
    ),
    "a similarity": (
        "UPDATE store.similarity SET weight = weight // 2 + 7 WHERE source = "
        "(SELECT min(source) FROM store.similarity)"
    ),
    "γ of the release": "UPDATE store.constants SET gamma = gamma + 0.2",
    "the text of recommend_user": (
        "CREATE OR REPLACE MACRO recommend_user(user_id, k := 20) AS TABLE "
        "SELECT r.* REPLACE (greatest(r.score - 0.0001, 0) AS score) "
        "FROM user_candidates(user_id) r ORDER BY r.rank"
    ),
    "the text of recommend_tracks": (
        "CREATE OR REPLACE MACRO recommend_tracks(track_ids, k := 20) AS TABLE "
        "FROM recommend_user(track_ids[1], k := k)"
    ),
    "the text of track_candidates": (
        "CREATE OR REPLACE MACRO track_candidates(track_id) AS TABLE "
        "FROM similar_to(track_id, k := 5)"
    ),
}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> World:
    return build_world(tmp_path_factory.mktemp("damage"), seed=3, n=40, users=6)


def _damaged(world: World, folder: Path, statements: list[str]) -> Path:
    database = folder / "crossfade.duckdb"
    shutil.copyfile(world.database, database)
    with duckdb.connect(str(database)) as connection:
        for statement in statements:
            connection.execute(statement)
    return database


def test_a_release_as_built_agrees(small: World) -> None:
    assert _broken(small.database) == []


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_seen(small: World, tmp_path: Path, damage: str) -> None:
    assert _broken(_damaged(small, tmp_path, [DAMAGE[damage]])) != []


@pytest.mark.parametrize("setting", ["gamma", "weight", "popularity"])
def test_a_macro_with_another_constant_is_seen(small: World, tmp_path: Path, setting: str) -> None:
    given = small.given
    other = dict.fromkeys([setting], 0.31)
    segments = [{**segment, **other} for segment in given.segments]
    statements = ranked_macros(segments, other.get("gamma", given.gamma), given.artist_factors)
    replacing = [text.replace("CREATE MACRO", "CREATE OR REPLACE MACRO") for text in statements]
    assert _broken(_damaged(small, tmp_path, replacing)) != []
