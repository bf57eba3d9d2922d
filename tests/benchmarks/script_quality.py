"""Quality of the lists that are published, beside the plain script's, where listeners are real.

`python -m tests.benchmarks.script_quality hetrec=FOLDER ml-1m=FOLDER [--splits N]`

FOLDER holds the files of `hetrec` (Kaggle columns) or `ml-1m` (movies.csv, views.csv). From every
listener of five tracks or more a fifth of the tracks is hidden. Both sides get the same two CSVs
of what is left: `crossfade run` as it comes and tests/benchmarks/plain_script.py. What counts is
whether the hidden tracks stand in the 20 that each side lists. Ratios are paired bootstraps over
listeners.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import sparse

from tasks.dataset.spec import KAGGLE_CATEGORICAL, KAGGLE_NUMERIC
from tasks.evaluation.bootstrap import interval, resample_counts, resampled_means
from tasks.evaluation.metrics import ndcg_at_k, recall_at_k
from tests.conftest import BIN, running_prefect_server
from warehouse.releases.home import Home

K = 20
LEAST, HIDDEN = 5, 0.2
METRICS = {"recall@20": recall_at_k, "NDCG@20": ndcg_at_k}

SOURCES = {
    "hetrec": (
        "FROM read_csv('{folder}/Music Info.csv', all_varchar = true)",
        "SELECT user_id, track_id, playcount "
        "FROM read_csv('{folder}/User Listening History.csv', all_varchar = true)",
    ),
    # in the columns of the Kaggle pair, which is what the script reads
    "ml-1m": (
        "SELECT movie_id AS track_id, title AS name, NULL AS artist, "
        "NULL AS spotify_preview_url, NULL AS spotify_id, replace(genres, '|', ', ') AS tags, "
        "NULL AS genre, year, {no_audio} FROM read_csv('{folder}/movies.csv', all_varchar = true)",
        "SELECT viewer_id AS user_id, movie_id AS track_id, 1 AS playcount "
        "FROM read_csv('{folder}/views.csv', all_varchar = true)",
    ),
}
NO_AUDIO = ", ".join(
    f"NULL AS {name}"
    for name in (*KAGGLE_NUMERIC, *KAGGLE_CATEGORICAL)
    if name not in ("genre", "year")
)

SPLIT = f"""
CREATE TABLE plays AS
SELECT
    p.*,
    count(*) OVER (PARTITION BY p.user_id) AS tracks,
    row_number() OVER (
        PARTITION BY p.user_id ORDER BY hash(p.track_id || ' ' || p.user_id || $seed)
    ) AS place,
    tracks >= {LEAST} AND place <= floor({HIDDEN} * tracks) AS hidden
FROM all_plays p
"""

KEYS = """
CREATE TABLE listeners AS
SELECT user_id, row_number() OVER (ORDER BY user_id) - 1 AS u
FROM (SELECT DISTINCT user_id FROM hidden);
CREATE TABLE items AS
SELECT track_id, row_number() OVER (ORDER BY track_id) - 1 AS t
FROM (SELECT track_id FROM hidden UNION SELECT track_id FROM lists);
"""

LISTS = {
    "Crossfade": "SELECT user_id, rank, track_id FROM user_recommendations",
    "plain script": """
        SELECT u.user_id::VARCHAR AS user_id, r.rank, t.track_id
        FROM user_recommendations r
        JOIN users u ON u."user" = r."user"
        JOIN (
            SELECT track_id::VARCHAR AS track_id, row_number() OVER () - 1 AS track FROM tracks
        ) t ON t.track = r.track
    """,
}


def split(name: str, folder: Path, seed: int, out: Path) -> pa.Table:
    """Write the two CSVs of what is left; return what is hidden: user_id, track_id."""
    tracks, plays = (text.format(folder=folder, no_audio=NO_AUDIO) for text in SOURCES[name])
    with duckdb.connect() as con:
        con.execute(f"CREATE TABLE all_plays AS {plays}")
        con.execute(SPLIT, {"seed": str(seed)})
        con.execute(f"COPY ({tracks}) TO '{out / 'tracks.csv'}'")
        con.execute(
            f"COPY (SELECT track_id, user_id, playcount FROM plays WHERE NOT hidden) "
            f"TO '{out / 'plays.csv'}'"
        )
        return con.sql("SELECT user_id, track_id FROM plays WHERE hidden").to_arrow_table()


def published(folder: Path, environment: Mapping[str, str]) -> dict[str, Path]:
    """Run both sides on the CSVs in ``folder``; return the files they made."""
    inputs = [folder / "tracks.csv", folder / "plays.csv"]
    home, file = folder / "home", folder / "script.duckdb"
    ours = [BIN / "crossfade", "run", "--home", home, "--tracks", inputs[0], "--plays", inputs[1]]
    subprocess.run(
        [str(word) for word in ours],
        check=True,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
    )
    script = [sys.executable, "-W", "ignore", "-m", "tests.benchmarks.plain_script", *inputs, file]
    subprocess.run([str(word) for word in script], check=True, stderr=subprocess.DEVNULL)
    return {"Crossfade": Home(home).current.resolve(), "plain script": file}


def values(side: str, file: Path, hidden: pa.Table) -> NDArray[np.float64]:
    """Return metrics × listeners with something hidden, in order of their ids."""
    with duckdb.connect(str(file), read_only=True) as release:
        lists = release.sql(LISTS[side]).to_arrow_table()
    with duckdb.connect() as con:
        con.register("hidden", hidden)
        con.register("lists", lists)
        con.execute(KEYS)
        target = con.sql(
            "SELECT u, t FROM hidden JOIN listeners USING (user_id) JOIN items USING (track_id)"
        ).fetchnumpy()
        listed = con.sql(
            "SELECT u, rank, t FROM lists JOIN listeners USING (user_id) "
            "JOIN items USING (track_id)"
        ).fetchnumpy()
    shape = (int(target["u"].max()) + 1, int(max(target["t"].max(), listed["t"].max())) + 1)
    targets = sparse.csr_array((np.ones(len(target["u"])), (target["u"], target["t"])), shape)
    ranked = np.full((shape[0], K), -1)
    ranked[listed["u"], listed["rank"] - 1] = listed["t"]
    return np.stack([metric(ranked, targets, K) for metric in METRICS.values()])


def main() -> None:
    """Print a table for each data set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("datasets", nargs="+", metavar="NAME=FOLDER")
    parser.add_argument("--splits", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="crossfade-") as scratch:
        folder = Path(scratch)
        with running_prefect_server(folder / "prefect") as server:
            for named in given.datasets:
                name, _, source = named.partition("=")
                parts: dict[str, list[NDArray[np.float64]]] = {side: [] for side in LISTS}
                for seed in range(given.splits):
                    out = folder / f"{name}-{seed}"
                    out.mkdir()
                    hidden = split(name, Path(source), seed, out)
                    for side, file in published(out, server).items():
                        parts[side].append(values(side, file, hidden))
                _print(name, {side: np.concatenate(part, axis=1) for side, part in parts.items()})


def _print(name: str, found: Mapping[str, NDArray[np.float64]]) -> None:
    ours, script = found["Crossfade"], found["plain script"]
    counts = resample_counts(ours.shape[1], 2_000, 0)
    ratios = resampled_means(counts, ours.T) / resampled_means(counts, script.T)
    low, high = interval(ratios, 0.95)
    print(f"\n{name}: {ours.shape[1]:,} listeners × splits\n")
    print("| metric | Crossfade | plain script | ratio (95 % interval) |\n|---|---|---|---|")
    for m, metric in enumerate(METRICS):
        one, other = ours[m].mean(), script[m].mean()
        print(
            f"| {metric} | {one:.4f} | {other:.4f} | {one / other:.3f} "
            f"({low[m]:.3f} … {high[m]:.3f}) |"
        )


if __name__ == "__main__":
    main()
