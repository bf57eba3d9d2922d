"""`diversity` and `calibrated` beside a slow oracle, and what they promise at their ends."""

import math
from itertools import combinations
from pathlib import Path

import duckdb
import numpy as np
import pytest

from tasks.blend.parameters import HybridParameters
from tests.warehouse.worlds import World, build_world
from warehouse.contract.constants import GENRE_TICKS, GENRE_TRUST, TICKS, VARIETY_POOL

Row = tuple[object, ...]
SCORE = 4
DIALS = [(0.25, 0.0), (0.5, 0.0), (1.0, 0.0), (0.0, 0.3), (0.0, 1.0), (0.4, 0.6), (1.0, 1.0)]


@pytest.fixture(scope="module", params=[(3, 60), (9, 9)])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> World:
    seed, n = request.param
    return build_world(tmp_path_factory.mktemp("variety"), seed=seed, n=n)


@pytest.fixture(scope="module")
def reader(world: World) -> duckdb.DuckDBPyConnection:
    return _with_genres(world)


def _with_genres(world: World) -> duckdb.DuckDBPyConnection:
    """Open a release whose tracks have five genres: those of the world have one."""
    connection = duckdb.connect(str(world.database))
    connection.execute(
        "UPDATE store.tracks SET genre = ['Jazz', 'Rock', 'Pop', 'Folk', NULL][1 + track_key % 5] "
        "WHERE genre IS DISTINCT FROM 'Jazz' OR track_key % 3 > 0"
    )
    return connection


def _rows(reader: duckdb.DuckDBPyConnection, query: str, *given: object) -> list[Row]:
    return reader.execute(f"FROM {query}", list(given)).fetchall()


class Oracle:
    """docs/scoring.md once more, as slow and plain as it can be said."""

    def __init__(self, reader: duckdb.DuckDBPyConnection) -> None:
        self.bits = {
            name: int(a) << 64 | int(b)
            for name, a, b in reader.execute(
                "SELECT t.id, s.sound_1, s.sound_2 FROM store.signatures s "
                "JOIN store.tracks t ON t.track_key = s.track_key"
            ).fetchall()
        }
        self.genre = dict(reader.execute("SELECT track_id, genre FROM tracks").fetchall())

    def likeness(self, a: object, b: object) -> int:
        differ = (self.bits[str(a)] ^ self.bits[str(b)]).bit_count()
        return TICKS * max(0, 64 - differ) // 64

    def shares(self, history: list[str]) -> dict[str, float]:
        genres = [self.genre[track] for track in history if self.genre[track] is not None]
        return {genre: genres.count(genre) / len(genres) for genre in sorted(set(genres))}

    def gain(self, share: float, had: int, rows: int) -> int:
        """Return what one more row of a genre gains."""
        after = GENRE_TRUST * (had + 1) / rows + (1 - GENRE_TRUST) * share
        before = GENRE_TRUST * had / rows + (1 - GENRE_TRUST) * share
        return math.floor(GENRE_TICKS * rows * share * math.log(after / before) + 0.5)

    def order(
        self, rows: list[Row], history: list[str], diversity: float, calibrated: float, k: int
    ) -> list[Row]:
        """Return the first ``k`` of a whole list in the order that the dials give."""
        d, c = math.floor(1000 * diversity + 0.5), math.floor(1000 * calibrated + 0.5)
        left = [row for row in rows if round(float(str(row[SCORE])) * TICKS)][:VARIETY_POOL]
        rest = rows[len(left) :]
        shares, chosen = self.shares(history), list[Row]()
        while left and len(chosen) < k:
            best, best_worth = left[0], -(10**18)
            for row in left:
                likest = max([self.likeness(row[1], above[1]) for above in chosen] + [0])
                genre = self.genre[str(row[1])]
                had = sum(self.genre[str(above[1])] == genre for above in chosen)
                gain = self.gain(shares[genre], had, len(chosen) + 1) if genre in shares else 0
                score = round(float(str(row[SCORE])) * TICKS)
                worth = (1000 - c) * ((1000 - d) * score - d * likest) + 1000 * c * gain
                if worth > best_worth:
                    best, best_worth = row, worth
            left.remove(best)
            chosen.append(best)
        whole = [*chosen, *left, *rest][:k]
        return [(rank, *row[1:]) for rank, row in enumerate(whole, start=1)]


@pytest.mark.parametrize(("diversity", "calibrated"), DIALS)
def test_lists_are_the_oracles(
    world: World, reader: duckdb.DuckDBPyConnection, diversity: float, calibrated: float
) -> None:
    oracle = Oracle(reader)
    people = [*enumerate(world.user_ids[:4]), (None, "nobody")]
    dials = "diversity := ?, calibrated := ?"
    expected: list[Row] = []
    for u, user_id in people:
        history = [] if u is None else [world.track_ids[j] for j in world.histories[u]]
        whole = _rows(reader, "recommend_user(?, k := 1000, weight := 0.6)", user_id)
        answer = oracle.order(whole, history, diversity, calibrated, 12)
        asked = [12, 0.6, diversity, calibrated]
        found = _rows(reader, f"recommend_user(?, k := ?, weight := ?, {dials})", user_id, *asked)
        assert found == answer
        if history:
            liked = _rows(
                reader, f"recommend_tracks(?, k := ?, weight := ?, {dials})", history, *asked
            )
            assert liked == answer
        expected += [(user_id, *row) for row in answer]
    ids = [user_id for _, user_id in people]
    many = f"recommend_users(?, k := 12, weight := 0.6, {dials})"
    assert _rows(reader, many, ids, diversity, calibrated) == expected
    lists = [[world.track_ids[j] for j in history] for history in world.histories[:4]]
    by_lists = _rows(
        reader, f"recommend_many(?, k := 12, weight := 0.6, {dials})", lists, diversity, calibrated
    )
    assert [row[1:] for row in by_lists] == [row[1:] for row in expected if row[0] != "nobody"]


@pytest.mark.parametrize("off", ["0", "NULL", "-3", "'0'"])
def test_without_them_the_answers_are_as_before(
    world: World, reader: duckdb.DuckDBPyConnection, off: str
) -> None:
    history = [world.track_ids[j] for j in world.histories[1]]
    dials = f"diversity := {off}, calibrated := {off}"
    for macro, given in (
        ("recommend_user(?", world.user_ids[1]),
        ("recommend_user(?, weight := 0.3, per_artist := 1", world.user_ids[1]),
        ("recommend_user(?, heard := true", "nobody"),
        ("recommend_tracks(?, k := 100", history),
        ("recommend_users(?", world.user_ids),
        ("recommend_users(?, weight := 0.2, k := 30", world.user_ids),
        ("recommend_many(?", [history, []]),
    ):
        assert _rows(reader, f"{macro}, {dials})", given) == _rows(reader, f"{macro})", given)


def test_nothing_is_added_to_the_plan_without_them(reader: duckdb.DuckDBPyConnection) -> None:
    for query in ("recommend_user('a')", "recommend_users(['a'], k := 3, weight := 0.1)"):
        plan = str(reader.execute(f"EXPLAIN FROM {query}").fetchall())
        assert "signatures" not in plan
        varied = f"EXPLAIN FROM {query[:-1]}, diversity := 0.1)"
        assert "signatures" in str(reader.execute(varied).fetchall())


@pytest.mark.parametrize(("given", "same"), [("7", "1"), ("'0.5'", "0.5"), ("0.5::FLOAT", "0.5")])
@pytest.mark.parametrize("dial", ["diversity", "calibrated"])
def test_values_outside_are_clamped_and_texts_are_read(
    world: World, reader: duckdb.DuckDBPyConnection, dial: str, given: str, same: str
) -> None:
    answers = [
        _rows(reader, f"recommend_user(?, {dial} := {value})", world.user_ids[0])
        for value in (given, same)
    ]
    assert answers[0] == answers[1]


@pytest.mark.parametrize("dial", ["diversity", "calibrated"])
@pytest.mark.parametrize("value", ["'much'", "[0.5]"])
def test_what_is_no_number_is_an_error(
    reader: duckdb.DuckDBPyConnection, dial: str, value: str
) -> None:
    with pytest.raises(duckdb.Error, match=r"(?i)convert|cast"):
        _rows(reader, f"recommend_user('nobody', {dial} := {value})")


def test_a_list_stays_full_and_its_first_rows_do_not_depend_on_its_length(
    world: World, reader: duckdb.DuckDBPyConnection
) -> None:
    for user_id in (world.user_ids[0], "nobody"):
        dials = "diversity := 0.7, calibrated := 0.4"
        whole = _rows(reader, f"recommend_user(?, k := 1000, {dials})", user_id)
        plain = _rows(reader, "recommend_user(?, k := 1000)", user_id)
        assert {row[1:] for row in whole} == {row[1:] for row in plain}
        assert [row[0] for row in whole] == [row[0] for row in plain]
        for k in (0, 1, 2, 7):
            assert _rows(reader, f"recommend_user(?, k := ?, {dials})", user_id, k) == whole[:k]


def test_tracks_beyond_the_pool_follow_by_score(tmp_path: Path) -> None:
    parameters = HybridParameters(popular_candidates=400)
    world = build_world(tmp_path, seed=1, n=600, users=60, parameters=parameters)
    with duckdb.connect(str(world.database), read_only=True) as reader:
        plain = _rows(reader, "recommend_user('nobody', k := 330)")
        varied = _rows(reader, "recommend_user('nobody', k := 330, diversity := 1)")
    assert varied[VARIETY_POOL:] == plain[VARIETY_POOL:]
    assert {row[1] for row in varied} == {row[1] for row in plain}
    assert varied[:VARIETY_POOL] != plain[:VARIETY_POOL]


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "call",
    [
        "recommend_user('nobody', k := 1000000, weight := 0",
        "recommend_tracks(['no such track'], k := 1000000, weight := 0",
        "recommend_users(['nobody'], k := 1000000, weight := 0",
        "recommend_many([['no such track']], k := 1000000, weight := 0",
    ],
)
def test_where_nothing_has_a_score_the_list_is_filled_at_once(
    reader: duckdb.DuckDBPyConnection, call: str
) -> None:
    filled = _rows(reader, f"{call})")
    assert filled
    assert _rows(reader, f"{call}, diversity := 0.9, calibrated := 0.6)") == filled


def test_a_list_grows_more_varied_with_the_dial(tmp_path: Path) -> None:
    world = build_world(tmp_path, seed=4, n=120, users=20)
    means = []
    with duckdb.connect(str(world.database), read_only=True) as reader:
        oracle = Oracle(reader)
        for diversity in (0, 0.25, 0.5, 0.75, 1):
            rows = _rows(
                reader, "recommend_users(?, k := 10, diversity := ?)", world.user_ids, diversity
            )
            pairs = [oracle.likeness(a[2], b[2]) for a, b in combinations(rows, 2) if a[0] == b[0]]
            means.append(np.mean(pairs))
    assert means == sorted(means, reverse=True)
    assert means[-1] < 0.7 * means[0]


def test_genres_come_closer_to_those_of_the_history(tmp_path: Path) -> None:
    world = build_world(tmp_path, seed=4, n=120, users=20)
    with _with_genres(world) as reader:
        oracle = Oracle(reader)
        distances = []
        for calibrated in (0, 0.5, 1):
            rows = _rows(
                reader, "recommend_users(?, k := 10, calibrated := ?)", world.user_ids, calibrated
            )
            far = []
            for u, user_id in enumerate(world.user_ids):
                shares = oracle.shares([world.track_ids[j] for j in world.histories[u]])
                genres = [oracle.genre[str(row[2])] for row in rows if row[0] == user_id]
                far.append(sum(abs(p - genres.count(g) / 10) for g, p in shares.items()))
            distances.append(np.mean(far))
    assert distances == sorted(distances, reverse=True)
    assert distances[-1] < 0.5 * distances[0]


def test_without_genres_there_is_nothing_to_follow(tmp_path: Path) -> None:
    world = build_world(tmp_path, seed=4, n=40)
    with duckdb.connect(str(world.database)) as reader:
        reader.execute("UPDATE store.tracks SET genre = NULL")
        for user_id in (world.user_ids[0], "nobody"):
            answers = [
                _rows(reader, f"recommend_user(?, calibrated := {value})", user_id)
                for value in (0, 0.5)
            ]
            assert answers[0] == answers[1]
