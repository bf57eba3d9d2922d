"""Lists about artists: found by any spelling, with every artist of a track, and in order."""

import duckdb
import pyarrow as pa
import pytest

from tasks.blend.parameters import HybridParameters
from tasks.lake.contracts.edges import EDGES
from tasks.lake.contracts.stages.ingest import tracks_schema
from tests.warehouse.worlds import NUMERIC, World, build_world, release_world

SONGS = [
    ("Halo", ["Beyoncé"], 4),
    ("Telephone", ["Lady Gaga", "Beyonce"], 3),
    ("Poker Face", ["Lady  Gaga"], 2),
    ("Sweet Dreams", ["beyoncé"], 0),
    ("Hoppípolla", ["Sigur Rós"], 1),
    ("Nothing known", None, 1),
    ("Demo", ["Nobody Plays"], 0),
]
HISTORIES = [[0, 1], [0, 1, 2], [0, 1, 2, 5], [0], [4]]
TAGS = {0: ["Pop", "rnb"], 1: ["pop"], 2: ["pop", "dance"], 4: ["ambient"]}
CONTENT = [(0, 3, 900), (1, 3, 400), (4, 6, 500), (2, 6, 100)]

Row = tuple[object, ...]


@pytest.fixture(scope="module")
def songs(tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    n = len(SONGS)
    listeners = [count for *_, count in SONGS]
    played = iter(range(n))
    first = [None if artists is None else artists[0] for _, artists, _ in SONGS]
    keys = sorted({artist for artist in first if artist})
    given = {
        "track_key": range(n),
        "track_id": [f"T{x}" for x in range(n)],
        "name": [name for name, *_ in SONGS],
        "artist": first,
        "artist_key": [keys.index(artist) if artist else None for artist in first],
        "artists": [artists for _, artists, _ in SONGS],
        "tags": [TAGS.get(x, []) for x in range(n)],
        "listeners": listeners,
        "plays": listeners,
        "played_key": [next(played) if count else None for count in listeners],
    }
    schema = tracks_schema(NUMERIC, [])
    columns = [pa.array(given.get(field.name, [None] * n), field.type) for field in schema]
    both = sorted([*CONTENT, *((target, source, weight) for source, target, weight in CONTENT)])
    alike = pa.table(
        [pa.array(c, f.type) for c, f in zip(zip(*both, strict=True), EDGES, strict=True)],
        schema=EDGES,
    )
    world = release_world(
        tmp_path_factory.mktemp("artists"),
        pa.table(columns, schema=schema),
        {"weights": EDGES.empty_table(), "similarity": EDGES.empty_table(), "content": alike},
        [f"u{x}" for x in range(len(HISTORIES))],
        HISTORIES,
        HybridParameters(),
    )
    return duckdb.connect(str(world.database), read_only=True)


def _rows(connection: duckdb.DuckDBPyConnection, query: str, *given: object) -> list[Row]:
    return connection.execute(query, list(given)).fetchall()


@pytest.mark.parametrize("name", ["Beyoncé", "BEYONCE", " beyonce ", "BeyoncÉ"])
def test_a_name_is_found_in_any_spelling(songs: duckdb.DuckDBPyConnection, name: str) -> None:
    found = _rows(songs, "SELECT name FROM artist_tracks(?)", name)
    assert [row[0] for row in found] == ["Halo", "Telephone", "Sweet Dreams"]
    close = _rows(
        songs, "SELECT artist, shared_listeners, shared_tracks FROM similar_artists(?)", name
    )
    assert close == [("Lady Gaga", 3, 1)]


def test_an_artist_is_called_as_its_most_played_tracks_call_it(
    songs: duckdb.DuckDBPyConnection,
) -> None:
    found = _rows(songs, "SELECT artist, reason FROM similar_artists('lady gaga')")
    assert found[0] == ("Beyoncé", "3 listeners in common; 1 track together; both tagged pop")
    assert found[1] == ("Nobody Plays", "similar content")


def test_unplayed_tracks_are_placed_by_content_and_say_why(
    songs: duckdb.DuckDBPyConnection,
) -> None:
    found = _rows(songs, "SELECT name, source, because_track_id FROM artist_tracks('beyonce')")
    assert found == [
        ("Halo", "hybrid", "T3"),
        ("Telephone", "hybrid", "T3"),
        ("Sweet Dreams", "content", "T0"),
    ]


@pytest.mark.parametrize("name", ["no such artist", "", "  ", None])
@pytest.mark.parametrize("macro", ["artist_tracks", "similar_artists"])
def test_a_name_that_is_not_known_has_no_rows(
    songs: duckdb.DuckDBPyConnection, macro: str, name: str | None
) -> None:
    assert _rows(songs, f"FROM {macro}(?)", name) == []


def test_a_list_of_names_is_an_error(songs: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(duckdb.Error, match="a list was given"):
        _rows(songs, "FROM similar_artists(['a', 'b'])")


def test_names_and_tracks_are_left_out(songs: duckdb.DuckDBPyConnection) -> None:
    assert _rows(
        songs, "SELECT artist FROM similar_artists('Lady Gaga', exclude := ['BEYONCE'])"
    ) == [("Nobody Plays",)]
    assert _rows(songs, "SELECT rank, name FROM artist_tracks('beyonce', exclude := ['T0'])") == [
        (1, "Telephone"), (2, "Sweet Dreams"),
    ]  # fmt: skip


def test_artists_of_the_history_are_not_recommended(songs: duckdb.DuckDBPyConnection) -> None:
    query = "SELECT artist FROM recommend_artists(?, new_artists := ?)"
    new = {row[0] for row in _rows(songs, query, "u0", True)}
    assert new == {"Sigur Rós", "Nobody Plays"}
    assert {row[0] for row in _rows(songs, query, "u0", False)} >= {"Beyoncé", "Lady Gaga"}
    without = "SELECT artist FROM recommend_artists('u0', exclude_artists := ['sigur ros'])"
    assert _rows(songs, without) == [("Nobody Plays",)]
    stranger = "SELECT artist, reason FROM recommend_artists('nobody', k := 1)"
    assert _rows(songs, stranger) == [("Beyoncé", "played by 4 listeners; start with Halo")]


@pytest.fixture(scope="module", params=[2, 40])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> World:
    return build_world(tmp_path_factory.mktemp("lists"), seed=request.param, n=request.param)


@pytest.fixture(scope="module")
def reader(world: World) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(world.database), read_only=True)


@pytest.mark.parametrize("weight", [None, 0.0, 0.4, 1.0, 9.0])
def test_lists_are_ordered_and_shorter_ones_are_their_beginning(
    world: World, reader: duckdb.DuckDBPyConnection, weight: float | None
) -> None:
    asked = [("artist_tracks", f"artist {x}") for x in range(4)]
    asked += [("similar_artists", f"artist {x}") for x in range(4)]
    asked += [("recommend_artists", user) for user in [*world.user_ids[:3], "nobody"]]
    for macro, about in asked:
        query = f"FROM {macro}(?, k := ?, weight := ?)"
        whole = _rows(reader, query, about, 1000, weight)
        assert [row[0] for row in whole] == list(range(1, len(whole) + 1))
        names = [row[1] for row in whole]
        assert len(set(names)) == len(names)
        disordered = (
            "SELECT count(*) FILTER (NOT (least(score, collaborative_score, content_score) >= 0 "
            "AND greatest(score, collaborative_score, content_score) <= 1)) AS outside, "
            "coalesce(list(score ORDER BY rank) = list(score ORDER BY score DESC), true) "
        )
        assert _rows(reader, disordered + query, about, 1000, weight) == [(0, True)]
        for k in (0, -3, 1, 3):
            assert _rows(reader, query, about, k, weight) == whole[: max(0, k)]
        default = 10 if macro == "similar_artists" else 20
        assert _rows(reader, query, about, None, weight) == whole[:default]


def test_every_track_is_with_each_of_its_artists(reader: duckdb.DuckDBPyConnection) -> None:
    by_artist = _rows(reader, "SELECT DISTINCT unnest(artists) FROM tracks")
    for (artist,) in by_artist:
        listed = {
            row[0] for row in _rows(reader, "SELECT track_id FROM artist_tracks(?, 1000)", artist)
        }
        made = _rows(reader, "SELECT track_id FROM tracks WHERE list_contains(artists, ?)", artist)
        assert listed == {row[0] for row in made}
