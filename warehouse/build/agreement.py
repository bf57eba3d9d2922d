"""The macros answer as the tables do, to the last digit, for sampled listeners and tracks.

One macro call is mostly planning, so the sample is asked in batches, by the macros for many
histories with every list computed. The macros in the file are asked for a few, as apps do.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import duckdb

from warehouse.contract.ranked import HAS_STRENGTHS, Settings, computing_macros

BATCH = 125
"""Lists of one query: planning is a small part of it, and at Kaggle scale it takes 150 MB."""

SCORES = "score, collaborative_score, content_score, source"

Rows = list[tuple[object, ...]]
"""A list, best first."""


@dataclass(frozen=True)
class Pair:
    """A table of precomputed lists, and the macros that answer the same for the defaults."""

    kind: str
    ids: str
    """The store's table of those who can be asked for."""
    sampled: int
    table: str
    """The lists of many ids, after the id."""
    computed: str
    """The same by a macro that computes them."""
    batches: Mapping[str, int]
    """The same by the macros in the file, and for how many of the sampled ids."""
    one_by_one: Mapping[str, int]
    """Queries of one id for k rows, and for how many of the sampled ids."""
    by_tracks: Mapping[str, int] = field(default_factory=dict)
    """The same by batches of liked tracks, and for how many of the sampled ids without dislikes
    whose tracks count the same."""
    liked: Mapping[str, int] = field(default_factory=dict)
    """The same as `one_by_one` by liked tracks, for ids whose tracks count the same."""


_OF_LISTENERS = f"SELECT user_id, rank, track_id, {SCORES}, because_track_id FROM"
_OF_TRACKS = f"SELECT track_id, rank, similar_track_id, {SCORES} FROM"

_LIKED = "(SELECT list(l.track_id) FROM listens l WHERE l.user_id = $id)"
_DISLIKED = "(SELECT list(d.track_id) FROM dislikes d WHERE d.user_id = $id)"

LISTENERS = Pair(
    "listener",
    "store.listeners",
    1000,
    f"{_OF_LISTENERS} user_recommendations "
    "WHERE user_id IN (SELECT unnest($ids::VARCHAR[])) ORDER BY user_id, rank",
    f"{_OF_LISTENERS} computed_recommend_users($ids, k := $k)",
    {f"{_OF_LISTENERS} recommend_users($ids, k := $k)": 32},
    {
        f"SELECT rank, track_id, {SCORES}, because_track_id FROM {macro}": asked
        for macro, asked in (
            ("recommend_user($id, k := $k)", 32),
            ("user_candidates($id) WHERE rank <= $k ORDER BY rank", 4),
        )
    },
    {
        # the lists of a batch are in the order of the histories, which is that of the ids
        f"SELECT $ids[r.position], rank, track_id, {SCORES}, because_track_id FROM recommend_many("
        "(SELECT list(h.tracks ORDER BY list_position($ids::VARCHAR[], h.user_id)) FROM "
        "(SELECT l.user_id, list(l.track_id) AS tracks FROM listens l "
        "WHERE l.user_id IN (SELECT unnest($ids::VARCHAR[])) GROUP BY l.user_id) h), k := $k) r": 8,
    },
    {
        f"SELECT rank, track_id, {SCORES}, because_track_id FROM {macro}": asked
        for macro, asked in (
            (f"recommend_tracks({_LIKED}, k := $k, exclude := {_DISLIKED})", 4),
            (
                f"candidates_for_tracks({_LIKED}, exclude := {_DISLIKED}) "
                "WHERE rank <= $k ORDER BY rank",
                2,
            ),
        )
    },
)
TRACKS = Pair(
    "track",
    "store.tracks",
    100,
    f"{_OF_TRACKS} similar_tracks "
    "WHERE track_id IN (SELECT unnest($ids::VARCHAR[])) ORDER BY track_id, rank",
    f"{_OF_TRACKS} computed_similar_to_many($ids, k := $k)",
    {f"{_OF_TRACKS} similar_to_many($ids, k := $k)": 32},
    {
        f"SELECT rank, track_id, {SCORES} FROM {macro}": asked
        for macro, asked in (
            ("similar_to($id, k := $k)", 8),
            ("track_candidates($id) WHERE rank <= $k ORDER BY rank", 4),
        )
    },
)


def create_computing(connection: duckdb.DuckDBPyConnection) -> None:
    """Create, on this connection, batch macros that compute every list of the open release."""
    columns = ("min_tracks", "max_tracks", "weight", "popularity")
    segments = connection.execute(f"SELECT {', '.join(columns)} FROM store.segments").fetchall()
    named = [dict(zip(columns, segment, strict=True)) for segment in segments]
    gamma, factors = connection.execute(
        "SELECT gamma, artist_factors FROM store.constants"
    ).fetchall()[0]
    has_dislikes = connection.execute("SELECT count(*) > 0 FROM store.dislikes").fetchall()[0][0]
    has_strengths = connection.execute(HAS_STRENGTHS).fetchall()[0][0]
    settings = Settings(named, gamma, factors, has_dislikes, has_strengths)
    for statement in computing_macros(settings):
        connection.execute(statement)


def disagreeing(
    connection: duckdb.DuckDBPyConnection, pair: Pair, k: int, threads: int
) -> list[str]:
    """Return the sampled ids whose table rows are not what the macros answer for k rows.

    ``threads`` batches run at a time: a query of this size keeps one core busy, not two.
    """
    ids = [
        row[0]
        for row in connection.execute(
            f"SELECT x.id FROM {pair.ids} x ORDER BY hash(x.id) LIMIT {pair.sampled}"
        ).fetchall()
    ]
    table = _lists(connection.execute(pair.table, {"ids": ids}).fetchall())
    batches = [ids[start : start + BATCH] for start in range(0, len(ids), BATCH)]

    def compare(at: duckdb.DuckDBPyConnection, query: str, batch: list[str]) -> list[str]:
        answers = _lists(at.execute(query, {"ids": batch, "k": k}).fetchall())
        return [name for name in batch if answers.get(name) != table.get(name)]

    def compute(share: list[list[str]]) -> list[str]:
        with connection.cursor() as cursor:
            create_computing(cursor)  # temporary macros belong to one connection
            return [name for batch in share for name in compare(cursor, pair.computed, batch)]

    with ThreadPoolExecutor(threads) as pool:
        shares = list(pool.map(compute, [batches[x::threads] for x in range(threads)]))
    wrong = {name for share in shares for name in share}
    for query, asked in pair.batches.items():
        wrong.update(compare(connection, query, ids[:asked]))
    alike = _with_equal_strengths(connection, ids) if pair.liked else []
    liking = _without_dislikes(connection, alike)
    for query, asked in pair.by_tracks.items():
        wrong.update(compare(connection, query, liking[:asked]))
    for queries, those in ((pair.one_by_one, ids), (pair.liked, alike)):
        for query, asked in queries.items():
            for name in those[:asked]:
                rows = connection.execute(query, {"id": name, "k": k}).fetchall()
                if rows != table.get(name, []):
                    wrong.add(name)
    return sorted(wrong)


def _with_equal_strengths(connection: duckdb.DuckDBPyConnection, ids: list[str]) -> list[str]:
    """Return those whose tracks all count the same, as liked tracks do."""
    found = connection.execute(
        "SELECT l.id FROM store.listeners l WHERE l.id IN (SELECT unnest($ids::VARCHAR[])) "
        "AND list_min(l.strengths) < list_max(l.strengths)",
        {"ids": ids},
    ).fetchall()
    unequal = {row[0] for row in found}
    return [name for name in ids if name not in unequal]


def _without_dislikes(connection: duckdb.DuckDBPyConnection, ids: list[str]) -> list[str]:
    found = connection.execute(
        "SELECT d.id FROM store.dislikes d WHERE d.id IN (SELECT unnest($ids::VARCHAR[]))",
        {"ids": ids},
    ).fetchall()
    disliking = {row[0] for row in found}
    return [name for name in ids if name not in disliking]


def _lists(rows: Rows) -> dict[Any, Rows]:
    """Group rows by their first column."""
    lists: dict[Any, Rows] = {}
    for asked, *row in rows:
        lists.setdefault(asked, []).append(tuple(row))
    return lists
