"""Search quality: `python -m tests.benchmarks.search_quality CSV… --releases BEFORE AFTER`.

The catalogues (`Music Info.csv` of the Kaggle-scale twin and of real artists) replace the tracks in
a copy of each release, the first rows being the most listened. Then the queries of
search_queries.tsv, written by hand, are asked. Prints the mean reciprocal rank of the first
matching row among twenty, and processor milliseconds.
"""

import argparse
import csv
import re
import shutil
import tempfile
import time
from collections.abc import Iterable
from itertools import zip_longest
from pathlib import Path
from statistics import fmean, median

import duckdb
import pyarrow as pa

QUERIES = Path(__file__).with_name("search_queries.tsv")
ROWS = 20

FILL = """
INSERT INTO store.tracks BY NAME
SELECT
    c.* EXCLUDE (search_text), c.track_key AS listener_rank,
    store.letter_pairs(c.search_text, 31, 1, 64) AS search_pairs,
    store.letter_pairs(c.search_text, 7, 43, 61) AS search_pairs_2
FROM (
    SELECT c.*, concat_ws(' ', c.search_name, c.search_artist, c.search_name) AS search_text
    FROM (
        SELECT c.*, store.spelled(c.name) AS search_name, store.spelled(c.artist) AS search_artist
        FROM catalogue c
    ) c
) c
"""


def read_queries() -> list[tuple[str, re.Pattern[str]]]:
    """Return each query and the pattern that the right `name | artist` matches."""
    with QUERIES.open(newline="") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))[1:]
    return [(query, re.compile(pattern, re.IGNORECASE)) for query, pattern in rows]


def measure(release: Path, catalogue: pa.Table) -> list[tuple[float, float]]:
    """Return the reciprocal rank and the processor milliseconds of every query."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy.duckdb"
        shutil.copyfile(release, copy)
        with duckdb.connect(str(copy), config={"threads": 1}) as connection:
            connection.execute("DELETE FROM store.tracks")
            connection.register("catalogue", catalogue)
            connection.execute(FILL)
            return [_ask(connection, query, pattern) for query, pattern in read_queries()]


def read_catalogue(files: Iterable[Path]) -> pa.Table:
    """Return the tracks of all files, the first rows of each first: track_key, id, name, artist."""
    parts = []
    for path in files:
        with path.open(newline="", encoding="utf-8") as file:
            rows = csv.DictReader(file)
            parts.append([(row["track_id"], row["name"], row["artist"]) for row in rows])
    tracks = [track for row in zip_longest(*parts) for track in row if track is not None]
    ids, names, artists = zip(*tracks, strict=True)
    keys = pa.array(range(len(ids)), pa.int32())
    return pa.table({"track_key": keys, "id": ids, "name": names, "artist": artists})


def _ask(
    connection: duckdb.DuckDBPyConnection, query: str, pattern: re.Pattern[str]
) -> tuple[float, float]:
    began = time.thread_time()
    rows = connection.execute(
        f"SELECT s.name, s.artist FROM search_tracks(?, k := {ROWS}) s ORDER BY s.rank", [query]
    ).fetchall()
    took = time.thread_time() - began
    for rank, (name, artist) in enumerate(rows, start=1):
        if pattern.search(f"{name or ''} | {artist or ''}"):
            return 1 / rank, took * 1000
    return 0.0, took * 1000


def main() -> None:
    """Ask every release and print a line for each, then the queries whose rank differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("catalogues", type=Path, nargs="+")
    parser.add_argument("--releases", type=Path, nargs="+", required=True)
    given = parser.parse_args()
    print("| release | mean reciprocal rank | p50 ms | longest |\n|---|---|---|---|")
    catalogue = read_catalogue(given.catalogues)
    found = [measure(release, catalogue) for release in given.releases]
    for release, answers in zip(given.releases, found, strict=True):
        ranks, took = zip(*answers, strict=True)
        print(f"| {release} | {fmean(ranks):.3f} | {median(took):.1f} | {max(took):.1f} |")
    for (query, _), *answered in zip(read_queries(), *found, strict=True):
        if len({rank for rank, _ in answered}) > 1:
            print(f"{query}: {' → '.join(f'{rank:.2f}' for rank, _ in answered)}")


if __name__ == "__main__":
    main()
