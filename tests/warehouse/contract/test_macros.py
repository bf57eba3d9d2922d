"""The macros against the plain definition and against the precomputed tables."""

from collections.abc import Sequence
from pathlib import Path

import duckdb
import numpy as np
import pytest

from tasks.blend.model import HybridModel
from tasks.blend.parameters import Segment, segment_of
from tests.tasks.blend.oracle import Row, rank
from tests.warehouse.worlds import World, build_world
from warehouse.contract.constants import TICKS

SEEDS = range(4)
WEIGHTS = [None, 0.0, 0.25, 0.6, 1.0, -3.0, 7.5]


@pytest.fixture(scope="module", params=SEEDS)
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> World:
    size = [30, 12, 60, 1][request.param]
    return build_world(tmp_path_factory.mktemp("world"), seed=request.param, n=size)


@pytest.fixture(scope="module")
def reader(world: World) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(world.database), read_only=True)


def _segment(model: HybridModel, history: Sequence[int]) -> Segment:
    segments = model.parameters.segments
    return segments[int(segment_of(np.array([len(history)]), segments)[0])]


def _share(model: HybridModel, history: Sequence[int], weight: float | None) -> float:
    return _segment(model, history).weight if weight is None else min(1.0, max(0.0, weight))


def _expected(
    world: World,
    model: HybridModel,
    history: list[int],
    weight: float | None,
    *,
    prior: bool = True,
    exclude: frozenset[int] = frozenset(),
    heard: bool = False,
) -> list[tuple[object, ...]]:
    p = _segment(model, history).popularity if prior else 0.0
    rows = rank(model, history, _share(model, history, weight), p, exclude, heard)
    return [_named(world, place, row) for place, row in enumerate(rows, start=1)]


def _named(world: World, place: int, row: Row) -> tuple[object, ...]:
    because = None if row.because is None else world.track_ids[row.because]
    scores = (row.score / TICKS, row.collaborative / TICKS, row.content / TICKS)
    return (place, world.track_ids[row.track], *scores, row.source, because)


COLUMNS = "rank, track_id, score, collaborative_score, content_score, source, because_track_id"


@pytest.mark.parametrize("weight", WEIGHTS)
def test_recommend_user_equals_the_definition(
    world: World, reader: duckdb.DuckDBPyConnection, weight: float | None
) -> None:
    for user_id, history in zip(world.user_ids, world.histories, strict=True):
        rows = reader.execute(
            f"SELECT {COLUMNS} FROM recommend_user(?, k := ?, weight := ?)", [user_id, 7, weight]
        ).fetchall()
        assert rows == _expected(world, world.blend, history, weight)[:7]


@pytest.mark.parametrize("weight", [None, 0.0, 0.4, 1.0])
def test_candidates_run_to_the_last_eligible_track(
    world: World, reader: duckdb.DuckDBPyConnection, weight: float | None
) -> None:
    for user_id, history in list(zip(world.user_ids, world.histories, strict=True))[:4]:
        rows = reader.execute(
            f"SELECT {COLUMNS} FROM user_candidates(?, weight := ?)", [user_id, weight]
        ).fetchall()
        assert rows == _expected(world, world.blend, history, weight)
        assert len(rows) == len(world.track_ids) - len(history)


def test_excluded_and_heard(world: World, reader: duckdb.DuckDBPyConnection) -> None:
    left_out = world.track_ids[::3]
    keys = frozenset(range(0, len(world.track_ids), 3))
    for user_id, history in list(zip(world.user_ids, world.histories, strict=True))[:6]:
        for heard in (False, True):
            rows = reader.execute(
                f"SELECT {COLUMNS} FROM recommend_user(?, k := 100, exclude := ?, heard := ?)",
                [user_id, left_out, heard],
            ).fetchall()
            expected = _expected(world, world.blend, history, None, exclude=keys, heard=heard)
            assert rows == expected


@pytest.mark.parametrize("weight", [None, 0.0, 0.5, 1.0])
def test_similar_to_equals_the_definition(
    world: World, reader: duckdb.DuckDBPyConnection, weight: float | None
) -> None:
    for key, track_id in list(enumerate(world.track_ids))[:12]:
        rows = reader.execute(
            f"SELECT {COLUMNS} FROM similar_to(?, weight := ?)", [track_id, weight]
        ).fetchall()
        expected = _expected(world, world.track_to_track, [key], weight, prior=False)
        assert rows == expected[:10]


def test_defaults_equal_the_precomputed_tables(
    world: World, reader: duckdb.DuckDBPyConnection
) -> None:
    for user_id in world.user_ids:
        table = reader.execute(
            f"SELECT {COLUMNS} FROM user_recommendations WHERE user_id = ? ORDER BY rank", [user_id]
        ).fetchall()
        assert (
            table
            == reader.execute(f"SELECT {COLUMNS} FROM recommend_user(?)", [user_id]).fetchall()
        )
    for track_id in world.track_ids:
        table = reader.execute(
            "SELECT rank, similar_track_id, score, collaborative_score, content_score, source "
            "FROM similar_tracks WHERE track_id = ? ORDER BY rank",
            [track_id],
        ).fetchall()
        assert (
            table
            == reader.execute(
                "SELECT rank, track_id, score, collaborative_score, content_score, source "
                "FROM similar_to(?)",
                [track_id],
            ).fetchall()
        )


def test_all_tracks_of_a_listener_give_the_listener_s_list(
    world: World, reader: duckdb.DuckDBPyConnection
) -> None:
    for user_id, history in zip(world.user_ids, world.histories, strict=True):
        liked = [world.track_ids[j] for j in history]
        by_user = reader.execute("FROM recommend_user(?)", [user_id]).fetchall()
        by_tracks = reader.execute(
            "FROM recommend_tracks(?)", [[*reversed(liked), liked[0], "no such track"]]
        ).fetchall()
        assert by_user == by_tracks


@pytest.mark.parametrize(
    "call",
    [
        "recommend_user('nobody', k := 500)",
        "recommend_tracks([], k := 500)",
        "recommend_tracks(['nothing'], k := 500)",
        "recommend_tracks(NULL, k := 500)",
    ],
)
def test_strangers_get_the_popular_list(
    world: World, reader: duckdb.DuckDBPyConnection, call: str
) -> None:
    rows = reader.execute(f"SELECT {COLUMNS} FROM {call}").fetchall()
    assert rows == _expected(world, world.blend, [], None)


@pytest.mark.parametrize(("k", "rows"), [(0, 0), (-5, 0), (None, 20), (3, 3), (10**9, 10**9)])
def test_k(world: World, reader: duckdb.DuckDBPyConnection, k: int | None, rows: int) -> None:
    user_id, history = world.user_ids[0], world.histories[0]
    found = reader.execute("FROM recommend_user(?, k := ?)", [user_id, k]).fetchall()
    assert len(found) == min(rows, len(world.track_ids) - len(history))


def test_the_first_ten_of_fifty_are_the_top_ten(
    world: World, reader: duckdb.DuckDBPyConnection
) -> None:
    for user_id in world.user_ids[:5]:
        fifty = reader.execute("FROM recommend_user(?, k := 50)", [user_id]).fetchall()
        ten = reader.execute("FROM recommend_user(?, k := 10)", [user_id]).fetchall()
        assert fifty[:10] == ten
        assert len({row[1] for row in fifty}) == len(fifty)


def test_a_filter_on_the_candidates_still_fills_its_limit(
    world: World, reader: duckdb.DuckDBPyConnection
) -> None:
    user_id, history = world.user_ids[0], world.histories[0]
    jazz = reader.execute("SELECT track_id FROM tracks WHERE genre = 'Jazz'").fetchall()
    eligible = {row[0] for row in jazz} - {world.track_ids[j] for j in history}
    rows = reader.execute(
        "SELECT track_id FROM user_candidates(?) WHERE genre = 'Jazz' ORDER BY rank LIMIT 5",
        [user_id],
    ).fetchall()
    assert len(rows) == min(5, len(eligible))
    assert {row[0] for row in rows} <= eligible


def test_no_write_ahead_log_is_left(world: World) -> None:
    assert [path.name for path in Path(world.database).parent.iterdir()] == ["crossfade.duckdb"]
