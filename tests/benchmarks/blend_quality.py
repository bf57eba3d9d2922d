"""The blend against the best single signal.

`python -m tests.benchmarks.blend_quality hetrec=FOLDER ml-1m=FOLDER --splits 5`

NAME is `ml-1m` (movies.csv, views.csv) or anything else with the Kaggle files; FOLDER holds the
files. A fifth of the listeners is set apart, and the neighbours are tuned on them alone. The others
are cut into disjoint sets: each is held out once, from all models alike, and the blend reported
for one half of a set was chosen on the other half. For histories of 1, 2, 5 and all folded-in
tracks the table shows NDCG@100 of the blend over that of the best single signal (popularity,
cosine, collaborative, content), with an interval of the ratio from the same resamples of listeners
for both. Light listeners, five tracks or fewer as they are, stand beside heavy ones truncated to as
many.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from distributed import Client, LocalCluster
from numpy.typing import NDArray
from scipy import sparse

from tasks.blend.parameters import HybridParameters, Segment
from tasks.collaborative.parameters import CollaborativeParameters
from tasks.collaborative.stage import collaborative_stage
from tasks.content.parameters import ContentParameters
from tasks.content.stage import content_stage
from tasks.dataset.spec import DatasetSpec, PlaysSpec, TagsSpec, TracksSpec
from tasks.evaluation.bootstrap import interval, resample_counts, resampled_means
from tasks.evaluation.cases import AS_IS
from tasks.evaluation.models import HYBRID, MODELS
from tasks.evaluation.parameters import EvaluationParameters
from tasks.evaluation.report import SINGLE_SIGNALS
from tasks.evaluation.split import HEAVY, targets_of
from tasks.evaluation.stage import evaluation_stage
from tasks.holdout.hashing import id_hashes
from tasks.holdout.rule import MIN_TRACKS
from tasks.ingest.stage import ingest_stage
from tasks.lake.contracts.stages.holdout import HELD_OUT, STAGE
from tasks.lake.dataset import Dataset
from tasks.lake.files import write_parquet
from tasks.lake.record import Stage, StageResult
from tasks.tuning.parameters import TuneParameters
from tasks.tuning.search import GRID, measured_here, tune, tuning_fold

SEGMENTS = (
    Segment(segment="0", min_tracks=0, max_tracks=0, weight=1.0),
    Segment(segment="1", min_tracks=1, max_tracks=1, weight=0.5, popularity=0.3),
    Segment(segment="2", min_tracks=2, max_tracks=2, weight=0.6, popularity=0.1),
    Segment(segment="3-4", min_tracks=3, max_tracks=4, weight=0.6, popularity=0.1),
    Segment(segment="5", min_tracks=5, max_tracks=5, weight=0.7, popularity=0.1),
    Segment(segment="all", min_tracks=6, weight=0.8),
)
TRUNCATED = {"1": 1, "2": 2, "5": 4}
"""History lengths that heavy listeners are truncated to: the position among `SEGMENTS`."""
LIGHT = {"1": (1, 1), "2": (2, 2), "5": (5, 5), "1 to 5": (1, HEAVY - 1)}
"""Fold-ins of light listeners, as they are."""
FEWEST = 30
"""Light listeners of one length are shown apart if there are so many."""

SET_APART = 0.2
DIALS = ("non_negative", "neighbours", "target_exponent")
"""Of the neighbours, chosen for each data set on the listeners set apart. The second step is not
among them: on hetrec's 17,632 tracks it takes six times as long for half a per cent."""


Row = tuple[str, str]
"""A history length, and whether it is `truncated`, `as it is` or `everyone`."""


@dataclass(frozen=True)
class Measured:
    """NDCG@100 of every model for the listeners of all sets together, by row of the table."""

    values: dict[tuple[str, Row], NDArray[np.float64]]

    def best(self, row: Row) -> str:
        """Return the single signal with the highest mean."""
        return max(SINGLE_SIGNALS, key=lambda model: float(self.values[model, row].mean()))


def dataset(name: str, folder: Path) -> DatasetSpec:
    """Describe a data set."""
    if name != "ml-1m":
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


def disjoint_sets(
    users: pa.Table, splits: int
) -> tuple[NDArray[np.int32], list[NDArray[np.int32]]]:
    """Return the listeners set apart and the sets to hold out, by hashes of the ids."""
    eligible = users.filter(pa.array(users["tracks_played"].to_numpy() >= MIN_TRACKS))
    order = np.argsort(id_hashes(eligible["user_id"], seed=0), kind="stable")
    keys: NDArray[np.int32] = eligible["user_key"].to_numpy()[order]
    apart = round(SET_APART * len(keys))
    return keys[:apart], [np.sort(part) for part in np.array_split(keys[apart:], splits)]


def held_out_as(lake: Path, keys: NDArray[np.int32], number: int) -> Dataset:
    """Write listeners as a stage that holds them out would."""
    stage = Stage(lake, STAGE, set=number)
    file = stage.folder / "held_out.parquet"
    write_parquet(pa.table([pa.array(keys, pa.int32())], schema=HELD_OUT.schema), file)
    return stage.finish(0.0, {"held_out": len(keys)}, held_out=file)["held_out"]


def tuned(ingested: StageResult, apart: NDArray[np.int32]) -> CollaborativeParameters:
    """Choose the neighbours' `DIALS` on the listeners set apart."""
    plays = ingested["interactions"].read(["user_key", "played_key"])
    users, tracks = plays["user_key"].to_numpy(), plays["played_key"].to_numpy()
    matrix = sparse.csr_array((np.ones(len(users)), (users, tracks)))
    parameters = TuneParameters(share=0.99, most_listeners=400, rounds=1, cross_fit=False)
    fold = tuning_fold(matrix, parameters, apart)
    grid = {dial: GRID[dial] for dial in DIALS} | {"neighbours": (50, 100, 200)}
    return tune(measured_here(fold), grid=grid, parameters=parameters).chosen


def one_split(
    lake: Path,
    client: Client,
    spec: DatasetSpec,
    ingested: StageResult,
    held_out: Dataset,
    neighbours: CollaborativeParameters,
) -> dict[tuple[str, Row], NDArray[np.float64]]:
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
    result = evaluation_stage(
        lake,
        client,
        ingested,
        held_out,
        by_plays,
        by_content,
        HybridParameters(segments=SEGMENTS),
        EvaluationParameters(),
    )
    users = ingested["users"].read(["tracks_played"])["tracks_played"].to_numpy()
    sizes = users[held_out.read()["user_key"].to_numpy()]
    return dict(_per_listener(result["values"].read(), sizes - targets_of(sizes)))


def _per_listener(
    values: pa.Table, fold_in: NDArray[np.int64]
) -> Iterator[tuple[tuple[str, Row], NDArray[np.float64]]]:
    """Yield NDCG@100 of each model and row of the table for the listeners that have them."""
    model, segment = values["model"].to_numpy(), values["segment"].to_numpy()
    listener, ndcg = values["listener"].to_numpy(), values["ndcg@100"].to_numpy()
    length = fold_in[listener]
    for name in (*SINGLE_SIGNALS, HYBRID):
        ours = model == MODELS.index(name)
        rows: dict[Row, NDArray[np.bool_]] = {
            (row, "truncated"): ours & (segment == key) for row, key in TRUNCATED.items()
        }
        as_is = ours & (segment == AS_IS)
        rows["all", "everyone"] = as_is
        for row, (low, high) in LIGHT.items():
            rows[row, "as it is"] = as_is & (length >= low) & (length <= high)
        for key, wanted in rows.items():
            order = np.argsort(listener[wanted], kind="stable")
            yield (name, key), ndcg[wanted][order]


def measure(name: str, folder: Path, splits: int) -> Measured:
    """Measure all sets of a data set, in a scratch lake."""
    spec = dataset(name, folder)
    parts = []
    with (
        tempfile.TemporaryDirectory(prefix="blend-quality-") as scratch,
        LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        lake = Path(scratch)
        ingested = ingest_stage(lake, spec)
        apart, sets = disjoint_sets(
            ingested["users"].read(["user_key", "user_id", "tracks_played"]), splits
        )
        neighbours = tuned(ingested, apart)
        dials = ", ".join(f"{dial} = {getattr(neighbours, dial)}" for dial in DIALS)
        print(f"\n{name}: neighbours chosen on {len(apart):,} listeners set apart: {dials}")
        for number, keys in enumerate(sets):
            began = time.perf_counter()
            held_out = held_out_as(lake, keys, number)
            parts.append(one_split(lake, client, spec, ingested, held_out, neighbours))
            print(f"  set {number + 1}: {time.perf_counter() - began:.0f} s", flush=True)
    return Measured({key: np.concatenate([part[key] for part in parts]) for key in parts[0]})


def print_table(name: str, measured: Measured, splits: int) -> None:
    """Print one row per history length, and light listeners below."""
    print(f"\n{name}: NDCG@100, cross-fitted, {splits} disjoint sets of held-out listeners\n")
    print("| tracks folded in | | listeners | blend | best single signal | ratio | 95 % interval |")
    print("|---|---|---|---|---|---|---|")
    for row in [key for model, key in measured.values if model == HYBRID]:
        listeners = len(measured.values[HYBRID, row])
        if listeners < (FEWEST if row[1] == "as it is" and row[0] in TRUNCATED else 1):
            continue
        best = measured.best(row)
        pair = np.column_stack([measured.values[HYBRID, row], measured.values[best, row]])
        means = resampled_means(resample_counts(listeners, 1_000, 0), pair)
        low, high = interval(means[:, :1] / means[:, 1:], 0.95)
        blend, single = pair.mean(axis=0)
        print(
            f"| {row[0]} | {row[1]} | {listeners:,} | {blend:.4f} | {single:.4f} ({best}) | "
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
