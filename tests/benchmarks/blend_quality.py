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
from scipy import sparse

from tasks.content.parameters import ContentParameters
from tasks.dataset import DatasetSpec, PlaysSpec, TagsSpec, TracksSpec
from tasks.evaluation.bootstrap import interval, resample_counts, resampled_means
from tasks.evaluation.measure import COLLABORATIVE, CONTENT, HYBRID, MODELS, POPULARITY
from tasks.evaluation.parameters import EvaluationParameters
from tasks.hybrid.parameters import HybridParameters, Segment
from tasks.lake import Dataset, StageResult
from tasks.neighbours.parameters import CollaborativeParameters
from tasks.neighbours.tune import GRID, TuneParameters, measured_here, tune, tuning_fold
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
DIALS = ("non_negative", "neighbours", "target_exponent", "two_step")
"""Of the neighbours, chosen for each data set on listeners that no split holds out."""


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


def held_out_by(lake: Path, ingested: StageResult, splits: int) -> list[Dataset]:
    """Hold a tenth of the listeners out for every split, by its number as the seed."""
    chosen = [
        evaluation.holdout_stage(lake, ingested["users"], EvaluationParameters(holdout=0.1, seed=s))
        for s in range(splits)
    ]
    return [one for one in chosen if one is not None]


def tuned(ingested: StageResult, held_out: list[Dataset]) -> CollaborativeParameters:
    """Choose the neighbours' `DIALS` on listeners that are in no split."""
    plays = ingested["interactions"].read(["user_key", "played_key"])
    users, tracks = plays["user_key"].to_numpy(), plays["played_key"].to_numpy()
    matrix = sparse.csr_array((np.ones(len(users)), (users, tracks)))
    reported = np.concatenate([one.read()["user_key"].to_numpy() for one in held_out])
    among = np.setdiff1d(np.arange(matrix.shape[0]), reported)
    parameters = TuneParameters(share=0.9, most_listeners=600, rounds=1, cross_fit=False)
    fold = tuning_fold(matrix, parameters, among)
    grid = {dial: GRID[dial] for dial in DIALS} | {"neighbours": (50, 100, 200)}
    return tune(measured_here(fold), grid=grid, parameters=parameters).chosen


def one_split(
    lake: Path,
    client: Client,
    spec: DatasetSpec,
    ingested: StageResult,
    held_out: Dataset,
    neighbours: CollaborativeParameters,
    seed: int,
) -> dict[tuple[str, str], NDArray[np.float64]]:
    """Train without the held-out listeners and measure every model on them."""
    plays = ingested["interactions"]
    played = int(ingested.counts["tracks"]) - int(ingested.counts["unplayed_tracks"])
    by_plays = collaborative_stage(lake, client, plays, played, held_out, neighbours)
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
        EvaluationParameters(holdout=0.1, seed=seed),
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
        held_out = held_out_by(lake, ingested, splits)
        neighbours = tuned(ingested, held_out)
        dials = ", ".join(f"{dial} = {getattr(neighbours, dial)}" for dial in DIALS)
        print(f"\n{name}: neighbours chosen on listeners of no split: {dials}", flush=True)
        for seed, listeners in enumerate(held_out):
            parts.append(one_split(lake, client, spec, ingested, listeners, neighbours, seed))
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
