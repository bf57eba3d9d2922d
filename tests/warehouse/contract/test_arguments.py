"""Arguments beyond the weight: artists left out or limited, ids left out, ids that are none."""

from collections import Counter

import duckdb
import pytest

from tests.warehouse.worlds import World, build_world

Row = tuple[object, ...]
ARTIST = 3
"""Position of the artist in a row."""


@pytest.fixture(scope="module", params=[30, 9])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> World:
    return build_world(tmp_path_factory.mktemp("arguments"), seed=request.param, n=request.param)


@pytest.fixture(scope="module")
def reader(world: World) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(world.database), read_only=True)


def _rows(reader: duckdb.DuckDBPyConnection, query: str, *given: object) -> list[Row]:
    return reader.execute(f"FROM {query}", list(given)).fetchall()


def _renumbered(rows: list[Row]) -> list[Row]:
    return [(rank, *row[1:]) for rank, row in enumerate(rows, start=1)]


def _artists_of(reader: duckdb.DuckDBPyConnection, user_id: str) -> set[object]:
    query = (
        "SELECT DISTINCT t.artist FROM listens l JOIN tracks t USING (track_id) WHERE user_id = ?"
    )
    return {row[0] for row in reader.execute(query, [user_id]).fetchall()} - {None}


@pytest.mark.parametrize("weight", [None, 0.3])
@pytest.mark.parametrize("k", [4, 100])
def test_artists_are_left_out_and_the_list_stays_full(
    world: World, reader: duckdb.DuckDBPyConnection, weight: float | None, k: int
) -> None:
    for user_id in [*world.user_ids[:4], "nobody"]:
        whole = _rows(reader, "recommend_user(?, k := 1000, weight := ?)", user_id, weight)
        left_out = ["Artist 1", "Artist 3", "no such artist"]
        assert _rows(
            reader,
            "recommend_user(?, k := ?, weight := ?, exclude_artists := ?)",
            *(user_id, k, weight, left_out),
        ) == _renumbered([row for row in whole if row[ARTIST] not in left_out][:k])
        known = _artists_of(reader, user_id)
        assert _rows(
            reader,
            "recommend_user(?, k := ?, weight := ?, new_artists := true)",
            user_id,
            k,
            weight,
        ) == _renumbered([row for row in whole if row[ARTIST] not in known][:k])


@pytest.mark.parametrize("most", [1, 2])
@pytest.mark.parametrize("k", [5, 100])
def test_no_artist_has_more_tracks_than_allowed_and_the_list_stays_full(
    world: World, reader: duckdb.DuckDBPyConnection, most: int, k: int
) -> None:
    for user_id in [*world.user_ids[:4], "nobody"]:
        whole = _rows(reader, "recommend_user(?, k := 1000)", user_id)
        rows = _rows(reader, "recommend_user(?, k := ?, per_artist := ?)", user_id, k, most)
        assert [row[1:] for row in rows] == [
            row[1:] for row in whole if row[1] in {row[1] for row in rows}
        ]
        assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
        available = Counter(row[ARTIST] for row in whole)
        shown = Counter(row[ARTIST] for row in rows)
        assert all(n <= most for artist, n in shown.items() if artist is not None)
        possible = sum(n if artist is None else min(n, most) for artist, n in available.items())
        assert len(rows) == min(k, possible)


def test_liked_tracks_take_the_same_arguments(
    world: World, reader: duckdb.DuckDBPyConnection
) -> None:
    user_id = world.user_ids[0]
    liked = [world.track_ids[j] for j in world.histories[0]]
    settings = "k := 9, per_artist := 1, exclude_artists := ['Artist 0'], new_artists := true"
    assert _rows(reader, f"recommend_tracks(?, {settings})", liked) == _rows(
        reader, f"recommend_user(?, {settings})", user_id
    )
    assert _rows(reader, "candidates_for_tracks(?, weight := 0.4)", liked) == _rows(
        reader, "user_candidates(?, weight := 0.4)", user_id
    )


def test_ids_are_left_out_of_neighbours(world: World, reader: duckdb.DuckDBPyConnection) -> None:
    track_id = world.track_ids[0]
    whole = _rows(reader, "similar_to(?, k := 1000)", track_id)
    left_out = [row[1] for row in whole[::2]]
    kept = {row[1] for row in whole} - set(left_out)
    found = _rows(reader, "similar_to(?, k := 1000, exclude := ?)", track_id, left_out)
    assert {row[1] for row in found} == kept


@pytest.mark.parametrize("macro", ["similar_to", "track_candidates"])
@pytest.mark.parametrize("track_id", ["no such track", None])
def test_a_track_that_is_not_known_has_no_neighbours(
    reader: duckdb.DuckDBPyConnection, macro: str, track_id: str | None
) -> None:
    assert _rows(reader, f"{macro}(?)", track_id) == []


def test_a_listener_who_is_not_known_gets_what_is_marked_as_popular(
    world: World, reader: duckdb.DuckDBPyConnection
) -> None:
    rows = _rows(reader, "recommend_user('nobody', k := 1000)")
    assert len(rows) == len(world.track_ids)
    assert {row[7] for row in rows} <= {"popular", "catalogue"}


@pytest.mark.parametrize(
    "call",
    [
        "recommend_user(['a'])",
        "user_candidates(['a'])",
        "similar_to(['a', 'b'])",
        "track_candidates([])",
        "explain(['a'], 'b')",
        "recommend_user([1, 2], weight := 0.5)",
    ],
)
def test_a_list_where_an_id_is_meant_is_an_error(
    reader: duckdb.DuckDBPyConnection, call: str
) -> None:
    with pytest.raises(duckdb.Error, match="a list was given where one id is expected"):
        _rows(reader, call)


def test_a_list_as_a_parameter_is_an_error_too(reader: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(duckdb.Error, match="a list was given where one id is expected"):
        _rows(reader, "recommend_user(?)", ["a", "b"])


def test_an_id_may_be_a_number(reader: duckdb.DuckDBPyConnection) -> None:
    assert _rows(reader, "recommend_user(112)") == _rows(reader, "recommend_user('112')")
