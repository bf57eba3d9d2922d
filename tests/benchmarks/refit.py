"""Held-out listeners back in the model, γ without the leak, and the blend in every segment.

`python -m tests.benchmarks.refit hetrec=FOLDER ml-1m=FOLDER sample=FOLDER --listeners 400 800 2000`

NAME is `ml-1m` (movies.csv, views.csv) or anything else with the Kaggle files; FOLDER holds the
files. Three tables, in Markdown.

1. Refit against held-out-only. From each data set, as many listeners as asked for are drawn, and
   `TEST` others that nobody learns from. A run holds 200 (or 1 %) of the drawn listeners out,
   measures and chooses the blend on them. Both models answer for the same test listeners with that
   blend: the measured one, which was published before, and the one learned once more from all drawn
   listeners. Differences are paired by test listener and shown as shares of the measured model's
   value, with a bootstrap interval over all test listeners of all draws.
2. γ, chosen with neighbours that have learned from the hidden tracks' plays (before) and with ones
   that have not (after), on the whole data set.
3. The hybrid's gain over the best single signal (popularity, cosine, collaborative, content) in
   every segment, cross-fitted, with its interval, on the whole data set.
"""

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from distributed import Client, LocalCluster
from numpy.typing import NDArray
from scipy import sparse

from tasks.blend.neighbours import Neighbours
from tasks.blend.parameters import HybridParameters, segment_of
from tasks.blend.ranking import rank_histories
from tasks.collaborative.parameters import CollaborativeParameters
from tasks.collaborative.stage import collaborative_stage
from tasks.content.parameters import ContentParameters
from tasks.content.stage import content_stage
from tasks.dataset.spec import DatasetSpec
from tasks.evaluation.bootstrap import interval, resample_counts, resampled_means
from tasks.evaluation.checks import blend_checks
from tasks.evaluation.hiding import HiddenWorld, hiding_stage
from tasks.evaluation.metrics import ndcg_at_k, recall_at_k
from tasks.evaluation.parameters import EvaluationParameters
from tasks.evaluation.sources import read_context, write_sources
from tasks.evaluation.stage import evaluation_stage, learned_parameters
from tasks.holdout.stage import holdout_stage
from tasks.ingest.stage import ingest_stage
from tasks.lake.contracts.stages.ingest import INTERACTIONS, USERS
from tasks.lake.dataset import Dataset
from tasks.lake.files import write_parquet
from tasks.lake.plays import played_tracks
from tasks.lake.record import StageResult
from tests.benchmarks.blend_quality import dataset, held_out_as

TEST = 400
"""Listeners of a draw that no model learns from: both answer for them."""

PARAMETERS = EvaluationParameters()


@dataclass(frozen=True)
class Place:
    """Where and with what models are learned."""

    lake: Path
    client: Client
    spec: DatasetSpec

    def learn(self, world: StageResult, held_out: Dataset) -> Neighbours:
        """Learn both tables with the default parameters."""
        tracks, plays = world["tracks"], world["interactions"]
        features = (self.spec.tracks.numeric, self.spec.tracks.categorical)
        return Neighbours(
            collaborative_stage(
                self.lake, self.client, plays, played_tracks(world), held_out,
                CollaborativeParameters(),
            ),
            content_stage(
                self.lake, self.client, tracks, plays, held_out, *features, ContentParameters()
            ),
        )  # fmt: skip

    def measure(
        self, world: StageResult, held_out: Dataset, model: Neighbours, hide: bool
    ) -> StageResult:
        """Choose the blend and measure it, with or without a model of its own for γ."""
        hiding = hiding_stage(self.lake, world, PARAMETERS) if hide else None
        hidden = None if hiding is None else HiddenWorld(hiding, *self.learn(hiding, held_out))
        return evaluation_stage(
            self.lake, self.client, world, held_out, *model, HybridParameters(), PARAMETERS,
            hidden=hidden,
        )  # fmt: skip


def drawn_world(folder: Path, ingested: StageResult, listeners: NDArray[np.int32]) -> StageResult:
    """Write the data as ingest would have with these listeners (ascending keys) alone.

    The catalogue keeps the tracks that they play and those that nobody in the data set does.
    """
    folder.mkdir(parents=True)
    tracks, plays = ingested["tracks"].read(), ingested["interactions"].read()
    new_user = np.full(ingested["users"].rows, -1, np.int32)
    new_user[listeners] = np.arange(len(listeners), dtype=np.int32)
    plays = plays.filter(pa.array(new_user[plays["user_key"].to_numpy()] >= 0))
    old_keys = np.flatnonzero(tracks["played_key"].is_valid().to_numpy())
    heard = np.bincount(plays["played_key"].to_numpy(), minlength=len(old_keys))
    listened = np.zeros(len(tracks), np.int64)
    listened[old_keys] = heard
    kept = (listened > 0) | ~tracks["played_key"].is_valid().to_numpy()
    new_played = (np.cumsum(heard > 0) - 1).astype(np.int32)
    columns = {
        "track_key": np.arange(kept.sum()),
        "listeners": listened[kept],
        "plays": listened[kept],
        "played_key": pa.array(
            (np.cumsum(listened[kept] > 0) - 1).astype(np.int32), mask=listened[kept] == 0
        ),
    }
    tracks = tracks.filter(pa.array(kept))
    for name, column in columns.items():
        place = tracks.schema.get_field_index(name)
        field = tracks.schema.field(place)
        tracks = tracks.set_column(place, field, pa.array(column).cast(field.type))
    users = ingested["users"].read().take(pa.array(listeners))
    keys = pa.array(np.arange(len(users), dtype=np.int32))
    tables = {
        "tracks": tracks,
        "users": users.set_column(0, USERS.schema.field("user_key"), keys),
        "interactions": pa.table(
            [
                new_user[plays["user_key"].to_numpy()],
                new_played[plays["played_key"].to_numpy()],
                plays["plays"],
            ],
            schema=INTERACTIONS.schema,
        ),
    }
    for name, table in tables.items():
        write_parquet(table, folder / f"{name}.parquet")
    datasets = {name: Dataset.of(folder / f"{name}.parquet") for name in tables}
    counts: dict[str, int | float | str] = {
        "tracks": len(tracks),
        "unplayed_tracks": int((listened[kept] == 0).sum()),
    }
    return StageResult(stage="ingest", key="-", datasets=datasets, counts=counts, seconds=0)


def one_draw(
    place: Place, ingested: StageResult, size: int, draw: int
) -> tuple[int, NDArray[np.float64]]:
    """Return how many were held out, and per test listener what both models are worth.

    The values are listeners × (measured, refitted) × (recall@20, NDCG@100).
    """
    rng = np.random.default_rng([size, draw])
    sizes = ingested["users"].read(["tracks_played"])["tracks_played"].to_numpy()
    order = rng.permutation(len(sizes)).astype(np.int32)
    test = order[np.flatnonzero(sizes[order] >= 2)[:TEST]]
    pool = order[~np.isin(order, test)][:size]
    everybody = np.sort(np.concatenate([test, pool]))
    world = drawn_world(place.lake / f"world-{size}-{draw}", ingested, everybody)
    test_keys = np.searchsorted(everybody, np.sort(test)).astype(np.int32)
    ours = world["users"].read().take(pa.array(np.flatnonzero(~np.isin(everybody, test))))
    file = place.lake / f"pool-{size}-{draw}.parquet"
    write_parquet(ours, file)
    chosen = holdout_stage(place.lake, Dataset.of(file), PARAMETERS)
    if chosen is None:
        raise RuntimeError("nobody can be held out")
    held = chosen.read()["user_key"].to_numpy()
    held_out = held_out_as(place.lake, held, 1_000 * size + 10 * draw)
    nobody_sees = held_out_as(place.lake, test_keys, 1_000 * size + 10 * draw + 1)
    both = held_out_as(
        place.lake, np.sort(np.concatenate([held, test_keys])), 1_000 * size + 10 * draw + 2
    )
    measured = place.learn(world, both)
    refitted = place.learn(world, nobody_sees)
    blend = learned_parameters(
        place.measure(world, held_out, measured, hide=False), HybridParameters()
    )
    values = [_answers(place, world, nobody_sees, m, blend) for m in (measured, refitted)]
    return len(held), np.stack(values, axis=1)


def _answers(
    place: Place,
    world: StageResult,
    test: Dataset,
    model: Neighbours,
    blend: HybridParameters,
) -> NDArray[np.float64]:
    """Return recall@20 and NDCG@100 of the lists of the test listeners."""
    with tempfile.TemporaryDirectory(dir=place.lake) as folder:
        sources = write_sources(Path(folder), world, test, *model, PARAMETERS)
        context = read_context(sources, blend)
    everyone = np.arange(len(context.split))
    indptr, history = context.split.histories(everyone, context.split.fold_in)
    of = segment_of(np.diff(indptr), blend.segments)
    weights = np.array([segment.weight for segment in blend.segments])[of]
    priors = np.array([segment.popularity for segment in blend.segments])[of]
    lists = rank_histories(context.model, indptr, history, weights, priors, 100).tracks
    at, targets = context.split.to_find(everyone)
    shape = (len(of), len(context.model.catalogue))
    wanted = sparse.csr_array((np.ones(len(targets)), targets, at), shape=shape)
    return np.column_stack([recall_at_k(lists, wanted, 20), ndcg_at_k(lists, wanted, 100)])


def print_refits(
    place: Place, name: str, ingested: StageResult, sizes: list[int], draws: int
) -> None:
    """Print a row per number of listeners that the data set has, test listeners besides."""
    for size in sizes:
        if size + TEST > ingested["users"].rows:
            continue
        found = [one_draw(place, ingested, size, draw) for draw in range(draws)]
        values = np.concatenate([part for _, part in found])
        counts = resample_counts(len(values), 1_000, 0)
        cells = []
        for metric in range(2):
            pair = values[:, :, metric]
            means = resampled_means(counts, pair)
            low, high = interval((means[:, 1:] / means[:, :1] - 1), 0.95)
            before, after = pair.mean(axis=0)
            cells.append(
                f"{before:.4f} → {after:.4f} | {after / before - 1:+.1%} "
                f"({low[0]:+.1%} … {high[0]:+.1%})"
            )
        print(f"| {name} | {size:,} | {found[0][0]} | {' | '.join(cells)} |", flush=True)


def whole(place: Place, ingested: StageResult) -> tuple[float, StageResult]:
    """Return γ as it was chosen before, and the evaluation as it is now, of a whole data set."""
    held_out = holdout_stage(place.lake, ingested["users"], PARAMETERS)
    if held_out is None:
        raise RuntimeError("nobody can be held out")
    model = place.learn(ingested, held_out)
    before = place.measure(ingested, held_out, model, hide=False)
    return float(before.counts["gamma"]), place.measure(ingested, held_out, model, hide=True)


def gain_rows(name: str, evaluation: StageResult) -> Iterator[str]:
    """Yield a row of the table of gains for every segment."""
    checks = {c["check_name"]: c for c in blend_checks(evaluation["evaluation"].read()).to_pylist()}
    for check, row in checks.items():
        yield f"| {name} | {check.partition(':')[2]} | {row['status']} | {row['details']} |"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("datasets", nargs="+", metavar="NAME=FOLDER")
    parser.add_argument("--listeners", type=int, nargs="*", default=[400, 800, 2_000, 20_000])
    parser.add_argument("--draws", type=int, default=5)
    options = parser.parse_args()
    gammas: list[str] = []
    gains: list[str] = []
    print("| data | listeners | held out | recall@20 | change | NDCG@100 | change |")
    print("|---|---|---|---|---|---|---|")
    with (
        tempfile.TemporaryDirectory(prefix="refit-") as scratch,
        LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        for named in options.datasets:
            name, _, folder = named.partition("=")
            place = Place(Path(scratch) / name, client, dataset(name, Path(folder)))
            ingested = ingest_stage(place.lake, place.spec)
            print_refits(place, name, ingested, options.listeners, options.draws)
            before, now = whole(place, ingested)
            gammas.append(f"| {name} | {before:.2f} | {now.counts['gamma']:.2f} |")
            gains += gain_rows(name, now)
    print("\n| data | γ before | γ after |\n|---|---|---|", *gammas, sep="\n")
    print("\n| data | segment | check | gain |\n|---|---|---|---|", *gains, sep="\n")


if __name__ == "__main__":
    main()
