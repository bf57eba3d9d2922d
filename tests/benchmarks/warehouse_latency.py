"""What queries cost: `python -m tests.benchmarks.warehouse_latency FILE [--queries N]`.

With `--beside BEFORE`, a release of the same lists by other code: both files in turn, nothing else.

Warm (everything has been read once), read-only, one DuckDB thread: random listeners and tracks, the
longest history apart, several processes at once, the cold open, and the size of the file by table;
`--parts` names some of them. An allocator in `LD_PRELOAD` (docs/operations.md) is measured along.
Prints Markdown. Wall time is what callers see; processor time stands beside it, as waiting for
others is not in it.
"""

import argparse
import os
import platform
import random
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from typing import TypeAlias

import duckdb
import numpy as np
from numpy.typing import NDArray

from warehouse.contract.constants import COMPUTED_AT_ONCE

Arguments: TypeAlias = list[list[object]]

BLOCK = 262_144
"""Bytes of a DuckDB block."""

BARE_BLEND = """
WITH heard AS (SELECT unnest(l.history) AS track FROM store.listeners l WHERE l.id = ?),
sums AS (
    SELECT
        e.target, coalesce(sum(e.weight) FILTER (WHERE NOT e.is_content), 0) AS c,
        coalesce(sum(e.weight) FILTER (WHERE e.is_content), 0) AS d
    FROM store.edges e JOIN heard h ON h.track = e.source
    GROUP BY e.target
),
fresh AS (SELECT s.* FROM sums s WHERE s.target NOT IN (SELECT h.track FROM heard h)),
highest AS (SELECT greatest(1, max(f.c)) AS c, greatest(1, max(f.d)) AS d FROM fresh f)
SELECT f.target, round(0.6 * f.c / m.c + 0.4 * f.d / m.d, 4) AS score
FROM fresh f, highest m
ORDER BY score DESC, f.target LIMIT 20
"""
"""Both neighbour tables blended for one history, without the rest of the contract: no popularity,
artist factor, names, reasons or fillers. Where the targets were set it took 5 ms (p50) and 10 to 12
(p99)."""

USER_TABLES = {
    "`SELECT ?`, for scale": "SELECT ?",
    "the bare blend, for scale": BARE_BLEND,
    "user_recommendations": "FROM user_recommendations WHERE user_id = ? ORDER BY rank",
    "listens": "FROM listens WHERE user_id = ?",
    "users": "FROM users WHERE user_id = ?",
}
TRACK_TABLES = {
    "similar_tracks": "FROM similar_tracks WHERE track_id = ? ORDER BY rank",
    "tracks": "FROM tracks WHERE track_id = ?",
}
USER_MACROS = {
    "recommend_user": "FROM recommend_user(?)",
    "recommend_user, weight 0.4": "FROM recommend_user(?, weight := 0.4)",
    "user_candidates, filtered": "FROM user_candidates(?) WHERE year >= 2000 LIMIT 20",
    "user_candidates, filtered, sorted again": (
        "FROM user_candidates(?) WHERE year >= 2000 ORDER BY rank LIMIT 20"
    ),
}
TIMES_MACROS = {
    "on_repeat": "FROM on_repeat(?)",
    "rediscover": "FROM rediscover(?)",
    "new_for_user": "FROM new_for_user(?)",
}
TRACK_MACROS = {
    "similar_to": "FROM similar_to(?)",
    "track_candidates, filtered": "FROM track_candidates(?) WHERE year >= 2000 LIMIT 20",
}


def connect(file: Path) -> duckdb.DuckDBPyConnection:
    """Open the release as a reader with one thread does."""
    connection = duckdb.connect(str(file), read_only=True, config={"threads": 1})
    connection.execute("SET enable_progress_bar = false")
    return connection


def read_once(connection: duckdb.DuckDBPyConnection) -> None:
    """Read every column of the file once, so that no query waits for the disk."""
    for (table,) in connection.execute(
        "SELECT t.table_name FROM duckdb_tables() t WHERE t.schema_name = 'store'"
    ).fetchall():
        connection.execute(f"SELECT max(hash(t)) FROM store.{table} t").fetchall()


def timed(
    connection: duckdb.DuckDBPyConnection, query: str, arguments: Arguments
) -> NDArray[np.float64]:
    """Run the query for each argument list; return wall and processor milliseconds, n × 2."""
    for given in arguments[:5]:
        connection.execute(query, given).fetchall()
    took = np.empty((len(arguments), 2))
    for row, given in enumerate(arguments):
        wall, processor = time.perf_counter(), time.thread_time()
        connection.execute(query, given).fetchall()
        took[row] = time.perf_counter() - wall, time.thread_time() - processor
    return took * 1000


def line(name: str, took: NDArray[np.float64]) -> str:
    """Return one row of the table: p50 and p99 of wall time, then of processor time."""
    p50, p99 = np.percentile(took, [50, 99], axis=0)
    return f"| {name} | {p50[0]:.1f} | {p99[0]:.1f} | {p50[1]:.1f} | {p99[1]:.1f} | {len(took)} |"


def sampled(connection: duckdb.DuckDBPyConnection, relation: str, column: str, n: int) -> list[str]:
    """Return n random ids, the same every time; repeated when there are fewer."""
    ids = connection.execute(
        f"SELECT {column} FROM {relation} ORDER BY md5({column}) LIMIT {n}"
    ).fetchall()
    return [ids[x % len(ids)][0] for x in range(n)]


def misspelt(connection: duckdb.DuckDBPyConnection, n: int) -> list[str]:
    """Return names of tracks and artists with one letter lost."""
    rows = connection.execute(
        f"SELECT name, artist FROM tracks WHERE name IS NOT NULL ORDER BY md5(track_id) LIMIT {n}"
    ).fetchall()
    draw, texts = random.Random(0), []
    for name, artist in rows:
        text = draw.choice([name, artist or name, f"{name} {artist or ''}"])
        at = draw.randrange(len(text))
        texts.append(text[:at] + text[at + 1 :])
    return [texts[x % len(texts)] for x in range(n)]


def asked(
    connection: duckdb.DuckDBPyConnection, n: int, only: str
) -> Iterator[tuple[str, str, Arguments]]:
    """Yield name, query and n argument lists of what is measured, if its name holds ``only``."""
    users = sampled(connection, "users", "user_id", n)
    tracks = sampled(connection, "tracks", "track_id", n)
    of_users: Arguments = [[user] for user in users]
    of_tracks: Arguments = [[track] for track in tracks]
    of_all: Arguments = [["all"]] * n
    threes: Arguments = [[tracks[x : x + 3]] for x in range(max(1, n - 2))]
    pairs: Arguments = [[a, b] for a, b in pairwise(tracks)]
    typos: Arguments = [[text] for text in misspelt(connection, n)]
    begun: Arguments = [[str(text)[:3]] for (text,) in typos]
    artists: Arguments = [[name] for name in sampled(connection, "store.artists", "name", n)]
    tens: Arguments = [[tracks[x : x + 10]] for x in range(max(1, n - 9))]
    longest, length = connection.execute(
        "SELECT user_id, tracks_played FROM users ORDER BY tracks_played DESC, user_id LIMIT 1"
    ).fetchall()[0]
    of_listeners = {**USER_TABLES, **USER_MACROS, **TIMES_MACROS}
    queries = [
        *((name, query, of_users) for name, query in of_listeners.items()),
        *((name, query, of_tracks) for name, query in {**TRACK_TABLES, **TRACK_MACROS}.items()),
        ("recommend_tracks, 3 liked", "FROM recommend_tracks(?)", threes),
        ("explain", "FROM explain(?, ?)", pairs),
        ("trending", "FROM trending(?)", of_all),
        ("search_tracks, one typo", "FROM search_tracks(?)", typos),
        ("search_tracks, first three letters", "FROM search_tracks(?)", begun),
        ("artist_tracks", "FROM artist_tracks(?)", artists),
        ("similar_artists", "FROM similar_artists(?)", artists),
        ("recommend_artists", "FROM recommend_artists(?)", of_users),
        ("continue_playlist, 10 given", "FROM continue_playlist(?)", tens),
        ("radio, 3 liked", "FROM radio(?)", threes),
        (
            f"recommend_user, the longest history ({length})",
            "FROM recommend_user(?)",
            [[longest]] * min(n, 50),
        ),
    ]
    yield from (query for query in queries if only in query[0])


def latencies(file: Path, n: int, only: str) -> None:
    """Print the table of warm latencies of one process."""
    with connect(file) as connection:
        read_once(connection)
        print("| query | wall p50 ms | p99 | processor p50 ms | p99 | queries |")
        print("|---|---|---|---|---|---|")
        for name, query, arguments in asked(connection, n, only):
            print(line(name, timed(connection, query, arguments)), flush=True)


def beside(file: Path, before: Path, n: int, only: str) -> None:
    """Print processor time on both files, asked in turn, and how many answers differ."""
    print("| query | before p50 ms → now | ratio | before p99 → now | queries | differ |")
    print("|---|---|---|---|---|---|")
    with connect(before) as one, connect(file) as other:
        for connection in (one, other):
            read_once(connection)
        for name, query, arguments in asked(other, n, only):
            if not knows(one, query):
                continue
            for connection in (one, other):
                connection.execute(query, arguments[0]).fetchall()
            took, differ = np.empty((len(arguments), 2)), 0
            for row, given in enumerate(arguments):
                answers = []
                for side, connection in enumerate((one, other)):
                    began = time.thread_time()
                    answers.append(connection.execute(query, given).fetchall())
                    took[row, side] = time.thread_time() - began
                differ += answers[0] != answers[1]
            (a, b), (y, z) = np.percentile(took * 1000, [50, 99], axis=0)
            print(
                f"| {name} | {a:.1f} → {b:.1f} | {b / a:.2f} | {y:.1f} → {z:.1f} "
                f"| {len(arguments)} | {differ} |",
                flush=True,
            )


def knows(connection: duckdb.DuckDBPyConnection, query: str) -> bool:
    """Tell whether the release has the macro that a query calls, if it calls one."""
    called = re.search(r"^FROM (\w+)\(", query)
    exists = "SELECT count(*) > 0 FROM duckdb_functions() WHERE function_name = ?"
    return called is None or bool(connection.execute(exists, [called[1]]).fetchall()[0][0])


def batches(file: Path, n: int) -> None:
    """Print what n listeners at once take, each way in a process of its own."""
    print("\n| listeners at once | calls | seconds | processor seconds | peak GB |")
    print("|---|---|---|---|---|")
    for name, settings, size in (
        ("stored", "", n),
        ("weight 0.4", ", weight := 0.4", COMPUTED_AT_ONCE),
    ):
        with get_context("spawn").Pool(1) as pool:
            wall, processor, peak = pool.apply(_batch, (file, n, settings, size))
        print(
            f"| {name} | {-(-n // size)} | {wall:.1f} | {processor:.1f} | {peak:.2f} |", flush=True
        )


def _batch(file: Path, n: int, settings: str, size: int) -> tuple[float, float, float]:
    """Ask for n listeners; return seconds, processor seconds and the peak of this process in GB."""
    with connect(file) as connection:
        users = sampled(connection, "users", "user_id", n)
        wall, processor = time.perf_counter(), time.process_time()
        for start in range(0, n, size):
            connection.execute(
                f"FROM recommend_users(?{settings})", [users[start : start + size]]
            ).to_arrow_table()
        took = time.perf_counter() - wall, time.process_time() - processor
    return *took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def crowd(file: Path, processes: int, n: int) -> None:
    """Print throughput and latency of several processes at once."""
    with get_context("spawn").Pool(processes) as pool:
        pool.map(_warm, [file] * processes)
        began = time.perf_counter()
        parts = pool.starmap(_share, [(file, n, x) for x in range(processes)], chunksize=1)
        seconds = time.perf_counter() - began
    took = np.concatenate(parts)
    p50, p99 = np.percentile(took[:, 0], [50, 99])
    print(
        f"\n{processes} processes at once, `recommend_user`: {len(took) / seconds:.0f} queries/s, "
        f"p50 {p50:.1f} ms, p99 {p99:.1f} ms"
    )


def _warm(file: Path) -> None:
    with connect(file) as connection:
        connection.execute("FROM recommend_user('nobody')").fetchall()


def _share(file: Path, n: int, x: int) -> NDArray[np.float64]:
    with connect(file) as connection:
        users = sampled(connection, "users", "user_id", n * (x + 1))[n * x :]
        return timed(connection, "FROM recommend_user(?)", [[user] for user in users])


def cold_open(file: Path) -> None:
    """Print what a fresh process pays: import, open, first answers."""
    code = (
        "import time; began = time.perf_counter(); import duckdb; imported = time.perf_counter();"
        f"c = duckdb.connect({str(file)!r}, read_only=True); opened = time.perf_counter();"
        "c.execute(\"FROM recommend_user('nobody')\").fetchall(); done = time.perf_counter();"
        "print(imported - began, opened - imported, done - opened)"
    )
    runs = [
        [float(x) for x in subprocess.check_output([sys.executable, "-c", code]).split()]
        for _ in range(5)
    ]
    middle = np.median(np.array(runs), axis=0) * 1000
    print(
        "\nA fresh process (median of 5, file in the page cache): "
        f"import of duckdb {middle[0]:.0f} ms, open {middle[1]:.0f} ms, "
        f"first answer {middle[2]:.0f} ms"
    )


def sizes(file: Path) -> None:
    """Print rows and megabytes by table."""
    print(f"\n| table | rows | MB (file: {file.stat().st_size / 1e6:.1f}) |\n|---|---|---|")
    with connect(file) as connection:
        tables = connection.execute(
            "SELECT t.table_name, t.estimated_size FROM duckdb_tables() t "
            "WHERE t.schema_name = 'store'"
        ).fetchall()
        measured = []
        for name, rows in tables:
            blocks = connection.execute(
                f"SELECT count(DISTINCT block_id) FROM pragma_storage_info('store.{name}') "
                "WHERE block_id >= 0"
            ).fetchall()[0][0]
            measured.append((blocks * BLOCK / 1e6, name, rows))
    for megabytes, name, rows in sorted(measured, reverse=True):
        print(f"| store.{name} | {rows:,} | {megabytes:.1f} |")


def main() -> None:
    """Parse the command line and print the page's tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--queries", type=int, default=10_000)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--parts", nargs="+", choices=("warm", "batches", "crowd", "cold", "sizes"))
    parser.add_argument("--only", default="", help="what a query's name must hold")
    parser.add_argument("--beside", type=Path, metavar="BEFORE")
    given = parser.parse_args()
    file = given.file.resolve()
    print(f"{os.cpu_count()} cores ({platform.machine()}), DuckDB {duckdb.__version__}, "
          f"load {os.getloadavg()[0]:.1f} before\n")  # fmt: skip
    if given.beside is not None:
        beside(file, given.beside.resolve(), given.queries, given.only)
        return
    parts: dict[str, Callable[[], None]] = {
        "warm": lambda: latencies(file, given.queries, given.only),
        "batches": lambda: batches(file, given.queries),
        "crowd": lambda: crowd(file, given.processes, max(10, given.queries // given.processes)),
        "cold": lambda: cold_open(file),
        "sizes": lambda: sizes(file),
    }
    for name in given.parts or parts:
        parts[name]()
    print(f"\nload {os.getloadavg()[0]:.1f} after")


if __name__ == "__main__":
    main()
