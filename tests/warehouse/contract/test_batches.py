"""Many histories in one query are answered as one by one."""

from collections.abc import Mapping, Sequence

import duckdb
import pytest

from tests.warehouse.worlds import World, build_world
from warehouse.contract.constants import COMPUTED_AT_ONCE

SIZES = [8, 60, 1]


@pytest.fixture(scope="module", params=range(len(SIZES)))
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Worlds where lists are full and where they run out, with and without artists."""
    seed = request.param
    return build_world(tmp_path_factory.mktemp("many"), seed=10 + seed, n=SIZES[seed])


@pytest.fixture(scope="module")
def reader(world: World) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(world.database), read_only=True)


def _assert_same(
    reader: duckdb.DuckDBPyConnection,
    many: str,
    one: str,
    asked: Sequence[object],
    given: Mapping[str, object],
    first: Sequence[object] | None = None,
) -> None:
    """Hold a batch to the answers one by one, each row after what ``first`` has for its place."""
    together = reader.execute(f"FROM {many}", {"asked": asked, **given}).fetchall()
    alone = [
        (place, *row)
        for place, subject in zip(first or asked, asked, strict=True)
        for row in reader.execute(f"FROM {one}", {"asked": subject, **given}).fetchall()
    ]
    assert together == alone


SETTINGS = [(None, 20), (None, 3), (0.35, 100), (0.0, None), (7.5, 3), (None, 100), (None, 0)]


@pytest.mark.parametrize(("weight", "k"), SETTINGS)
def test_a_batch_is_answered_as_one_by_one_in_the_order_asked(
    world: World, reader: duckdb.DuckDBPyConnection, weight: float | None, k: int | None
) -> None:
    given = {"weight": weight, "k": k}
    settings = "k := $k, weight := $weight"
    users = [world.user_ids[3], "nobody", *world.user_ids[:4], "no one", world.user_ids[0]]
    _assert_same(
        reader,
        f"recommend_users($asked, {settings})",
        f"recommend_user($asked, {settings})",
        users,
        given,
    )
    tracks = [*reversed(world.track_ids[:4]), "no such track", world.track_ids[0]]
    _assert_same(
        reader,
        f"similar_to_many($asked, {settings})",
        f"similar_to($asked, {settings})",
        tracks,
        given,
    )
    lists = [tracks, tracks[:1], ["no such track"], [], tracks[:1] * 2]
    _assert_same(
        reader,
        f"recommend_many($asked::VARCHAR[][], {settings})",
        f"recommend_tracks($asked::VARCHAR[], {settings})",
        lists,
        given,
        range(1, len(lists) + 1),
    )


@pytest.mark.parametrize("heard", [False, True])
@pytest.mark.parametrize("excluded", [slice(None, None, 3), slice(0, 0)])
def test_ids_are_left_out_and_heard_tracks_let_in_for_all_of_them(
    world: World, reader: duckdb.DuckDBPyConnection, heard: bool, excluded: slice
) -> None:
    settings = "k := 25, exclude := $exclude::VARCHAR[], heard := $heard"
    _assert_same(
        reader,
        f"recommend_users($asked, {settings})",
        f"recommend_user($asked, {settings})",
        ["nobody", *world.user_ids[:4]],
        {"exclude": world.track_ids[excluded], "heard": heard},
    )


@pytest.mark.parametrize("call", ["recommend_users", "similar_to_many", "recommend_many"])
@pytest.mark.parametrize("asked", ["[]", "NULL"])
def test_nothing_asked_has_no_answer(
    reader: duckdb.DuckDBPyConnection, call: str, asked: str
) -> None:
    assert reader.execute(f"FROM {call}({asked})").fetchall() == []


def test_a_batch_that_computes_has_a_limit_and_says_so(
    world: World, reader: duckdb.DuckDBPyConnection
) -> None:
    lists = [[track] for track in world.track_ids[:1]] * (COMPUTED_AT_ONCE + 1)
    with pytest.raises(duckdb.Error, match=f"at most {COMPUTED_AT_ONCE} lists in a call"):
        reader.execute("FROM recommend_many(?, k := 1)", [lists]).fetchall()
    many = world.user_ids * (COMPUTED_AT_ONCE // 4)
    found = reader.execute("SELECT count(*) FROM recommend_users(?, k := 1)", [many]).fetchall()
    one_each = reader.execute(
        "SELECT count(*) FROM recommend_users(?, k := 1)", [world.user_ids]
    ).fetchall()
    assert found[0][0] == one_each[0][0] * (COMPUTED_AT_ONCE // 4)
