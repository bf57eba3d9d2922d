"""Playlists and radios: an order of playing in which no artist follows itself."""

import tempfile
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.warehouse.worlds import World, build_world
from warehouse.contract.constants import RADIO_POOL, SEQUENCE_POOL

Row = tuple[object, ...]
COLUMNS = (
    "track_id, name, artist, score, collaborative_score, content_score, source, because_track_id"
)


def _rows(reader: duckdb.DuckDBPyConnection, query: str, *asked: object) -> list[Row]:
    return reader.execute(query, list(asked)).fetchall()


def _artists(reader: duckdb.DuckDBPyConnection) -> dict[object, set[str]]:
    found = _rows(reader, "SELECT track_id, coalesce(artists, []) FROM tracks")
    return {track: set(artists) for track, artists in found}  # type: ignore[call-overload]


def _greedy(ranked: list[Row], artists: dict[object, set[str]], last: set[str]) -> list[Row]:
    """Take the best row that has no artist of the row before, to the end."""
    rows, waiting = [], list(ranked)
    while fitting := [row for row in waiting if not artists[row[0]] & last]:
        rows.append(fitting[0])
        waiting.remove(fitting[0])
        last = artists[fitting[0][0]]
    return rows


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 40), k=st.integers(-1, 45), data=st.data())
def test_sequences_keep_their_promises(seed: int, n: int, k: int, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = build_world(Path(folder), seed, n, users=3)
        liked = data.draw(
            st.lists(st.sampled_from([*world.track_ids, "no such track"]), max_size=5)
        )
        excluded = data.draw(st.lists(st.sampled_from(world.track_ids), max_size=3))
        with duckdb.connect(str(world.database), read_only=True) as reader:
            artists = _artists(reader)
            known = [track for track in liked if track in artists]
            last = artists[known[-1]] if known else set()
            ranked = _rows(
                reader,
                f"SELECT {COLUMNS} FROM recommend_tracks(?, k := 300, exclude := ?)",
                liked,
                excluded,
            )
            expected = _greedy(ranked, artists, last)
            playlist = f"SELECT {COLUMNS} FROM continue_playlist(?, k := ?, exclude := ?)"
            assert _rows(reader, playlist, liked, k, excluded) == expected[: max(0, k)]
            radio = f"SELECT {COLUMNS} FROM radio(?, ?, k := ?, exclude := ?, per_artist := NULL)"
            whole = _rows(reader, radio, liked, "a seed", 1000, excluded)
            assert len({row[0] for row in whole}) == len(whole)
            assert set(whole) <= set(ranked)
            for row in whole:
                assert not artists[row[0]] & last
                last = artists[row[0]]
            left = set(ranked) - set(whole)
            assert all(artists[row[0]] & last for row in left), "it ends although it could go on"
            assert _rows(reader, radio, liked, "a seed", k, excluded) == whole[: max(0, k)]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return build_world(tmp_path_factory.mktemp("radio"), seed=7, n=60)


@pytest.fixture(scope="module")
def reader(world: World) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(world.database), read_only=True)


def test_a_seed_repeats_a_radio_and_another_one_does_not(
    world: World, reader: duckdb.DuckDBPyConnection
) -> None:
    liked = world.track_ids[3:5]
    lists = [tuple(_rows(reader, "FROM radio(?, ?)", liked, seed)) for seed in (0, 1, 2, "0", None)]
    assert lists[0] == lists[3] == tuple(_rows(reader, "FROM radio(?)", liked))
    assert len(set(lists[:3])) == 3


def test_the_limit_on_artists_holds(world: World, reader: duckdb.DuckDBPyConnection) -> None:
    for macro in ("radio", "continue_playlist"):
        rows = _rows(reader, f"SELECT artist FROM {macro}(?, per_artist := 2)", world.track_ids[:2])
        named = [artist for (artist,) in rows if artist is not None]
        assert named
        assert max(named.count(artist) for artist in named) <= 2


def test_ranks_are_the_order_of_playing(world: World, reader: duckdb.DuckDBPyConnection) -> None:
    for macro in ("radio", "continue_playlist"):
        ranks = [rank for rank, *_ in _rows(reader, f"FROM {macro}(?)", world.track_ids[:2])]
        assert ranks == list(range(1, len(ranks) + 1))


def test_a_place_fits_its_digits() -> None:
    assert max(RADIO_POOL, SEQUENCE_POOL) < 999
