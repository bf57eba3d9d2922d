"""How often the gate refuses an equal model and one that has lost 5 %, whatever grew.

`python -m tests.benchmarks.gate hetrec=FOLDER ml-1m=FOLDER --pairs 200`

NAME is `ml-1m` (movies.csv, views.csv) or anything else with the Kaggle files. 45 % of the
listeners are held out of every model, so that there are strangers enough to draw from. A model is
trained on all plays, one without a tenth of them and one without a twentieth of the tracks: the
current release of *unchanged data*, of *growing plays* and of *a growing catalogue*. The challenger
is the model of all plays, and so is the anchor. From each a random share of the edges is taken
until the challenger is as good as both, or 5 % worse than both, in NDCG@100 over all strangers:
these are the true differences. Each pair then draws as many listeners as a run would hold out, with
replacement, and asks the gate. Further columns show other numbers of listeners.
"""

import argparse
import csv
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from distributed import Client, LocalCluster
from numpy.typing import NDArray

from tasks.blend.parameters import HybridParameters
from tasks.collaborative.parameters import CollaborativeParameters
from tasks.collaborative.stage import collaborative_stage
from tasks.content.parameters import ContentParameters
from tasks.content.stage import content_stage
from tasks.dataset.spec import DatasetSpec
from tasks.evaluation.parameters import EvaluationParameters
from tasks.evaluation.stage import evaluation_stage
from tasks.holdout.hashing import id_hashes, mixed
from tasks.holdout.rule import HoldoutRule, holdout_rule
from tasks.holdout.stage import holdout_stage
from tasks.ingest.stage import ingest_stage
from tasks.lake.contracts.stages.evaluation import EVALUATION, LISTENERS
from tasks.lake.plays import played_tracks
from tasks.release.gate import Rival, gate
from tasks.release.measured import measured_stage
from tasks.release.measured_model import MeasuredModel, read_measured
from tasks.release.rerank import MOST_ROUNDS, HeldOutPlays, Paired, rerank, rounds_for
from tasks.release.stage import held_out_plays
from tests.benchmarks.blend_quality import dataset

TRAINING = EvaluationParameters(holdout=0.45, max_listeners=1_000_000)
CLOSE = 0.001
"""How near a true difference comes to what is wanted."""
METRIC = "ndcg@100"
LOSSES = (0.0, 0.05)
SIZES = (100, 200, 400, 800, 1_600)
"""Held-out listeners of the second table, beside what the rule gives."""
PLAYS_KEPT, TRACKS_KEPT, THINNED = 0.9, 0.95, 0.1
"""Of the current release: share of plays, of tracks; edges taken from it where nothing grew."""


@dataclass(frozen=True)
class World:
    """The models of one data set and the strangers' plays of today."""

    today: MeasuredModel
    current: dict[str, MeasuredModel]
    plays: HeldOutPlays
    held_out: int
    """Listeners that a run with the default parameters would measure."""


def trained(
    lake: Path, client: Client, spec: DatasetSpec
) -> tuple[MeasuredModel, HeldOutPlays, pa.Table]:
    """Train and measure a model; return it with the strangers' plays and all listeners."""
    ingested = ingest_stage(lake, spec)
    held_out = holdout_stage(lake, ingested["users"], TRAINING, HoldoutRule(seed=0, share=0.45))
    assert held_out is not None
    plays, hybrid = ingested["interactions"], HybridParameters()
    by_plays = collaborative_stage(
        lake, client, plays, played_tracks(ingested), held_out, CollaborativeParameters()
    )
    by_content = content_stage(
        lake, client, ingested["tracks"], plays, held_out,
        spec.tracks.numeric, spec.tracks.categorical, ContentParameters(),
    )  # fmt: skip
    evaluation = evaluation_stage(
        lake, client, ingested, held_out, by_plays, by_content, hybrid, TRAINING
    )
    measured = measured_stage(lake, ingested, held_out, by_plays, by_content, evaluation, hybrid)
    model = read_measured(measured)
    users = ingested["users"].read(["user_id", "tracks_played"])
    return model, held_out_plays(ingested, held_out, model), users


def smaller(spec: DatasetSpec, folder: Path, plays_kept: float, tracks_kept: float) -> DatasetSpec:
    """Write the data with fewer plays or tracks, drawn by the hashes of their ids."""
    folder.mkdir()

    def copied(
        paths: Sequence[str], named: Callable[[dict[str, str]], list[str]], share: float
    ) -> tuple[str, ...]:
        written = []
        for path in paths:
            with Path(path).open(newline="") as source:
                rows = list(csv.DictReader(source))
            ids = pa.array(["\0".join(named(row)) for row in rows])
            drawn = mixed(id_hashes(ids, 0), stream=5) / 2.0**64 < share
            written.append(str(folder / Path(path).name))
            with Path(written[-1]).open("w", newline="") as target:
                writer = csv.DictWriter(target, list(rows[0]))
                writer.writeheader()
                writer.writerows(row for row, here in zip(rows, drawn, strict=True) if here)
        return tuple(written)

    tracks, plays = spec.tracks, spec.plays
    track_files = copied(tracks.path, lambda row: [row[tracks.id]], tracks_kept)
    play_files = copied(
        plays.path, lambda row: [row[plays.user], row[plays.track_column]], plays_kept
    )
    return spec.model_copy(
        update={
            "tracks": tracks.model_copy(update={"path": track_files}),
            "plays": plays.model_copy(update={"path": play_files}),
        }
    )


def build_world(name: str, source: Path, scratch: Path) -> World:
    """Train the models of a data set."""
    spec = dataset(name, source)
    with (
        LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        today, plays, users = trained(scratch / "lake", client, spec)
        fewer = smaller(spec, scratch / "fewer plays", PLAYS_KEPT, 1.0)
        narrow = smaller(spec, scratch / "fewer tracks", 1.0, TRACKS_KEPT)
        current = {
            "unchanged data": thinned(today, THINNED, 1),
            "growing plays": trained(scratch / "lake", client, fewer)[0],
            "growing catalogue": trained(scratch / "lake", client, narrow)[0],
        }
    rule = holdout_rule(users, EvaluationParameters())
    assert rule is not None
    eligible = int(np.count_nonzero(users["tracks_played"].to_numpy() >= 2))
    return World(today, current, plays, round(rule.share * eligible))


def thinned(model: MeasuredModel, share: float, seed: int) -> MeasuredModel:
    """Take a random share of both kinds of edges from a model."""
    rng = np.random.default_rng(seed)
    weights, content = (
        edges.filter(pa.array(rng.random(len(edges)) >= share))
        for edges in (model.weights, model.content)
    )
    return replace(model, weights=weights, content=content)


@dataclass(frozen=True)
class Case:
    """A challenger with its rivals; the true difference to the current release is known."""

    challenger: MeasuredModel
    current: MeasuredModel
    anchor: MeasuredModel
    plays: HeldOutPlays

    def asked(self, listeners: int) -> list[Rival]:
        """Ask every stranger as often as a run with this number of listeners would."""
        rounds = rounds_for(listeners)
        return [
            Rival(
                "current release", "r2", rerank(self.challenger, self.current, self.plays, rounds)
            ),
            Rival("anchor", "r1", rerank(self.challenger, self.anchor, self.plays, rounds)),
        ]


def difference(challenger: MeasuredModel, rival: MeasuredModel, plays: HeldOutPlays) -> float:
    """Return the true relative difference in NDCG@100, over all strangers."""
    paired = rerank(challenger, rival, plays, MOST_ROUNDS)
    return float(paired.ours[METRIC].mean() / paired.theirs[METRIC].mean() - 1)


def calibrated(
    model: MeasuredModel, difference_of: Callable[[MeasuredModel], float], seed: int
) -> MeasuredModel:
    """Thin a model until ``difference_of`` it, which falls with every edge, is about 0.

    It is returned as it is where that is below 0 from the beginning.
    """
    low, high = 0.0, 0.95
    found, best = difference_of(model), model
    for _ in range(10):
        if abs(found) < CLOSE or (found < 0 and low == 0.0 and best is model):
            break
        share = (low + high) / 2
        best = thinned(model, share, seed)
        found = difference_of(best)
        low, high = (share, high) if found > 0 else (low, share)
    return best


def build_case(world: World, current: MeasuredModel, loss: float) -> Case:
    """Make a challenger that is worse than the current release by ``loss``, and an equal anchor.

    Where the challenger of all plays is better than the current release, it is thinned; where it is
    worse, the current release is.
    """
    plays = world.plays

    def against_current(ours: MeasuredModel) -> float:
        return difference(ours, current, plays) + loss

    challenger = calibrated(world.today, against_current, 2)
    if against_current(challenger) < -CLOSE:
        current = calibrated(
            current, lambda theirs: -difference(challenger, theirs, plays) - loss, 3
        )
    anchor = calibrated(
        world.today, lambda theirs: -difference(challenger, theirs, plays) - loss, 4
    )
    return Case(challenger, current, anchor, plays)


def refused(case: Case, listeners: int, pairs: int, seed: int) -> tuple[float, float]:
    """Return the share of pairs that are refused, and the median loss that is said to be."""
    rng = np.random.default_rng(seed)
    population = case.asked(listeners)
    count, sharp = 0, []
    for _ in range(pairs):
        drawn = rng.integers(0, len(population[0].paired.user_ids), listeners)
        rivals = [replace(one, paired=_drawn(one.paired, drawn)) for one in population]
        nothing = (EVALUATION.schema.empty_table(), LISTENERS.schema.empty_table(), None)
        verdict = gate(rivals, *nothing, EvaluationParameters(seed=seed))
        count += not verdict.passed
        sharp += [
            one.detectable
            for one in verdict.comparisons
            if one.metric == METRIC and one.role != "anchor"
        ]
    return count / pairs, float(np.median(sharp))


def _drawn(paired: Paired, rows: NDArray[np.intp]) -> Paired:
    """Return the answers of some listeners, each as somebody of its own."""
    ids = pa.array([f"drawn {x:05}" for x in range(len(rows))])
    ours, theirs = (
        {metric: values[rows] for metric, values in side.items()}
        for side in (paired.ours, paired.theirs)
    )
    return replace(paired, user_ids=ids, ours=ours, theirs=theirs)


def print_table(name: str, world: World, pairs: int) -> None:
    """Print the shares of refused pairs: one row per scenario and true difference."""
    print(f"\n{name}: {pairs} pairs each; a run measures {world.held_out} listeners\n")
    sizes = sorted({world.held_out, *SIZES})
    heads = " | ".join(f"{n:,}" + (" (a run)" if n == world.held_out else "") for n in sizes)
    print(f"| | true difference: NDCG@100, recall@20, recall@50 | of a run, detectable | {heads} |")
    print("|---|---|---|" + "---|" * len(sizes), flush=True)
    for scenario, current in world.current.items():
        for loss in LOSSES:
            case = build_case(world, current, loss)
            paired = rerank(case.challenger, case.current, case.plays, MOST_ROUNDS)
            true = ", ".join(
                f"{100 * (paired.ours[m].mean() / paired.theirs[m].mean() - 1):+.1f} %"
                for m in (METRIC, "recall@20", "recall@50")
            )
            found = {n: refused(case, n, pairs, number) for number, n in enumerate(sizes)}
            cells = " | ".join(f"{100 * found[n][0]:.1f} %" for n in sizes)
            sharp = f"{100 * found[world.held_out][1]:.1f} %"
            print(f"| {scenario} | {true} | {sharp} | {cells} |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("datasets", nargs="+", metavar="NAME=FOLDER")
    parser.add_argument("--pairs", type=int, default=200)
    arguments = parser.parse_args()
    for named in arguments.datasets:
        name, _, folder = named.partition("=")
        with tempfile.TemporaryDirectory(prefix="gate-") as scratch:
            print_table(name, build_world(name, Path(folder), Path(scratch)), arguments.pairs)
