"""The learned neighbours against dense EASE and formulas, on two data sets of real listening.

`python -m tests.benchmarks.neighbours_quality hetrec=FOLDER ml-1m=FOLDER`

NAME is `hetrec` (Kaggle columns) or `ml-1m` (views.csv), FOLDER holds the files. A fifth of the
listeners is set apart, and every model's parameters are chosen on them alone. The other listeners
are cut into disjoint sets: each is held out once, from all models alike, with 80 % of its tracks
folded in. Differences are paired, intervals are bootstraps over listeners.
"""

import argparse
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow.csv
from implicit.nearest_neighbours import BM25Recommender, CosineRecommender
from numpy.typing import NDArray
from scipy import linalg, sparse

from tasks.collaborative.find_edges import weight_matrix
from tasks.collaborative.interactions import Interactions
from tasks.collaborative.parameters import CollaborativeParameters
from tasks.evaluation.bootstrap import interval, resample_counts, resampled_means
from tasks.tuning.folds import LIGHTEST, METRICS, FoldIn, measure, split_listeners
from tasks.tuning.parameters import TuneParameters
from tasks.tuning.search import GRID, measured_here, tune

Weights = sparse.csr_array | NDArray[np.float64]
Train = Callable[[sparse.csr_array], Weights]

FILES = {
    "hetrec": ("User Listening History.csv", "user_id", "track_id"),
    "ml-1m": ("views.csv", "viewer_id", "movie_id"),
}
FEWEST_LISTENERS = 3
"""Tracks with fewer listeners are left out: a dense inverse of all of them is out of reach."""
SET_APART = 0.2
FOLDS = 10
KEPT = (50, 100, 200, 400)

OURS, EASE, COSINE = "learned, tuned", "dense EASE", "cosine (implicit)"


def plays(name: str, folder: Path, fewest: int = FEWEST_LISTENERS) -> sparse.csr_array:
    """Read who played what: listeners × tracks with ``fewest`` listeners, ones."""
    file, user, track = FILES[name]
    table = pyarrow.csv.read_csv(folder / file)
    rows, columns = (
        table[column].combine_chunks().dictionary_encode().indices.to_numpy()
        for column in (user, track)
    )
    X = sparse.coo_array((np.ones(len(rows)), (rows, columns))).tocsr()
    X.data[:] = 1.0
    return X[:, np.flatnonzero(np.bincount(X.indices) >= fewest)]


def popularity(X: sparse.csr_array) -> Weights:
    """Return weights that score every track by its listeners, whatever the history."""
    return np.broadcast_to(np.asarray(X.sum(axis=0)), (X.shape[1], X.shape[1]))


def dense_ease(X: sparse.csr_array, ridge: float) -> Weights:
    """Return I - P / diag(P), P = (XᵀX + λI)⁻¹ (Steck 2019)."""
    gram = (X.T @ X).toarray()
    gram[np.diag_indices_from(gram)] += ridge
    inverse, _ = linalg.lapack.dpotri(linalg.cholesky(gram, lower=False), lower=0)
    inverse = np.triu(inverse) + np.triu(inverse, 1).T
    weights = inverse / -np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    return np.asarray(weights, dtype=np.float64)


def of_implicit(model: CosineRecommender | BM25Recommender) -> Train:
    """Return a function that fits implicit's model."""

    def train(X: sparse.csr_array) -> Weights:
        model.fit(sparse.csr_matrix(X), show_progress=False)
        return sparse.csr_array(model.similarity)

    return train


def ours(parameters: CollaborativeParameters) -> Train:
    """Return a function that trains one of our models."""
    return lambda X: weight_matrix(Interactions.of(X), parameters)


def choices() -> Iterator[tuple[str, Mapping[str, Train]]]:
    """Yield every other model with the settings that are tried for it."""
    yield "popularity", {"": popularity}
    yield COSINE, {f"K = {k}": of_implicit(CosineRecommender(K=k)) for k in (*KEPT, 1_000)}
    yield (
        "BM25 (implicit)",
        {
            f"K = {k}, K1 = {k1:g}, B = {b:g}": of_implicit(BM25Recommender(K=k, K1=k1, B=b))
            for k in (100, 400)
            for k1 in (1.2, 100.0)
            for b in (0.25, 0.75)
        },
    )
    yield (
        "RP3β",
        {
            f"m = {k}, α = {alpha:g}, β = {beta:g}": ours(
                CollaborativeParameters(
                    model="rp3beta", neighbours=k, walk_exponent=alpha, walk_popularity=beta
                )
            )
            for k in (100, 400)
            for alpha in (0.6, 0.8, 1.0)
            for beta in (0.2, 0.4, 0.6)
        },
    )
    yield (
        EASE,
        {
            f"λ = {ridge:g}": partial(dense_ease, ridge=ridge)
            for ridge in (50.0, 75.0, 100.0, 150.0, 300.0, 600.0, 1_000.0, 1_500.0)
        },
    )


def best(settings: Mapping[str, Train], fold: FoldIn) -> str:
    """Return the setting with the highest geometric mean of the metrics on the set apart."""
    if len(settings) == 1:
        return next(iter(settings))

    def worth(name: str) -> float:
        values = measure(settings[name](fold.training), fold)
        return float(np.prod([values[metric].mean() for metric in METRICS]))

    return max(settings, key=worth)


def chosen_models(apart: FoldIn) -> dict[str, tuple[str, Train]]:
    """Choose every model's setting on the listeners set apart: setting and trainer by name."""
    models = {}
    for name, settings in choices():
        setting = best(settings, apart)
        models[name] = (setting, settings[setting])
        print(f"  {name}: {setting}", flush=True)
    default = CollaborativeParameters()
    models["learned, defaults"] = ("", ours(default))
    tuning = tune(measured_here(apart), default, parameters=TuneParameters(cross_fit=False))
    dials = tuning.chosen.model_dump(include=set(GRID))
    setting = ", ".join(f"{name} = {value}" for name, value in dials.items())
    models[OURS] = (setting, ours(tuning.chosen))
    print(f"  {OURS}: {setting} ({len(tuning.curve)} settings tried)", flush=True)
    return models


def print_table(name: str, values: Mapping[str, NDArray[np.float64]]) -> None:
    """Print means and, for each model, ours over it; ``values`` is metrics × listeners each."""
    listeners = values[OURS].shape[1]
    print(f"\n{name}: {listeners:,} listeners, each held out once in {FOLDS} disjoint sets\n")
    heads = [f"{metric} | ours / it (95 % interval)" for metric in METRICS]
    print("| model | " + " | ".join(heads) + " |\n" + "|---" * (1 + 2 * len(METRICS)) + "|")
    counts = resample_counts(listeners, 2_000, 0)
    means = {model: resampled_means(counts, found.T) for model, found in values.items()}
    for model, found in sorted(values.items(), key=lambda item: item[1][1].mean()):
        ratio = values[OURS].mean(axis=1) / found.mean(axis=1)
        low, high = interval(means[OURS] / means[model], 0.95)
        cells = [
            f"{found[m].mean():.4f} | {ratio[m]:.3f} ({low[m]:.3f} … {high[m]:.3f})"
            for m in range(len(METRICS))
        ]
        print(f"| {model} | " + " | ".join(cells) + " |")


def run(name: str, folder: Path) -> None:
    """Choose on the set apart, measure on all others, print the table."""
    began = time.process_time()
    X = plays(name, folder)
    rng = np.random.default_rng(0)
    heavy = rng.permutation(np.flatnonzero(np.diff(X.indptr) >= LIGHTEST))
    cut = round(SET_APART * len(heavy))
    print(f"\n{name}: {X.shape[0]:,} listeners × {X.shape[1]:,} tracks, {X.nnz:,} pairs")
    models = chosen_models(split_listeners(X, np.sort(heavy[:cut]), 0.8, seed=0))
    parts: dict[str, list[Sequence[NDArray[np.float64]]]] = {model: [] for model in models}
    for number, listeners in enumerate(np.array_split(heavy[cut:], FOLDS), start=1):
        fold = split_listeners(X, np.sort(listeners), 0.8, seed=number)
        for model, (_, train) in models.items():
            found = measure(train(fold.training), fold)
            parts[model].append([found[metric] for metric in METRICS])
        print(f"  set {number}: {time.process_time() - began:.0f} s of processor time", flush=True)
    print_table(name, {model: np.concatenate(found, axis=1) for model, found in parts.items()})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("datasets", nargs="+", metavar="NAME=FOLDER")
    for named in parser.parse_args().datasets:
        which, _, where = named.partition("=")
        run(which, Path(where))
