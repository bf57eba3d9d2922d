"""The macros answer as the tables do, to the last digit, for sampled listeners and tracks.

One macro call is mostly planning, so the sample is asked by `ranked.MANY`: the same text, filled
for many questions. The stored macros are asked one by one, as apps do, for a few.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import duckdb

from warehouse.contract.ranked import MANY, ranked_macros

BATCH = 125
"""Questions of one query: planning is little of it, and at Kaggle scale it takes 150 MB."""

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
    at_once: str
    """The same by `ranked.MANY`, after the position among the ids."""
    one_by_one: Mapping[str, int]
    """Queries of one id for k rows, and how many of the sampled ids are asked for by each."""


LISTENERS = Pair(
    "listener",
    "store.listeners",
    1000,
    f"SELECT user_id, rank, track_id, {SCORES}, because_track_id FROM user_recommendations "
    "WHERE user_id IN (SELECT unnest(?::VARCHAR[])) ORDER BY user_id, rank",
    f"SELECT question, rank, track_id, {SCORES}, because_track_id FROM recommend_users(?, k := ?)",
    {
        f"SELECT rank, track_id, {SCORES}, because_track_id FROM {macro}": asked
        for macro, asked in (
            ("recommend_user($id, k := $k)", 32),
            ("user_candidates($id) WHERE rank <= $k ORDER BY rank", 4),
            (
                "recommend_tracks((SELECT list(l.track_id) FROM listens l WHERE l.user_id = $id), "
                "k := $k)",
                4,
            ),
        )
    },
)
TRACKS = Pair(
    "track",
    "store.tracks",
    100,
    f"SELECT track_id, rank, similar_track_id, {SCORES} FROM similar_tracks "
    "WHERE track_id IN (SELECT unnest(?::VARCHAR[])) ORDER BY track_id, rank",
    f"SELECT question, rank, track_id, {SCORES} FROM similar_to_each(?, k := ?)",
    {
        f"SELECT rank, track_id, {SCORES} FROM {macro}": asked
        for macro, asked in (
            ("similar_to($id, k := $k)", 8),
            ("track_candidates($id) WHERE rank <= $k ORDER BY rank", 4),
        )
    },
)


def create_many(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the macros for many questions on this connection, for the release it has open."""
    columns = ("min_tracks", "max_tracks", "weight", "popularity")
    segments = connection.execute(f"SELECT {', '.join(columns)} FROM store.segments").fetchall()
    named = [dict(zip(columns, segment, strict=True)) for segment in segments]
    gamma, factors = connection.execute(
        "SELECT gamma, artist_factors FROM store.constants"
    ).fetchall()[0]
    for statement in ranked_macros(named, gamma, factors, MANY, temporary=True):
        connection.execute(statement)


def disagreeing(
    connection: duckdb.DuckDBPyConnection, pair: Pair, k: int, threads: int
) -> list[str]:
    """Return the sampled ids whose table rows are not what the macros answer for k rows.

    ``threads`` batches are asked at a time: a query of this size keeps one core busy, not two.
    """
    ids = [
        row[0]
        for row in connection.execute(
            f"SELECT x.id FROM {pair.ids} x ORDER BY hash(x.id) LIMIT {pair.sampled}"
        ).fetchall()
    ]
    table = _lists(connection.execute(pair.table, [ids]).fetchall())
    batches = [ids[start : start + BATCH] for start in range(0, len(ids), BATCH)]

    def ask(share: list[list[str]]) -> list[str]:
        wrong = []
        with connection.cursor() as cursor:
            create_many(cursor)  # temporary macros belong to one connection
            for batch in share:
                answers = _lists(cursor.execute(pair.at_once, [batch, k]).fetchall())
                wrong += [
                    name
                    for question, name in enumerate(batch, start=1)
                    if answers.get(question) != table.get(name)
                ]
        return wrong

    with ThreadPoolExecutor(threads) as pool:
        shares = list(pool.map(ask, [batches[x::threads] for x in range(threads)]))
    wrong = {name for share in shares for name in share}
    for query, asked in pair.one_by_one.items():
        for name in ids[:asked]:
            rows = connection.execute(query, {"id": name, "k": k}).fetchall()
            if rows != table.get(name, []):
                wrong.add(name)
    return sorted(wrong)


def _lists(rows: Rows) -> dict[Any, Rows]:
    """Part rows by their first column."""
    lists: dict[Any, Rows] = {}
    for asked, *row in rows:
        lists.setdefault(asked, []).append(tuple(row))
    return lists
