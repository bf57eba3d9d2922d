"""The blend against the best single signal.

`python -m tests.benchmarks.blend_quality hetrec=FOLDER ml-1m=FOLDER --splits 5`

NAME is `hetrec` (Kaggle columns) or `ml-1m` (movies.csv, views.csv), FOLDER holds the files. For
histories of 1, 2, 5 and all folded-in tracks the table shows NDCG@100 of the cross-fitted blend
over that of the best single signal (popularity, collaborative, content), over several sets of
held-out listeners, with an interval of the ratio from the same resamples of listeners for both.
"""

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from distributed import Client, LocalCluster
from numpy.typing import NDArray

from tasks.content.parameters import ContentParameters
from tasks.dataset import DatasetSpec, PlaysSpec, TagsSpec, TracksSpec
from tasks.evaluation.bootstrap import interval, resample_counts, resampled_means
from tasks.evaluation.measure import COLLABORATIVE, CONTENT, HYBRID, MODELS, POPULARITY
from tasks.evaluation.parameters import EvaluationParameters
from tasks.hybrid.parameters import HybridParameters, Segment
from tasks.lake import StageResult
from tasks.neighbours.parameters import CollaborativeParameters
from tasks.stages import evaluation
from tasks.stages.collaborative import collaborative_stage
from tasks.stages.content import content_stage
from tasks.stages.ingest import ingest_stage

LENGTHS = ("1", "2", "5", "all")
SINGLE = (POPULARITY, COLLABORATIVE, CONTENT)
SEGMENTS = (
    Segment(segment="0", min_tracks=0, max_tracks=0, weight=1.0),
    Segment(segment="1", min_tracks=1, max_tracks=1, weight=0.5, popularity=0.3),
    Segment(segment="2", min_tracks=2, max_tracks=2, weight=0.6, popularity=0.1),
    Segment(segment="3-4", min_tracks=3, max_tracks=4, weight=0.6, popularity=0.1),
    Segment(segment="5", min_tracks=5, max_tracks=5, weight=0.7, popularity=0.1),
    Segment(segment="all", min_tracks=6, weight=0.8),
)
COLLABORATIVE_PARAMETERS = {
    "hetrec": CollaborativeParameters(),
    "ml-1m": CollaborativeParameters(neighbours=200, non_negative=False, target_exponent=0.0),
}
"""ml-1m is dense: signed weights and more neighbours, as measured on other listeners before."""


@dataclass(frozen=True)
class Measured:
    """Values of every model for the listeners of all splits together, by history length."""

    values: dict[tuple[str, str], NDArray[np.float64]]

    def best(self, length: str) -> str:
        """Return the single signal with the highest mean."""
        return max(SINGLE, key=lambda model: float(self.values[model, length].mean()))


def dataset(name: str, folder: Path) -> DatasetSpec:
    """Describe the two data sets."""
    if name == "hetrec":
        return DatasetSpec.kaggle(folder / "Music Info.csv", folder / "User Listening History.csv")
    return DatasetSpec(
        name=name,
        tracks=TracksSpec(
            path=(str(folder / "movies.csv"),),
            id="movie_id",
            title="title",
            tags=TagsSpec(column="genres", separator="|"),
            numeric=("year",),
        ),
        plays=PlaysSpec(path=(str(folder / "views.csv"),), user="viewer_id", track="movie_id"),
    )


def one_split(
    lake: Path, client: Client, spec: DatasetSpec, ingested: StageResult, name: str, seed: int
) -> dict[tuple[str, str], NDArray[np.float64]]:
    """Hold listeners out by ``seed``, train without them and measure every model on them."""
    parameters = EvaluationParameters(holdout=0.1, seed=seed)
    held_out = evaluation.holdout_stage(lake, ingested["users"], parameters)
    if held_out is None:
        raise SystemExit(f"{name} has no listeners to hold out")
    plays = ingested["interactions"]
    played = int(ingested.counts["tracks"]) - int(ingested.counts["unplayed_tracks"])
    by_plays = collaborative_stage(
        lake, client, plays, played, held_out, COLLABORATIVE_PARAMETERS[name]
    )
    by_content = content_stage(
        lake,
        client,
        ingested["tracks"],
        plays,
        held_out,
        spec.tracks.numeric,
        spec.tracks.categorical,
        ContentParameters(),
    )
    result = evaluation.evaluation_stage(
        lake,
        client,
        ingested,
        held_out,
        by_plays,
        by_content,
        HybridParameters(segments=SEGMENTS),
        parameters,
    )
    return dict(_per_listener(result))


def _per_listener(
    result: StageResult,
) -> Iterator[tuple[tuple[str, str], NDArray[np.float64]]]:
    """Yield NDCG@100 of each model and length for the listeners that have them."""
    table = pq.read_table(result["values"].path)
    model, segment = table["model"].to_numpy(), table["segment"].to_numpy()
    listener, ndcg = table["listener"].to_numpy(), table["ndcg@100"].to_numpy()
    keys = {"1": 1, "2": 2, "5": 4, "all": -1}
    for name in (*SINGLE, HYBRID):
        for length, key in keys.items():
            rows = (model == MODELS.index(name)) & (segment == key)
            order = np.argsort(listener[rows], kind="stable")
            yield (name, length), ndcg[rows][order]


def measure(name: str, folder: Path, splits: int) -> Measured:
    """Measure all splits of a data set, in a scratch lake."""
    spec = dataset(name, folder)
    parts = []
    with (
        tempfile.TemporaryDirectory(prefix="blend-quality-") as scratch,
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        lake = Path(scratch)
        ingested = ingest_stage(lake, spec)
        for seed in range(splits):
            parts.append(one_split(lake, client, spec, ingested, name, seed))
    return Measured({key: np.concatenate([part[key] for part in parts]) for key in parts[0]})


def print_table(name: str, measured: Measured, splits: int) -> None:
    """Print one row per history length."""
    print(f"\n{name}: NDCG@100, cross-fitted, {splits} sets of held-out listeners\n")
    print("| tracks folded in | listeners | blend | best single signal | ratio | 95 % interval |")
    print("|---|---|---|---|---|---|")
    for length in LENGTHS:
        best = measured.best(length)
        pair = np.column_stack([measured.values[HYBRID, length], measured.values[best, length]])
        means = resampled_means(resample_counts(len(pair), 1_000, 0), pair)
        low, high = interval(means[:, :1] / means[:, 1:], 0.95)
        blend, single = pair.mean(axis=0)
        print(
            f"| {length} | {len(pair):,} | {blend:.4f} | {single:.4f} ({best}) | "
            f"{blend / single:.3f} | {low[0]:.3f} … {high[0]:.3f} |"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("datasets", nargs="+", metavar="NAME=FOLDER")
    parser.add_argument("--splits", type=int, default=5)
    arguments = parser.parse_args()
    for named in arguments.datasets:
        name, _, folder = named.partition("=")
        print_table(name, measure(name, Path(folder), arguments.splits), arguments.splits)
