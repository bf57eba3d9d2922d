"""What `diversity` and `calibrated` cost and bring, beside the lists without them.

`python -m tests.benchmarks.diversity hetrec=FOLDER sample=FOLDER`

The data sets and their halves are those of `tests.benchmarks.music_lists`: the release is made of
the first halves of the histories, and the second halves are what lists of `K` should find. The
similarity of a list is the mean cosine of its pairs in the content embedding of the run, not in
the bits that the macros read. Where no track has a genre, its first tag stands for it, in a copy
of the release. Intervals are of differences over the same listeners.
"""

import argparse
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log
from pathlib import Path

import duckdb
import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tasks.evaluation.bootstrap import interval, resample_counts, resampled_means
from tests.benchmarks.music_lists import SOURCES, Case, published, split
from tests.conftest import running_prefect_server
from warehouse.contract.constants import GENRE_TRUST
from warehouse.releases.home import Home

K = 100
STEPS = (0, 0.25, 0.5, 0.75, 1)
SETTINGS = [
    *((diversity, 0.0) for diversity in STEPS),
    *((0.0, calibrated) for calibrated in STEPS[1:]),
    (0.25, 0.25),
]
"""Pairs of diversity and calibrated; the first is the list without them."""

METRICS = ("NDCG@100", "similarity", "artists", "genres", "divergence of genres")


@dataclass(frozen=True)
class Catalogue:
    """What lists are measured by."""

    vectors: Mapping[str, NDArray[np.float32]]
    """Of unit length, by track id."""
    artist: Mapping[str, str | None]
    genre: Mapping[str, str | None]


def catalogue(connection: duckdb.DuckDBPyConnection, lake: Path) -> Catalogue:
    """Read the embedding that was made last, artists and genres."""
    newest = max(lake.glob("content/*/embedding/*.parquet"), key=lambda path: path.stat().st_mtime)
    table = pq.read_table(newest.parent)
    raw = np.stack(table["vector"].to_numpy(zero_copy_only=False)).astype(np.float32)
    lengths = np.linalg.norm(raw, axis=1, keepdims=True)
    unit = np.divide(raw, lengths, out=np.zeros_like(raw), where=lengths > 0)
    key = dict(connection.execute("SELECT t.track_key, t.id FROM store.tracks t").fetchall())
    ids = [key[k] for k in table["track_key"].to_pylist()]
    rows = connection.execute("SELECT t.track_id, t.artist, t.genre FROM tracks t").fetchall()
    return Catalogue(
        dict(zip(ids, unit, strict=True)),
        {track: artist for track, artist, _ in rows},
        {track: genre for track, _, genre in rows},
    )


def measured(found: Sequence[str], case: Case, known: Catalogue) -> list[float]:
    """Return the metrics of a list, in the order of `METRICS`."""
    gain = 1 / np.log2(np.arange(2, K + 2))
    hits = np.array([track in case.hidden for track in found])
    ndcg = gain[: len(hits)][hits].sum() / gain[: min(K, len(case.hidden))].sum()
    vectors = np.stack([known.vectors[track] for track in found])
    n = len(found)
    # the sum of all pairs is the squared length of the sum, less each track with itself
    alike = (float(np.square(vectors.sum(axis=0)).sum()) - float(np.square(vectors).sum())) / (
        n * (n - 1)
    )
    genres = Counter(known.genre[track] for track in found)
    history = Counter(known.genre[track] for track in case.given if track in known.genre)
    return [
        float(ndcg),
        alike,
        len({known.artist[track] for track in found}),
        len(genres.keys() - {None}),
        divergence(history, genres),
    ]


def divergence(history: Counter[str | None], listed: Counter[str | None]) -> float:
    """Return the Kullback–Leibler divergence of a list's genres from a history's (Steck 2018)."""
    total = sum(count for genre, count in history.items() if genre is not None)
    rows, sum_ = sum(listed.values()), 0.0
    for genre, count in history.items():
        if genre is not None:
            p = count / total
            sum_ += p * log(p / (GENRE_TRUST * listed[genre] / rows + (1 - GENRE_TRUST) * p))
    return sum_


def compare(connection: duckdb.DuckDBPyConnection, known: Catalogue, cases: list[Case]) -> None:
    """Print a row of the table for each setting."""
    ids = [case.user_id for case in cases]
    counts = resample_counts(len(cases), 2_000, 0)
    print(f"| diversity | calibrated | {' | '.join(METRICS)} | NDCG, difference | s per list |")
    print("|---|---|" + "---|" * (len(METRICS) + 2))
    base = None
    for diversity, calibrated in SETTINGS:
        lists: dict[str, list[str]] = {user_id: [] for user_id in ids}
        start = time.process_time()
        rows = connection.execute(
            "SELECT r.user_id, r.track_id FROM recommend_users($ids, k := $k, "
            "diversity := $diversity, calibrated := $calibrated) r",
            {"ids": ids, "k": K, "diversity": diversity, "calibrated": calibrated},
        ).fetchall()
        seconds = (time.process_time() - start) / len(ids)
        for user_id, track in rows:
            lists[user_id].append(track)
        values = np.array([measured(lists[case.user_id], case, known) for case in cases])
        base = values if base is None else base
        low, high = interval(resampled_means(counts, values[:, :1] - base[:, :1]), 0.95)
        ndcg, alike, artists, genres, far = values.mean(axis=0)
        print(
            f"| {diversity:g} | {calibrated:g} | {ndcg:.4f} | {alike:.3f} | {artists:.1f} | "
            f"{genres:.1f} | {far:.3f} | {low[0]:+.4f} … {high[0]:+.4f} | {seconds:.3f} |",
            flush=True,
        )


def main() -> None:
    """Print the table of each data set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("datasets", nargs="+", metavar="NAME=FOLDER")
    parser.add_argument("--cases", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="crossfade-") as folder:
        scratch = Path(folder)
        with running_prefect_server(scratch / "prefect") as server:
            for named in given.datasets:
                name, _, source = named.partition("=")
                out = scratch / name
                out.mkdir()
                cases = split(SOURCES[name], Path(source).resolve(), out, given.seed)
                published(out, server).close()
                print(f"\n## {name}\n")
                measure(Home(out / "home"), out / "lists.duckdb", cases[: given.cases])


def measure(home: Home, copy: Path, cases: list[Case]) -> None:
    """Measure the current release, in a copy that may get genres."""
    shutil.copy(home.current.resolve(), copy)
    with duckdb.connect(str(copy)) as connection:
        if not connection.execute("SELECT count(t.genre) FROM store.tracks t").fetchall()[0][0]:
            connection.execute("UPDATE store.tracks SET genre = tags[1]")
        compare(connection, catalogue(connection, home.lake), cases)


if __name__ == "__main__":
    main()
