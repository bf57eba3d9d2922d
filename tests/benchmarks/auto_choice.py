"""The parameters that a run chooses, against the defaults and against the long `tune`.

`python -m tests.benchmarks.auto_choice hetrec=FOLDER ml-1m=FOLDER ml-latest-small=FOLDER`

Of half of the listeners (at most 1,000) a fifth of the plays is hidden from everything; a fifth of
the listeners (at most 500) is left out whole, and four fifths of their plays are shown when all is
chosen. What remains is a data set: parameters are chosen on it as by a run and as by `crossfade
tune` (the halving of it), trained on all of it, and the collaborative sums measured on what was
hidden. Ratios are of the geometric mean of recall@20 and NDCG@100, paired, over all splits;
intervals are bootstraps over listeners. Seconds are of the processor.
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.csv
from numpy.typing import NDArray
from scipy import sparse

from tasks.choice.costs import RATE, Costs
from tasks.choice.halving import DRAWN, LONG_DRAWN, LONG_ROUNDS, ROUNDS, Mix, halve
from tasks.choice.parameters import ChoiceParameters
from tasks.choice.space import Space
from tasks.choice.stage import TIMES, in_words
from tasks.choice.trials import measured_here
from tasks.choice.world import METRICS, Values, make_world
from tasks.collaborative.interactions import Interactions
from tasks.collaborative.parameters import CollaborativeParameters
from tasks.evaluation.bootstrap import interval, resample_counts, resampled_means

FILES = {
    "hetrec": ("User Listening History.csv", "user_id", "track_id"),
    "ml-1m": ("views.csv", "viewer_id", "movie_id"),
    "sample": ("User Listening History.csv", "user_id", "track_id"),
    "ml-latest-small": ("ratings.csv", "userId", "movieId"),
}

LONG_SECONDS = 3_600.0


def main() -> None:
    """Print what was chosen in every split, and a row for each kind of listener."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("data", nargs="+", metavar="NAME=FOLDER")
    arguments.add_argument("--splits", type=int, default=3)
    arguments.add_argument("--skip-long", action="store_true")
    given = arguments.parse_args()
    for name, _, folder in (one.partition("=") for one in given.data):
        if name not in FILES:
            arguments.error(f"{name} is none of {', '.join(FILES)}")
        matrix = plays(name, Path(folder))
        parts = [split(name, matrix, seed, not given.skip_long) for seed in range(given.splits)]
        for kind in ("known", "new"):
            values = {
                (way, metric): np.concatenate([part[kind, way, metric] for part in parts])
                for _, way, metric in parts[0]
            }
            for one, other in pairs(not given.skip_long):
                ratio, low, high = ratio_of(values, one, other)
                print(
                    f"{name:16} {kind:6} {one} / {other}: {ratio:.4f} ({low:.4f} … {high:.4f})",
                    flush=True,
                )


def pairs(has_long: bool) -> Iterator[tuple[str, str]]:
    """Yield what is compared with what."""
    yield "auto", "defaults"
    if has_long:
        yield "long", "defaults"
        yield "auto", "long"


def plays(name: str, folder: Path) -> sparse.csr_array:
    """Read who played what: listeners × tracks, ones."""
    file, user, track = FILES[name]
    table = pyarrow.csv.read_csv(folder / file)
    rows, columns = (
        table[column].combine_chunks().dictionary_encode().indices.to_numpy()
        for column in (user, track)
    )
    matrix: sparse.csr_array = sparse.coo_array(
        (np.ones(len(rows), np.int8), (rows, columns))
    ).tocsr()
    matrix.data[:] = 1
    return matrix


def split(
    name: str, matrix: sparse.csr_array, seed: int, has_long: bool
) -> dict[tuple[str, str, str], Values]:
    """Choose on what is not hidden; return every listener's metrics by kind, way and metric."""
    outer = make_world(matrix, 1_000 + seed)
    start = CollaborativeParameters().concrete
    chosen = {"defaults": start}
    for way in ("auto", "long")[: 1 + has_long]:
        began = time.process_time()
        chosen[way] = choice(outer.training, start, seed, way == "long")
        took = time.process_time() - began
        print(
            f"{name} split {seed} {way}: {in_words(chosen[way], start)} ({took:.0f} s)", flush=True
        )
    settings = list(chosen.values())
    began = time.process_time()
    measured = measured_here(outer, 0)
    found = {}
    for way, trial in zip(chosen, measured(0, settings, 1.0), strict=True):
        for metric in METRICS:
            found["known", way, metric] = trial.values[metric][: outer.known]
            found["new", way, metric] = trial.values[metric][outer.known :]
    print(f"{name} split {seed}: measured ({time.process_time() - began:.0f} s)", flush=True)
    return found


def choice(
    matrix: sparse.csr_array, start: CollaborativeParameters, seed: int, is_long: bool
) -> CollaborativeParameters:
    """Choose as a run does, or as `crossfade tune` does."""
    parameters = ChoiceParameters(seed=seed)
    world = make_world(matrix, seed)
    interactions = Interactions.of(world.training)
    costs = Costs(interactions, world.shown.shape[0], seed)
    seconds = LONG_SECONDS if is_long else parameters.seconds
    budget = seconds * RATE
    if not is_long:
        budget = min(budget, TIMES * costs.of([start], 1.0))
    return halve(
        measured_here(world, seed),
        Space(interactions, start, (), np.random.default_rng(seed)),
        costs,
        Mix(world.is_new, parameters.new_listeners),
        budget,
        LONG_DRAWN if is_long else DRAWN,
        LONG_ROUNDS if is_long else ROUNDS,
    ).chosen


def ratio_of(
    values: dict[tuple[str, str], NDArray[np.float64]], one: str, other: str
) -> tuple[float, float, float]:
    """Return the ratio of the geometric means of the metrics, with its 95 % interval."""
    columns = np.column_stack([values[way, metric] for way in (one, other) for metric in METRICS])
    means = resampled_means(resample_counts(len(columns), 1_000, seed=0), columns)

    def ratios(of: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.sqrt(of[:, :1] * of[:, 1:2] / (of[:, 2:3] * of[:, 3:4])))

    low, high = (float(end[0]) for end in interval(ratios(means), 0.95))
    return float(ratios(columns.mean(axis=0)[None])[0, 0]), low, high


if __name__ == "__main__":
    main()
