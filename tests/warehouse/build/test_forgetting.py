"""A release's file without some listeners: their bytes are gone, everything else is as it was."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.warehouse.worlds import World, build_world
from warehouse.build.forgetting import LISTENERS, SCHEMA, rewrite_without
from warehouse.contract.relations import relations
from warehouse.contract.versions import STORAGE_VERSION
from warehouse.redaction import Redactor

OF_LISTENERS = ("users", "listens", "dislikes", "user_recommendations")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A release with awkward ids, dislikes, rejected rows and texts that name a listener."""
    world = build_world(tmp_path_factory.mktemp("world"), seed=3, users=20, disliked=0.1)
    with duckdb.connect(str(world.database)) as connection:
        connection.executemany(
            "INSERT INTO store.rejected_rows VALUES ('plays.csv', ?, 'count_missing', ?)",
            [[n, f"T0001,{user},"] for n, user in enumerate(world.user_ids, 2)],
        )
        connection.execute(
            "INSERT INTO store.data_quality VALUES ('long_histories', 'warn', 'failed', 1, '', ?)",
            [f"listener {world.user_ids[-1]} with 99,999 tracks"],
        )
    return world


def rewritten(world: World, folder: Path, ids: Collection[str]) -> Path:
    target = folder / "new.duckdb"
    done = rewrite_without(
        world.database, target, ids, Redactor(ids), STORAGE_VERSION, memory_limit="500MB"
    )
    assert done is not None
    assert done.listeners == {one.strip() for one in ids}
    assert list(folder.iterdir()) == [target]
    return target


def test_everybody_else_is_as_before_in_the_same_order(world: World, tmp_path: Path) -> None:
    gone = [world.user_ids[x] for x in (0, 3, 7, 19)]
    target = rewritten(world, tmp_path, {one.strip() for one in gone})
    for name in ("listeners", "recommendations", "dislikes", "edges", "similar_lists", "popular"):
        before = _rows(world.database, f"FROM store.{name}")
        if name in LISTENERS:
            before = [row for row in before if row[0] not in gone]
        assert _rows(target, f"FROM store.{name}") == before, name
    for name in relations():
        if name not in ("release", "rejected_rows", "data_quality", "segments"):
            before = _rows(world.database, f"FROM {name} ORDER BY ALL")
            if name in OF_LISTENERS:
                before = [row for row in before if row[0] not in gone]
            assert _rows(target, f"FROM {name} ORDER BY ALL") == before, name
    assert _schema(target) == _schema(world.database)
    kept = [user for user in world.user_ids if user not in gone]
    raw = [row[0] for row in _rows(target, "SELECT raw FROM rejected_rows")]
    assert raw == [f"T0001,{user}," for user in kept]
    ((details,),) = _rows(target, "SELECT details FROM data_quality")
    assert details == "listener (forgotten) with 99,999 tracks"
    ((counts,),) = _rows(target, "SELECT row_counts FROM release")
    for name in (*OF_LISTENERS, "rejected_rows"):
        assert [(counts[name],)] == _rows(target, f"SELECT count(*) FROM {name}"), name


def test_no_byte_and_no_value_names_them(world: World, tmp_path: Path) -> None:
    gone = [user for user in world.user_ids if user.strip().isascii()][3:9]
    target = rewritten(world, tmp_path, {one.strip() for one in gone})
    data = target.read_bytes()
    before = world.database.read_bytes()
    found = [one for one in gone if one.strip().encode() in before]
    assert found, "the file is compressed: the test could not fail"
    for one in gone:
        assert one.strip().encode() not in data
    for table in ("listeners", "recommendations", "dislikes", "rejected_rows", "data_quality"):
        text = str(_rows(target, f"FROM store.{table}"))
        assert not any(one.strip() in text for one in gone)


def test_the_macros_answer_others_as_before_and_them_as_strangers(
    world: World, tmp_path: Path
) -> None:
    gone, kept = world.user_ids[5], world.user_ids[6]
    target = rewritten(world, tmp_path, {gone.strip()})
    for ask in ("FROM recommend_user(?)", "FROM recommend_user(?, weight := 0.3, k := 5)"):
        assert _rows(target, ask, [kept]) == _rows(world.database, ask, [kept])
        assert _rows(target, ask, [gone]) == _rows(world.database, ask, ["nobody at all"])


def test_a_file_without_them_is_left_alone(world: World, tmp_path: Path) -> None:
    ids = {"stranger-1"}
    target = tmp_path / "new.duckdb"
    done = rewrite_without(world.database, target, ids, Redactor(ids), STORAGE_VERSION, "500MB")
    assert done is None
    assert not list(tmp_path.iterdir())


def _rows(database: Path, sql: str, values: list[Any] | None = None) -> list[Any]:
    with duckdb.connect(str(database), read_only=True) as connection:
        return connection.execute(sql, values or []).fetchall()


def _schema(database: Path) -> list[Any]:
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{database}' AS one (READ_ONLY)")
        return connection.execute(SCHEMA, {"name": "one"}).fetchall()
