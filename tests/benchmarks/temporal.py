"""Do the random and the temporal split rank the models alike? `python -m tests.benchmarks.temporal`

    python -m tests.benchmarks.temporal [--movielens FOLDER] [--scale F] [--seeds N]

The data: `crossfade sample` with `--recency 1` and `--recency 0`, and with `--movielens` the folder
of ml-latest-small, ratings from 3.5. For each it prints, in Markdown, NDCG@100 and recall@20 of
every model by both splits. The models are the same: they have learned from what was played before
the cut, without the held-out listeners. The random split asks the held-out listeners for a fifth of
their tracks of before the cut; the temporal split asks all listeners for what they played first
after it. The intervals (95 %) are bootstraps over the listeners, and those of the gains are paired.

Then follow what every half-life of the history gains in time over none, paired, which of them was
chosen, the blend that the random split chose, and how far the temporal split moves it; and what the
half-life alone and both together gain, cross-fitted. `--gains` prints nothing else.
"""

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pyarrow.compute as pc
from distributed import Client, LocalCluster
from scipy.stats import kendalltau

from tasks.blend.neighbours import Neighbours
from tasks.blend.parameters import HybridParameters
from tasks.dataset.spec import DatasetSpec
from tasks.evaluation.bootstrap import interval, resample_counts, resampled_means
from tasks.evaluation.cases import as_is_cases
from tasks.evaluation.choice import Choice
from tasks.evaluation.half_life import chosen_half_life
from tasks.evaluation.in_time import found_on, moved_segments
from tasks.evaluation.measure import half_life_values
from tasks.evaluation.models import HYBRID, MODELS, RECENT, TEMPORAL_MODELS
from tasks.evaluation.parameters import EvaluationParameters
from tasks.evaluation.past import LEFT_OUT, has_questions, past_stage
from tasks.evaluation.rounds import Rounds
from tasks.evaluation.sources import read_context, read_split
from tasks.evaluation.stage import evaluation_stage, learned_parameters
from tasks.evaluation.temporal import past_sources, temporal_block, temporal_stage
from tasks.holdout.stage import holdout_stage
from tasks.ingest.stage import ingest_stage
from tasks.lake.record import StageResult
from tasks.sample import SampleParameters, generate_sample
from tests.benchmarks.music_times import MOVIELENS
from tests.benchmarks.refit import Place

PARAMETERS = EvaluationParameters(temporal_fewest=2)
"""A run wants 30 listeners; ml-latest-small has 25, as its people come once and rarely again."""
HEAD = ("model", "random", "temporal", "known", "new", "random recall@20", "temporal recall@20")
GAINS = ("gain_over_popularity", "gain_over_popularity_recent", "gain_over_best")


def rows_of(result: StageResult) -> dict[tuple[str, str, str, int], dict[str, float]]:
    """Return an evaluation by model, segment, metric and k."""
    listed = result["evaluation"].read().to_pylist()
    return {(row["model"], row["segment"], row["metric"], row["k"]): row for row in listed}


def figure(row: dict[str, float] | None, signed: bool = False) -> str:
    """Return a value with its interval."""
    if row is None:
        return ""
    sign = "+" if signed else ""
    value, low, high = (f"{row[name]:{sign}.4f}" for name in ("value", "ci_low", "ci_high"))
    return f"{value} ({low} … {high})"


@dataclass(frozen=True)
class InTime:
    """What a run makes of the times of a data set."""

    past: StageResult
    model: Neighbours
    evaluation: StageResult
    temporal: StageResult


def measure(name: str, place: Place) -> InTime:
    """Learn from the past of a data set, and measure it by both splits."""
    ingested = ingest_stage(place.lake, place.spec)
    held_out = holdout_stage(place.lake, ingested["users"], PARAMETERS)
    if held_out is None:
        raise SystemExit(f"{name}: nobody is held out")
    past = past_stage(place.lake, ingested, held_out, PARAMETERS)
    if past is None:
        raise SystemExit(f"{name}: the data have no times")
    if not has_questions(past):
        raise SystemExit(f"{name}: {past.counts[LEFT_OUT]}")
    model, own = Neighbours(*place.learn(past, past["held_out"])), past["held_out"]
    chosen = PARAMETERS.of_the_past()
    shared = (place.lake, place.client)
    evaluation = evaluation_stage(*shared, past, own, *model, HybridParameters(), chosen)
    temporal = temporal_stage(*shared, past, model, evaluation, HybridParameters(), PARAMETERS)
    return InTime(past, model, evaluation, temporal)


def print_splits(name: str, given: InTime) -> None:
    """Print what both splits say of a data set."""
    past, evaluation = given.past, given.evaluation
    random, later = rows_of(evaluation), rows_of(given.temporal)
    said = ", ".join(f"{key} {value}" for key, value in past.counts.items())
    print(f"\n**{name}**: {said}; {evaluation.counts['held_out']} asked by the random split\n")
    print(f"| {' | '.join(HEAD)} |\n|{'---|' * len(HEAD)}")
    for one in TEMPORAL_MODELS:
        cells = [
            figure(random.get((one, "all", "ndcg", 100))),
            *(figure(later.get((one, f"temporal:{part}", "ndcg", 100)))
              for part in ("all", "known", "new")),
            figure(random.get((one, "all", "recall", 20))),
            figure(later.get((one, "temporal:all", "recall", 20))),
        ]  # fmt: skip
        print(f"| {one} | {' | '.join(cells)} |")
    print(f"\n| {HYBRID}: paired gain in NDCG@100 | random | temporal |\n|---|---|---|")
    for gain in GAINS:
        both = (random.get((HYBRID, "all", gain, 100)), later[HYBRID, "temporal:all", gain, 100])
        print(f"| {gain} | {' | '.join(figure(row, signed=True) for row in both)} |")
    models = [one for one in TEMPORAL_MODELS if one != RECENT]
    tau = kendalltau(
        [random[one, "all", "ndcg", 100]["value"] for one in models],
        [later[one, "temporal:all", "ndcg", 100]["value"] for one in models],
    ).statistic
    print(f"\nKendall's τ of the two orders of {len(models)} models: {tau:.2f}", flush=True)


def print_half_lives(given: InTime) -> None:
    """Print what every half-life gains over none, with the blend of the random split."""
    learned = learned_parameters(given.evaluation, HybridParameters())
    sources = past_sources(given.past, given.model, PARAMETERS)
    split = read_split(sources.split)
    chosen = Choice(learned.segments, learned.gamma)
    cases = as_is_cases(split, (chosen, chosen))
    context = read_context(sources, HybridParameters())
    tried = (0, *PARAMETERS.temporal_half_lives)
    values = half_life_values(context.model, split, cases, tried)
    counts = resample_counts(len(split), PARAMETERS.resamples, PARAMETERS.seed)
    low, high = interval(resampled_means(counts, values - values[:, :1]), PARAMETERS.confidence)
    base = values[:, 0].mean()
    print("\n| half-life in days | NDCG@100 | gain |\n|---|---|---|")
    for days, value, *ends in zip(tried, values.mean(axis=0), low, high, strict=True):
        gain, *both = (f"{100 * x / base:+.1f} %" for x in (value - base, *ends))
        print(f"| {days or 'none'} | {value:.4f} | {gain} ({' … '.join(both)}) |")
    table = given.temporal["half_lives"].read()
    halves = [chosen_half_life(table, half) or "none" for half in (0, 1, 2)]
    print(f"\nchosen: {halves[2]}; on either half {halves[0]} and {halves[1]}", flush=True)


def print_moves(place: Place, given: InTime) -> None:
    """Print how far the temporal split moves the blend, and what that gains, cross-fitted."""
    learned = learned_parameters(given.evaluation, HybridParameters())
    print("\n| history | random split | in time | supported | moved to |\n|---|---|---|---|---|")
    found = [found_on(given.temporal["supported"].read(), half) for half in (0, 1, 2)]
    moved = [moved_segments(learned.segments, one) for one in found]
    for before, after in zip(learned.segments, moved[2], strict=True):
        if best := found[2].get(before.min_tracks):
            cells = (f"{w:.2f}, {p:.2f}" for w, p in (
                (before.weight, before.popularity), best.blend, (after.weight, after.popularity)
            ))  # fmt: skip
            first, second, third = cells
            print(f"| {before.segment} | {first} | {second} | {best.support:.0%} | {third} |")
    sources = past_sources(given.past, given.model, PARAMETERS)
    split = read_split(sources.split)
    counts = resample_counts(len(split), PARAMETERS.resamples, PARAMETERS.seed)
    values = []
    table = given.temporal["half_lives"].read()
    crossed = (chosen_half_life(table, 1), chosen_half_life(table, 0))
    unmoved = (learned.segments, learned.segments)
    for name, of_half, half_lives in (
        ("random", unmoved, (0, 0)),
        ("with the half-life", unmoved, crossed),
        ("and moved", (moved[1], moved[0]), crossed),
    ):
        first_half, second_half = (
            Choice(segments, learned.gamma, half_life)
            for segments, half_life in zip(of_half, half_lives, strict=True)
        )
        with tempfile.TemporaryDirectory() as folder:
            rounds = Rounds(
                place.client, Path(folder), sources, HybridParameters(), PARAMETERS, None
            )
            cases = as_is_cases(split, (first_half, second_half))
            rows = rounds.measure("report", temporal_block, cases, sources, HybridParameters())
        ours = rows.filter(pc.equal(rows["model"], MODELS.index(HYBRID))).sort_by("listener")
        values.append({metric: ours[metric].to_numpy() for metric in ("ndcg@100", "recall@20")})
        print(f"\n{name}: " + ", ".join(f"{m} {v.mean():.4f}" for m, v in values[-1].items()))
        for metric, before in values[0].items():
            base, gain = before.mean(), values[-1][metric] - before
            low, high = interval(resampled_means(counts, gain[:, None]), PARAMETERS.confidence)
            cells = (f"{100 * x / base:+.1f} %" for x in (gain.mean(), low[0], high[0]))
            print("{}: {} ({} … {})".format(metric, *cells), flush=True)


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--movielens", type=Path, metavar="FOLDER")
    parser.add_argument("--scale", type=float, default=2.0, help="listeners of the sample")
    parser.add_argument("--seeds", type=int, default=1, help="samples of each recency")
    parser.add_argument("--gains", action="store_true", help="only what the moved blend gains")
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as scratch,
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        folder = Path(scratch)
        found: dict[str, Path] = {}
        if given.movielens:
            linked = folder / "movielens"
            linked.mkdir()
            for name in ("movies.csv", "ratings.csv"):
                (linked / name).symlink_to(given.movielens.resolve() / name)
            found["ml-latest-small"] = linked / "dataset.toml"
            found["ml-latest-small"].write_text(MOVIELENS)
        for seed in range(given.seeds):
            for recency in (1.0, 0.0):
                name = f"sample --recency {recency:g} --scale {given.scale:g} --seed {seed}"
                sample = SampleParameters(scale=given.scale, recency=recency, seed=seed)
                made = generate_sample(folder / f"sample-{recency}-{seed}", sample).dataset_path
                assert made is not None
                found[name] = made
        for number, (name, toml) in enumerate(found.items()):
            lake = folder / f"lake-{number}"
            place = Place(lake, client, DatasetSpec.from_toml(toml))
            measured = measure(name, place)
            if given.gains:
                print(f"\n**{name}**", flush=True)
            else:
                print_splits(name, measured)
            print_half_lives(measured)
            print_moves(place, measured)


if __name__ == "__main__":
    main()
