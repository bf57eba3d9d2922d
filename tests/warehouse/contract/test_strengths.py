"""Where recent plays count more, tables and macros agree, and liked tracks count the same."""

import re
import shutil
from pathlib import Path

import duckdb
import numpy as np
import pytest

from tasks.blend.parameters import HybridParameters, segment_of
from tests.tasks.blend.oracle import rank
from tests.warehouse.worlds import World, build_world
from warehouse.build.checks import check_release
from warehouse.contract.ranked import Settings, batch_macros, ranked_macros

COLUMNS = "rank, track_id, score, because_track_id"

PARAMETERS = HybridParameters(popular_candidates=5, half_life=100)


@pytest.fixture(scope="module", params=[(30, 0.0), (60, 0.1)])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Worlds without dislikes and with some; in the second the first listener has no history."""
    n, disliked = request.param
    folder = tmp_path_factory.mktemp("world")
    return build_world(folder, seed=n, n=n, parameters=PARAMETERS, disliked=disliked)


@pytest.fixture(scope="module")
def reader(world: World) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(world.database), read_only=True)


def _expected(
    world: World, listener: int, weight: float | None, heard: bool = False, equal: bool = False
) -> list[object]:
    history, segments = world.histories[listener], world.blend.parameters.segments
    segment = segments[int(segment_of(np.array([len(history)]), segments)[0])]
    rows = rank(
        world.blend,
        history,
        segment.weight if weight is None else weight,
        segment.popularity,
        frozenset() if equal else frozenset(world.dislikes[listener]),
        heard,
        None if equal else world.strengths[listener],
    )
    ids = world.track_ids
    return [
        (x, ids[row.track], row.score / 10_000, None if row.because is None else ids[row.because])
        for x, row in enumerate(rows, start=1)
    ]


@pytest.mark.parametrize(
    ("weight", "heard"), [(None, False), (None, True), (0.0, False), (1, True)]
)
def test_every_macro_for_listeners_equals_the_definition(
    world: World, reader: duckdb.DuckDBPyConnection, weight: float | None, heard: bool
) -> None:
    given = {"w": weight, "h": heard}
    for listener, user_id in enumerate(world.user_ids):
        expected = _expected(world, listener, weight, heard)
        for k, call in (
            (7, "recommend_user($id, k := 7, weight := $w, heard := $h)"),
            (99, "user_candidates($id, weight := $w, heard := $h)"),
            (99, "recommend_users([$id], k := 99, weight := $w, heard := $h)"),
        ):
            rows = reader.execute(
                f"SELECT {COLUMNS} FROM {call} ORDER BY rank", {"id": user_id, **given}
            ).fetchall()
            assert rows == expected[:k], call


def test_strengths_change_lists(world: World) -> None:
    changed = [
        _expected(world, listener, None) != _expected(world, listener, None, equal=True)
        for listener in range(len(world.user_ids))
        if not world.dislikes[listener]
    ] or [True]
    assert sum(changed) > len(changed) / 2


def test_the_stored_lists_are_those_of_the_macros(
    world: World, reader: duckdb.DuckDBPyConnection
) -> None:
    columns = "user_id, rank, track_id, score, collaborative_score, content_score, source"
    stored = reader.execute(f"SELECT {columns} FROM user_recommendations ORDER BY ALL").fetchall()
    computed = reader.execute(
        f"SELECT {columns} FROM recommend_users(?, weight := NULL, exclude := ['none']) "
        "ORDER BY ALL",
        [world.user_ids],
    ).fetchall()
    assert stored == computed


def test_liked_tracks_count_the_same(world: World, reader: duckdb.DuckDBPyConnection) -> None:
    for listener, history in enumerate(world.histories):
        liked = [world.track_ids[track] for track in history]
        expected = _expected(world, listener, None, equal=True)
        rows = reader.execute(f"SELECT {COLUMNS} FROM recommend_tracks(?, k := 99)", [liked])
        assert rows.fetchall() == expected
        many = "recommend_many([?::VARCHAR[]], k := 99)"
        assert reader.execute(f"SELECT {COLUMNS} FROM {many}", [liked]).fetchall() == expected


def test_a_file_whose_strengths_are_others_than_its_lists_is_refused(
    world: World, tmp_path: Path
) -> None:
    database = tmp_path / "crossfade.duckdb"
    shutil.copyfile(world.database, database)
    assert check_release(database, 20, 10, "1GB", 2) == []
    with duckdb.connect(str(database)) as connection:
        connection.execute(
            "UPDATE store.listeners SET strengths = list_transform(strengths, lambda s: 9 - s)"
        )
    assert [one.check for one in check_release(database, 20, 10, "1GB", 2)] == [
        "tables_and_macros_agree"
    ]


def test_the_release_names_its_half_life(reader: duckdb.DuckDBPyConnection) -> None:
    assert reader.execute("SELECT half_life_days FROM release").fetchall() == [(100,)]


def test_without_a_half_life_no_macro_and_no_row_has_strengths(tmp_path: Path) -> None:
    plain = build_world(tmp_path, seed=1, n=12, users=3)
    with duckdb.connect(str(plain.database), read_only=True) as connection:
        half_life = connection.execute("SELECT half_life_days FROM release").fetchall()
        stored = connection.execute("SELECT count(strengths) FROM store.listeners").fetchall()
    assert (half_life, stored) == ([(None,)], [(0,)])
    segments = [{"min_tracks": 0, "max_tracks": None, "weight": 0.5, "popularity": 0.1}]
    texts = {
        has_strengths: [
            *ranked_macros(settings),
            *batch_macros(settings, {"listener": 20, "track": 10}),
        ]
        for has_strengths in (False, True)
        for settings in [Settings(segments, 0.3, [1.0, 0.7], False, has_strengths)]
    }
    assert not any("strength" in text for text in texts[False])
    multiplying = {
        name
        for text in texts[True]
        for name in re.findall(r"^CREATE MACRO (\w+)", text, re.MULTILINE)
        if "strength" in text
    }
    assert multiplying == {"recommend_user", "user_candidates", "recommend_users"}
