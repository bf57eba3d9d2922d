"""Days of an unchanged product through the whole pipeline: what the gate says of each.

`python -m tests.benchmarks.gate_days --days 10`

The product lives on the sample's catalogue (tasks/sample/living.py): its listeners play for three
months, then every day brings new plays, listeners and tracks, and a run. The table shows what the
release measures of itself and the change in NDCG@100 that the gate finds against the current
release and the anchor, with its limits.
"""

import argparse
import csv
import re
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np

from tasks.sample.catalogue import build_catalogue
from tasks.sample.living import Product, ProductParameters, build_product, live
from tasks.sample.music_info import make_track_ids, write_music_info
from tests.conftest import CommandLine, running_prefect_server
from warehouse.releases.home import Home
from warehouse.releases.reader import Reader
from warehouse.releases.release import Release, list_releases

TRACKS, LISTENERS, HISTORY = 2_000, 2_000, 90
FOUND = re.compile(r"the (current release|anchor) \S+ .*?NDCG@100 \S+ → \S+ \((.*?)\)")


def write_day(
    folder: Path, product: Product, ids: list[str], counts: Counter[str], day: int
) -> None:
    """Add a day's plays to ``counts`` (track,listener) and write both files as they are then."""
    today = live(product, day)
    for listener, track in zip(today.played_by.tolist(), today.played.tolist(), strict=True):
        counts[f"{ids[track]},listener {listener:05}"] += 1
    if day < 0:
        return
    lines = [f"{pair},{plays}" for pair, plays in sorted(counts.items())]
    (folder / "plays.csv").write_text("\n".join(["track_id,user_id,playcount", *lines]) + "\n")
    there = {ids[track] for track in np.flatnonzero(product.released <= day).tolist()}
    with (folder / "whole.csv").open(newline="") as source:
        rows = list(csv.reader(source))
    with (folder / "tracks.csv").open("w", newline="") as target:
        csv.writer(target).writerows([rows[0], *(row for row in rows[1:] if row[0] in there)])


def row_of(day: int, release: Release) -> str:
    """Return a day's row of the table."""
    with Reader(release.database) as reader:
        own = reader.rows(
            "SELECT value, users FROM evaluation WHERE model = 'hybrid' AND segment = 'all' "
            "AND metric = 'ndcg' AND k = 100"
        )[0]
        counts = reader.rows(
            "SELECT (SELECT count(*) FROM tracks) AS tracks, (SELECT count(*) FROM users) AS users"
        )[0]
    manifest = release.manifest
    found = dict(FOUND.findall(manifest.gate))
    anchor = manifest.anchor.release_id if manifest.anchor else ""
    is_anchor = "itself" if anchor == manifest.release_id else ""
    return (
        f"| {day} | {manifest.status} | {counts['users']:,} | {counts['tracks']:,} | "
        f"{own['value']:.4f} ({own['users']}) | {found.get('current release', '')} | "
        f"{found.get('anchor', '')} | {is_anchor} |"
    )


def measure(folder: Path, days: int, drift: float, seed: int) -> None:
    """Run every day, and print its row."""
    catalogue, ids = build_catalogue(TRACKS, seed), make_track_ids(TRACKS, seed)
    write_music_info(folder / "whole.csv", catalogue, ids, seed)
    appeal = np.exp(np.argsort(np.argsort(catalogue.appeal)) / TRACKS)
    parameters = ProductParameters(days=max(days, 1), drift=drift, seed=seed)
    product = build_product(catalogue.style.astype(np.int64), appeal, LISTENERS, parameters)
    counts: Counter[str] = Counter()
    for day in range(-HISTORY, 0):
        write_day(folder, product, ids, counts, day)
    home = Home(folder / "home")
    print("| day | | listeners | tracks | NDCG@100 of its own evaluation (listeners) | "
          "against the current release | against the anchor | anchor |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|", flush=True)
    with running_prefect_server(folder / "prefect") as environment:
        crossfade = CommandLine(folder, {**environment, "CROSSFADE_WORKERS": "1"})
        files = ("--tracks", "tracks.csv", "--plays", "plays.csv", "--home", home.path)
        for day in range(days + 1):
            write_day(folder, product, ids, counts, day)
            done = crossfade("run", *files)
            if done.returncode not in (0, 1):
                raise RuntimeError(done.stderr)
            print(row_of(day, list_releases(home)[-1]), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=10)
    parser.add_argument("--drift", type=float, default=0.0, help="changes of taste per day")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gate-days-") as scratch:
        measure(Path(scratch), arguments.days, arguments.drift, arguments.seed)
