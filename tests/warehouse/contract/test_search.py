"""search_tracks forgives case, accents and typos; explain says what two tracks share."""

from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.blend.parameters import HybridParameters
from tasks.lake.contracts.edges import EDGES
from tasks.lake.contracts.stages.ingest import tracks_schema
from tests.warehouse.worlds import NUMERIC, release_world
from warehouse.contract.constants import WEIGHT_SCALE

SONGS = [
    ("Bohemian Rhapsody", "Queen"),
    ("Don't Stop Me Now", "Queen"),
    ("Hoppípolla", "Sigur Rós"),
    ("Smells Like Teen Spirit", "Nirvana"),
    ("Paranoid Android", "Radiohead"),
    ("Hey Jude", "The Beatles"),
    ("Yesterday", "The Beatles"),
    ("Déjà Vu", "Beyoncé"),
    ("Motörhead", "Motörhead"),
    ("1979", "The Smashing Pumpkins"),
    ("Stairway to Heaven", "Led Zeppelin"),
    ("百花繚乱", "米津玄師"),
    (None, "Nobody"),
    ("Untitled", None),
    ("Golden\t Slumbers", "The  Beatles"),
]
TAGS = {0: ["rock", "70s", "opera"], 1: ["rock", "70s"], 3: ["grunge"]}
ENERGY = {0: 0.40, 1: 0.41, 3: 0.95}


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    n = len(SONGS)
    artists = sorted({artist for _, artist in SONGS if artist})
    given = {
        "track_key": range(n),
        "track_id": [f"T{x:02}" for x in range(n)],
        "name": [name for name, _ in SONGS],
        "artist": [artist for _, artist in SONGS],
        "artist_key": [artists.index(artist) if artist else None for _, artist in SONGS],
        "tags": [TAGS.get(x, []) for x in range(n)],
        "genre": ["Rock"] * n,
        "year": [1990] * n,
        "listeners": range(n, 0, -1),
        "plays": range(n, 0, -1),
        "played_key": range(n),
        "energy": [ENERGY.get(x, 0.1 * x) for x in range(n)],
    }
    schema = tracks_schema(NUMERIC, [])
    columns = [pa.array(given.get(field.name, [None] * n), field.type) for field in schema]
    similar = pa.table([[0, 1], [1, 0], [WEIGHT_SCALE // 4] * 2], schema=EDGES)
    alike = pa.table([[0, 1], [1, 0], [WEIGHT_SCALE // 2] * 2], schema=EDGES)
    world = release_world(
        tmp_path_factory.mktemp("songs"),
        pa.table(columns, schema=schema),
        {"weights": similar, "similarity": similar, "content": alike},
        ["u"],
        [[0]],
        HybridParameters(),
    )
    return duckdb.connect(str(world.database), read_only=True)


def _found(release: duckdb.DuckDBPyConnection, text: str | None, k: int | None = 10) -> list[str]:
    rows = release.execute("FROM search_tracks(?, k := ?)", [text, k]).fetchall()
    assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
    scores = [row[4] for row in rows]
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score <= 1 for score in scores)
    return [row[1] for row in rows]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("Bohemian Rhapsody", "T00"),
        ("bohemian rhapsody", "T00"),
        ("  BOHEMIAN   RHAPSODY ", "T00"),
        ("bohemain rapsody", "T00"),
        ("don't stop", "T01"),
        ("hoppipolla", "T02"),
        ("hopipolla", "T02"),
        ("sigur ros", "T02"),
        ("smels like teen spirit", "T03"),
        ("nirvana smells like", "T03"),
        ("radiohed", "T04"),
        ("hey jude the beatles", "T05"),
        ("the beatles hey jude", "T05"),
        ("yesteday", "T06"),
        ("deja vu", "T07"),
        ("motorhead", "T08"),
        ("1979", "T09"),
        ("led zepelin", "T10"),
        ("百花繚乱", "T11"),
        ("nobody", "T12"),
        ("untitled", "T13"),
        ("golden slumbers", "T14"),
    ],
)
def test_what_was_meant_comes_first(
    release: duckdb.DuckDBPyConnection, text: str, first: str
) -> None:
    assert _found(release, text)[0] == first


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("bohemian rhapsody", 1),
        ("queen", 1),
        ("bohemian rhapsody queen", 1),
        ("queen bohemian rhapsody", 1),
        ("bohemian", 0.96),
        ("bohem", 0.95),
        ("rhapsody", 0.93),
        ("rhaps", 0.9),
        ("rhapsody bohem", 0.9),
        ("queen rhaps", 0.9),
        ("apsod", 0.895),
    ],
)
def test_the_score_says_how_it_was_found(
    release: duckdb.DuckDBPyConnection, text: str, score: float
) -> None:
    rows = release.execute("FROM search_tracks(?)", [text]).fetchall()
    assert {row[1]: row[4] for row in rows}["T00"] == score


def test_what_is_only_alike_comes_below_what_holds_the_text(
    release: duckdb.DuckDBPyConnection,
) -> None:
    (best, *_) = release.execute("FROM search_tracks('bohemian rhapsdy queen')").fetchall()
    assert best[1] == "T00"
    assert 0.8 < best[4] < 0.89


@settings(max_examples=60, deadline=None)
@given(song=st.sampled_from([0, 3, 4, 10]), at=st.integers(1, 14), kind=st.integers(0, 2))
def test_one_typo_anywhere_is_forgiven(
    release: duckdb.DuckDBPyConnection, song: int, at: int, kind: int
) -> None:
    name = SONGS[song][0] or ""
    typo = [
        name[:at] + name[at + 1 :],
        name[:at] + "x" + name[at + 1 :],
        name[:at] + name[at : at + 2][::-1] + name[at + 2 :],
    ][kind]
    assert _found(release, typo)[0] == f"T{song:02}"


@pytest.mark.parametrize("text", ["", "   ", None, "qqqqqqqq"])
def test_nothing_is_found_for_nothing(release: duckdb.DuckDBPyConnection, text: str | None) -> None:
    assert _found(release, text) == []


@pytest.mark.parametrize("text", ["%", "_", "'", '"', "\\", "); DROP", "a" * 5000, "\x01"])
def test_any_text_is_only_text(release: duckdb.DuckDBPyConnection, text: str) -> None:
    _found(release, text)


@pytest.mark.parametrize(("k", "rows"), [(1, 1), (0, 0), (-3, 0), (None, 2), (100, 2)])
def test_k(release: duckdb.DuckDBPyConnection, k: int | None, rows: int) -> None:
    assert len(_found(release, "queen", k)) == rows


def test_the_better_known_comes_first_among_equals(release: duckdb.DuckDBPyConnection) -> None:
    assert _found(release, "queen") == ["T00", "T01"]


def _explained(release: duckdb.DuckDBPyConnection, a: str, b: str) -> dict[str, object]:
    found = release.sql("FROM explain(?, ?)", params=[a, b]).to_arrow_table().to_pylist()
    assert len(found) == 1
    return dict(found[0])


def test_explain_tells_scores_tags_artist_features_and_a_sentence(
    release: duckdb.DuckDBPyConnection,
) -> None:
    assert _explained(release, "T00", "T01") == {
        "track_a": "T00",
        "track_b": "T01",
        "collaborative_score": 1 / 4,
        "content_score": 1 / 2,
        "same_artist": True,
        "shared_tags": ["70s", "rock"],
        "similar_features": ["energy"],
        "reason": "same artist; often played by the same listeners; tags 70s, rock; similar energy",
    }


def test_explain_without_neighbours_or_tags(release: duckdb.DuckDBPyConnection) -> None:
    found = _explained(release, "T00", "T03")
    assert found["collaborative_score"] == found["content_score"] == 0
    assert found["shared_tags"] == found["similar_features"] == []
    assert found["reason"] == "same genre"


def test_explain_of_an_unknown_track_is_empty(release: duckdb.DuckDBPyConnection) -> None:
    assert release.execute("FROM explain('T00', 'no such')").fetchall() == []


def test_the_file_is_closed_after_building(release: duckdb.DuckDBPyConnection) -> None:
    path = release.execute("SELECT path FROM duckdb_databases() WHERE NOT internal").fetchall()
    assert not Path(path[0][0] + ".wal").exists()
