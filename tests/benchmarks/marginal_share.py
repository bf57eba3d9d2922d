"""What a share of cosine in the learned weights does to the whole blend.

`python -m tests.benchmarks.marginal_share hetrec=FOLDER sample=FOLDER --splits 2`

NAME and FOLDER as for `blend_quality`, and so are the splits: disjoint sets of listeners, each held
out once, the blend of one half of a set chosen on the other half. Every set is measured with each
share of `--shares`, the first of which is the baseline, all else by default. The table shows
NDCG@100 of the blend by history length and the difference to the baseline, with a paired interval
over listeners.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from distributed import Client, LocalCluster
from numpy.typing import NDArray

from tasks.collaborative.parameters import CollaborativeParameters
from tasks.evaluation.bootstrap import interval, resample_counts, resampled_means
from tasks.evaluation.models import HYBRID
from tasks.ingest.stage import ingest_stage
from tests.benchmarks.blend_quality import (
    FEWEST,
    Row,
    dataset,
    disjoint_sets,
    held_out_as,
    one_split,
)

Values = dict[Row, NDArray[np.float64]]


def measure(name: str, folder: Path, splits: int, shares: Sequence[float]) -> dict[float, Values]:
    """Return NDCG@100 of the blend by share and history length, one value per listener."""
    spec = dataset(name, folder)
    parts: dict[float, list[Values]] = {share: [] for share in shares}
    with (
        tempfile.TemporaryDirectory(prefix="marginal-share-") as scratch,
        LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        lake = Path(scratch)
        ingested = ingest_stage(lake, spec)
        users = ingested["users"].read(["user_key", "user_id", "tracks_played"])
        for number, keys in enumerate(disjoint_sets(users, splits)[1]):
            held_out = held_out_as(lake, keys, number)
            for share in shares:
                neighbours = CollaborativeParameters(marginal_share=share)
                found = one_split(lake, client, spec, ingested, held_out, neighbours)
                values = {row: of for (model, row), of in found.items() if model == HYBRID}
                parts[share].append(values)
    return {
        share: {row: np.concatenate([part[row] for part in found]) for row in found[0]}
        for share, found in parts.items()
    }


def print_table(name: str, measured: dict[float, Values], splits: int) -> None:
    """Print a row per history length and share."""
    print(f"\n{name}: NDCG@100 of the blend, {splits} disjoint sets of held-out listeners\n")
    print("| tracks folded in | | listeners | share | NDCG@100 | difference | 95 % interval |")
    print("|---|---|---|---|---|---|---|")
    baseline, *others = measured
    for row, before in measured[baseline].items():
        if len(before) < FEWEST:
            continue
        head = f"| {row[0]} | {row[1]} | {len(before):,} |"
        print(f"{head} {baseline} | {before.mean():.4f} | | |")
        for share in others:
            pair = np.column_stack([measured[share][row], before])
            means = resampled_means(resample_counts(len(before), 1_000, 0), pair)
            low, high = interval(means[:, :1] / means[:, 1:] - 1, 0.95)
            after, was = pair.mean(axis=0)
            print(
                f"{head} {share} | {after:.4f} | {after / was - 1:+.1%} | "
                f"{low[0]:+.1%} … {high[0]:+.1%} |"
            )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("datasets", nargs="+", metavar="NAME=FOLDER")
    parser.add_argument("--splits", type=int, default=5)
    parser.add_argument("--shares", type=float, nargs="+", default=[0.0, 0.3, 0.5])
    arguments = parser.parse_args()
    for named in arguments.datasets:
        name, _, folder = named.partition("=")
        found = measure(name, Path(folder), arguments.splits, arguments.shares)
        print_table(name, found, arguments.splits)
