"""The check before publishing sees damage of any part of a release."""

import shutil
from pathlib import Path

import duckdb
import pytest

from tests.warehouse.worlds import World, build_world
from warehouse.build.checks import check_release
from warehouse.contract.ranked import Settings, batch_macros, ranked_macros


def _broken(database: Path) -> list[str]:
    found = check_release(database, 20, 10, "500MB", 1)
    assert {broken.check for broken in found} <= {"tables_and_macros_agree"}
    return [broken.example for broken in found]


DAMAGE = {
    "a part of a row of a listener": (
        "UPDATE store.recommendations SET collaborative = "
        "CASE WHEN collaborative > 0 THEN collaborative - 1 ELSE 1 END "
        "WHERE rank = 1 AND user_id = (SELECT min(id) FROM store.listeners)"
    ),
    "the score of a row of a listener": (
        "UPDATE store.recommendations SET score = score - 1 "
        "WHERE rank = 1 AND user_id = (SELECT min(id) FROM store.listeners)"
    ),
    "the order of a listener's rows": (
        "UPDATE store.recommendations SET rank = 3 - rank "
        "WHERE rank <= 2 AND user_id = (SELECT min(id) FROM store.listeners)"
    ),
    "the reason of a row": (
        "UPDATE store.recommendations SET because_track_id = "
        "CASE WHEN because_track_id IS NULL THEN track_id END "
        "WHERE rank = 1 AND user_id = (SELECT min(id) FROM store.listeners)"
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
        "CREATE OR REPLACE MACRO recommend_tracks(track_ids, k := 20, exclude := []) AS TABLE "
        "FROM recommend_user(track_ids[1], k := k)"
    ),
    "the text of recommend_many": (
        "CREATE OR REPLACE MACRO recommend_many(lists, k := 20) AS TABLE "
        "SELECT 1 AS position, r.* FROM recommend_tracks(lists[1], k := k) r"
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
    settings = Settings(segments, other.get("gamma", given.gamma), given.artist_factors, False)
    statements = [*ranked_macros(settings), *batch_macros(settings, {})]
    replacing = [text.replace("CREATE MACRO", "CREATE OR REPLACE MACRO") for text in statements]
    assert _broken(_damaged(small, tmp_path, replacing)) != []
