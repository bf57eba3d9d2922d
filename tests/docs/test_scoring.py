"""docs/scoring.md works five tracks by hand: the page's own numbers, through kernel and macros."""

import math
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from tasks.blend.kernels.rank import Histories
from tasks.blend.parameters import HybridParameters, Segment
from tasks.blend.ranking import rank_histories
from tasks.lake.contracts.edges import EDGES
from tasks.lake.contracts.stages.ingest import interactions_schema, tracks_schema
from tests.docs.pages import DOCS, table
from tests.warehouse.worlds import NUMERIC, World, release_world
from warehouse.contract.constants import TICKS, Source

PAGE = (DOCS / "scoring.md").read_text()
CATALOGUE = table(PAGE, "track", "listeners")
SETTING = {row["setting"]: float(row["value"]) for row in table(PAGE, "setting")}
EDGE_ROWS = table(PAGE, "from", "to")
KEY = {row["track"]: key for key, row in enumerate(CATALOGUE)}
HISTORY = sorted({KEY[row["from"]] for row in EDGE_ROWS})
CALLS = [
    "recommend_user('anna')",
    "recommend_user('anna', weight := 0)",
    "recommend_user('bea')",
    "recommend_user('somebody else')",
]
PEOPLE = ["anna", "bea"]
HALF_LIFE, STRENGTH = 90, {"a": 4, "b": 8}
"""Carl's."""
DISLIKED = KEY["c"]
"""By Bea."""


def _worth(arithmetic: str) -> float:
    """Work out what a cell says, e.g. ``√(2000 / 8000)``: numbers and + - * / √ ( ) only."""
    assert not set(arithmetic) - set("0123456789.+-*/√() ")
    return float(eval(arithmetic.replace("√", "sqrt"), {"sqrt": math.sqrt}))


def _edges(column: str) -> pa.Table:
    rows = [(KEY[r["from"]], KEY[r["to"]], int(r[column])) for r in EDGE_ROWS if r[column]]
    columns = zip(*rows, strict=True)
    return pa.table(
        [pa.array(c, f.type) for c, f in zip(columns, EDGES, strict=True)], schema=EDGES
    )


def _tracks() -> pa.Table:
    artists = sorted({row["artist"] for row in CATALOGUE if row["artist"]})
    listeners = [int(row["listeners"]) for row in CATALOGUE]
    played = iter(range(len(CATALOGUE)))
    given = {
        "track_key": range(len(CATALOGUE)),
        "track_id": [row["track"] for row in CATALOGUE],
        "artist": [row["artist"] or None for row in CATALOGUE],
        "artist_key": [
            artists.index(row["artist"]) if row["artist"] else None for row in CATALOGUE
        ],
        "listeners": listeners,
        "plays": listeners,
        "played_key": [next(played) if heard else None for heard in listeners],
    }
    schema = tracks_schema(NUMERIC, [])
    nothing = [None] * len(CATALOGUE)
    columns = [pa.array(given.get(field.name, nothing), field.type) for field in schema]
    return pa.table(columns, schema=schema)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    w, p = SETTING["w"], SETTING["p"]
    parameters = HybridParameters(
        segments=(
            Segment(segment="0", min_tracks=0, max_tracks=0, weight=1),
            Segment(segment="1", min_tracks=1, max_tracks=1, weight=0.5),
            Segment(segment="2-5", min_tracks=2, weight=w, popularity=p),
        ),
        gamma=SETTING["γ"],
        artist_factor=SETTING["δ"],
    )
    learned, content = _edges("collaborative"), _edges("content")
    similarity = learned.slice(0, 1)
    edges = {"weights": learned, "similarity": similarity, "content": content}
    folder = tmp_path_factory.mktemp("page")
    dislikes: list[list[int]] = [[], [DISLIKED]]
    return release_world(
        folder, _tracks(), edges, PEOPLE, [HISTORY, HISTORY], parameters, dislikes=dislikes
    )


@pytest.fixture(scope="module")
def fading(world: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Carl alone, with the half-life of the page; the kernel's model is that of the other world."""
    parameters = world.blend.parameters.model_copy(update={"half_life": HALF_LIFE})
    learned, content = _edges("collaborative"), _edges("content")
    edges = {"weights": learned, "similarity": learned.slice(0, 1), "content": content}
    ages = [90, 0]
    newest = 86_400 * (date(2024, 6, 30) - date(1970, 1, 1)).days + 40_000
    schema = interactions_schema(timed=True)
    times = [newest - 86_400 * age for age in ages]
    given = {"user_key": [0, 0], "played_key": HISTORY, "plays": [1, 1], "records": [1, 1]}
    columns = given | {"first_at": times, "last_at": times}
    listens = pa.table([pa.array(columns[f.name]).cast(f.type) for f in schema], schema=schema)
    folder = tmp_path_factory.mktemp("fading")
    return release_world(folder, _tracks(), edges, ["carl"], [HISTORY], parameters, listens=listens)


def test_strengths_are_those_of_the_page(fading: World) -> None:
    with duckdb.connect(str(fading.database), read_only=True) as connection:
        found = connection.sql("FROM recommend_user('carl')").to_arrow_table().to_pylist()
        liked = connection.sql("FROM recommend_tracks(['a', 'b'])").to_arrow_table().to_pylist()
        half_life = connection.sql("SELECT half_life_days FROM release").fetchall()
        stored = connection.sql(
            "SELECT rank, track_id, score, because_track_id FROM user_recommendations"
        ).fetchall()
    assert half_life == [(HALF_LIFE,)]
    for number, rows in ((4, found), (0, liked)):
        columns = list(_printed(number)[0])
        assert [
            {name: "" if row[name] is None else str(row[name]) for name in columns} for row in rows
        ] == _printed(number)
    listed = [(r["rank"], r["track_id"], r["score"], r["because_track_id"]) for r in found]
    assert sorted(stored) == listed
    assert fading.strengths == [[STRENGTH["a"], STRENGTH["b"]]]


def test_sums_with_strengths_follow_from_the_edges() -> None:
    for row in table(PAGE, "track", "C with strengths"):
        for name, column in (("collaborative", "C"), ("content", "D")):
            expected = sum(
                STRENGTH[edge["from"]] * int(edge[name] or 0)
                for edge in EDGE_ROWS
                if edge["to"] == row["track"]
            )
            assert _worth(row[f"{column} with strengths"]) == expected


def _printed(number: int) -> list[dict[str, str]]:
    return table(PAGE, "rank", "because_track_id", number=number)


@pytest.mark.parametrize(("number", "call"), enumerate(CALLS))
def test_the_macros_give_the_lists_of_the_page(world: World, number: int, call: str) -> None:
    assert f"FROM {call}" in PAGE
    with duckdb.connect(str(world.database), read_only=True) as connection:
        found = connection.sql(f"FROM {call}").to_arrow_table().to_pylist()
    columns = list(_printed(number)[0])
    answered = [{name: "" if row[name] is None else str(row[name]) for name in columns}
                for row in found]  # fmt: skip
    assert answered == _printed(number)


@pytest.mark.parametrize(
    ("number", "weight", "disliked"),
    [(0, SETTING["w"], []), (1, 0.0, []), (2, SETTING["w"], [DISLIKED])],
)
def test_the_kernel_gives_the_lists_of_the_page(
    world: World, number: int, weight: float, disliked: list[int]
) -> None:
    lists = rank_histories(
        world.blend,
        np.array([0, len(HISTORY)]),
        np.array(HISTORY, np.int32),
        np.array([weight]),
        np.array([SETTING["p"]]),
        len(CATALOGUE) - len(HISTORY),
        Histories(np.array([0, len(disliked)]), np.array(disliked, np.int32)),
    )
    for r, row in enumerate(_printed(number)):
        because = int(lists.because[0, r])
        assert world.track_ids[lists.tracks[0, r]] == row["track_id"]
        assert lists.score[0, r] / TICKS == float(row["score"])
        assert lists.collaborative[0, r] / TICKS == float(row["collaborative_score"])
        assert lists.content[0, r] / TICKS == float(row["content_score"])
        assert Source(lists.source[0, r]).name.lower() == row["source"]
        assert ("" if because < 0 else world.track_ids[HISTORY[because]]) == row["because_track_id"]


@pytest.mark.parametrize(("user_id", "number"), [("anna", 0), ("bea", 2)])
def test_the_table_gives_the_lists_of_the_page(world: World, user_id: str, number: int) -> None:
    with duckdb.connect(str(world.database), read_only=True) as connection:
        found = connection.sql(
            "SELECT rank, track_id, score FROM user_recommendations WHERE user_id = $id "
            "ORDER BY rank",
            params={"id": user_id},
        ).fetchall()
    assert [(str(rank), track_id, str(score)) for rank, track_id, score in found] == [
        (row["rank"], row["track_id"], row["score"]) for row in _printed(number)
    ]


def test_the_prior_of_the_page_is_the_catalogue_s(world: World) -> None:
    given = [float(row["pop"]) for row in CATALOGUE]
    assert world.blend.catalogue.popularity == pytest.approx(given)


def test_sums_and_normalised_scores_follow_from_the_edges() -> None:
    for row in table(PAGE, "track", "C", "D", "c", "d"):
        for table_name, column in (("collaborative", "C"), ("content", "D")):
            edges = [r[table_name] for r in EDGE_ROWS if r["to"] == row["track"]]
            assert _worth(row[column]) == sum(int(weight) for weight in edges if weight)
    sums = {row["track"]: row for row in table(PAGE, "track", "C", "D", "c", "d")}
    largest = {name: max(_worth(row[name]) for row in sums.values()) for name in ("C", "D")}
    for track, row in sums.items():
        d = math.sqrt(_worth(row["D"]) / largest["D"])
        c = math.sqrt(max(0.0, _worth(row["C"]) / largest["C"]))
        if CATALOGUE[KEY[track]]["listeners"] == "0":
            c = SETTING["γ"] * d
        assert (_worth(row["c"]), _worth(row["d"])) == pytest.approx((c, d))


def test_ticks_and_blends_are_the_arithmetic_printed_beside_them() -> None:
    normalised = {row["track"]: row for row in table(PAGE, "track", "C", "D", "c", "d")}
    for row in table(PAGE, "c_ticks", "blend"):
        of = CATALOGUE[KEY[row["track"]]]
        c, d = (_worth(normalised[row["track"]][name]) for name in ("c", "d"))
        if of["listeners"] != "0":
            c = (c + SETTING["p"] * float(of["pop"])) / (1 + SETTING["p"])
        assert _worth(row["c'"]) == pytest.approx(c)
        assert int(row["c_ticks"]) == math.floor(c * TICKS + 0.5)
        assert int(row["d_ticks"]) == math.floor(d * TICKS + 0.5)
        assert int(row["blend"]) == math.floor(_worth(row["blend before rounding"]) + 0.5)


def test_every_row_s_score_can_be_worked_out_from_its_own_columns(world: World) -> None:
    with duckdb.connect(str(world.database), read_only=True) as connection:
        rows = connection.sql(
            "SELECT score, collaborative_score, content_score FROM recommend_user('anna', k := 4)"
        ).fetchall()
    for score, c, d in rows:
        blend = SETTING["w"] * round(c * TICKS) + (1 - SETTING["w"]) * round(d * TICKS)
        assert score == math.floor(blend + 0.5) / TICKS


@pytest.mark.parametrize(
    ("call", "column", "name"),
    [
        ("similar_artists('ADA')", "artist", "similar artist"),
        ("artist_tracks('vega')", "track_id", "track by Vega"),
    ],
)
def test_lists_about_artists_are_those_of_the_page(
    world: World, call: str, column: str, name: str
) -> None:
    assert f"FROM {call}" in PAGE
    printed = table(PAGE, "rank", name)
    columns = [column if heading == name else heading for heading in printed[0]]
    with duckdb.connect(str(world.database), read_only=True) as connection:
        found = connection.sql(f"SELECT {', '.join(columns)} FROM {call}").fetchall()
    assert [tuple(map(str, row)) for row in found] == [tuple(row.values()) for row in printed]


def _bits(given: str) -> int:
    first, _, last = given.partition("-")
    return sum(1 << (bit - 1) for bit in range(int(first), int(last or -1) + 1))


def test_the_likeness_of_the_page_follows_from_its_bits(world: World) -> None:
    bits = {row["candidate"]: _bits(row["bits set"]) for row in table(PAGE, "candidate", "score")}
    with duckdb.connect(str(world.database), read_only=True) as connection:
        for row in table(PAGE, "pair", "likeness"):
            a, b = (bits[name] for name in row["pair"].split())
            assert (a ^ b).bit_count() == int(row["bits"])
            found = connection.execute(f"SELECT store.likeness({_sound(a)}, {_sound(b)})")
            assert found.fetchall() == [(float(row["likeness"]) * TICKS,)]


def _sound(bits: int) -> str:
    low, high = bits & (1 << 64) - 1, bits >> 64
    return f"{{'sound_1': {low}::UBIGINT, 'sound_2': {high}::UBIGINT}}"


def test_the_varied_lists_of_the_page_are_the_macros(world: World) -> None:
    candidates = table(PAGE, "candidate", "score")
    scores = [round(float(row["score"]) * TICKS) for row in candidates]
    sounds = ", ".join(_sound(_bits(row["bits set"])) for row in candidates)
    kinds = [["Rock", "Jazz"].index(row["genre"]) + 1 for row in candidates]
    with duckdb.connect(str(world.database), read_only=True) as connection:
        for row in table(PAGE, "diversity", "calibrated", "order"):
            dials = [round(1000 * float(row[name])) for name in ("diversity", "calibrated")]
            [(places,)] = connection.execute(
                f"SELECT store.varied(?::BIGINT[], [{sounds}], ?::BIGINT[], [0.75e0, 0.25e0], 4, "
                "?::BIGINT, ?::BIGINT)",
                [scores, kinds, *dials],
            ).fetchall()
            assert [candidates[place - 1]["candidate"] for place in places] == row["order"].split()


def test_the_page_is_where_the_code_says_it_is() -> None:
    for path in ("tasks/blend/scoring.py", "warehouse/contract/macros/ranked.sql"):
        assert path in PAGE
        assert (Path(DOCS).parent / path).is_file()
