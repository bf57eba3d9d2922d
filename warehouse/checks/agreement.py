"""The macros answer as the tables do, to the last digit, for sampled listeners and tracks."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import duckdb

SAMPLED_LISTENERS, SAMPLED_TRACKS = 1000, 100

PARTS = "score, collaborative_score, content_score, source"


@dataclass(frozen=True)
class Pair:
    """A macro, and the table that holds its answers for the defaults."""

    by_macro: str
    by_table: str
    sample: str


LISTENERS = Pair(
    f"SELECT rank, track_id, {PARTS}, because_track_id FROM recommend_user(?, k := ?)",
    f"SELECT user_id, rank, track_id, {PARTS}, because_track_id FROM user_recommendations "
    "WHERE user_id IN (SELECT unnest(?::VARCHAR[])) ORDER BY user_id, rank",
    f"SELECT l.id FROM store.listeners l ORDER BY hash(l.id) LIMIT {SAMPLED_LISTENERS}",
)
TRACKS = Pair(
    f"SELECT rank, track_id, {PARTS} FROM similar_to(?, k := ?)",
    f"SELECT track_id, rank, similar_track_id, {PARTS} FROM similar_tracks "
    "WHERE track_id IN (SELECT unnest(?::VARCHAR[])) ORDER BY track_id, rank",
    f"SELECT t.id FROM store.tracks t ORDER BY hash(t.id) LIMIT {SAMPLED_TRACKS}",
)


def disagreeing(
    connection: duckdb.DuckDBPyConnection, pair: Pair, k: int, threads: int
) -> list[str]:
    """Return the sampled ids whose table rows are not what the macro answers for k rows.

    Each id is asked for on its own, as apps do; most of such a query is planning, so several are
    asked at once.
    """
    ids = [row[0] for row in connection.execute(pair.sample).fetchall()]
    table: dict[str, list[tuple[object, ...]]] = {name: [] for name in ids}
    for name, *row in connection.execute(pair.by_table, [ids]).fetchall():
        table[name].append(tuple(row))

    def ask(share: list[str]) -> list[str]:
        with connection.cursor() as cursor:
            return [
                name
                for name in share
                if cursor.execute(pair.by_macro, [name, k]).fetchall() != table[name]
            ]

    with ThreadPoolExecutor(threads) as pool:
        shares = pool.map(ask, [ids[x::threads] for x in range(threads)])
        return sorted(name for share in shares for name in share)
