"""Choose the parameters for a data set by measurement, on listeners the model has not seen.

Strong generalisation: some listeners are held out, 80 % of each one's tracks is folded in and the
rest is to be found (Liang et al. 2018). From the start, one dial after the other is tried at a few
values and moved where that helps, until a round moves none. The reported quality is cross-fitted:
the search is run on either half of the held-out listeners and measured on the other.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from scipy import sparse

from tasks.evaluation.metrics import ndcg_at_k, recall_at_k
from tasks.neighbours.interactions import Interactions
from tasks.neighbours.models import neighbour_matrix
from tasks.neighbours.parameters import CollaborativeParameters

Grid = Mapping[str, tuple[Any, ...]]

GRID: Grid = MappingProxyType(
    {
        "non_negative": (True, False),
        "ridge": (10.0, 20.0, 30.0, 50.0, 80.0, 150.0, 300.0, 600.0),
        "neighbours": (50, 100, 200, 400),
        "target_exponent": (0.0, 0.1, 0.2),
        "popularity_ridge": (0.0, 0.2, 0.5, 1.0),
        "user_exponent": (0.0, 0.25, 0.5, 0.75),
        "source_exponent": (0.0, 0.1, 0.2),
        "two_step": (0.0, 0.25, 0.5, 1.0),
    }
)
"""Dials of the learned model in the order they are tried, and the values of each."""

METRICS = ("recall@20", "ndcg@100")


class TuneParameters(BaseModel):
    """How the search measures."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    held_out: float = Field(default=0.2, gt=0.0, lt=1.0)
    """Share of the listeners with at least 5 tracks to measure on."""

    most_held_out: int = Field(default=2_000, ge=2)
    """At most this many of them: past a few thousand, only time grows."""

    fold_in: float = Field(default=0.8, gt=0.0, lt=1.0)
    """Share of a held-out listener's tracks that the model is shown."""

    rounds: int = Field(default=2, ge=1, le=10)
    """At most this often through all dials."""

    seed: int = Field(default=0, ge=0)
    """Draws listeners and targets; the same seed, the same choice."""


@dataclass(frozen=True)
class FoldIn:
    """Training rows, and what held-out listeners show and hide."""

    training: sparse.csr_array
    shown: sparse.csr_array
    hidden: sparse.csr_array


@dataclass(frozen=True)
class Point:
    """One setting that was tried: metric by name, over all held-out listeners."""

    parameters: CollaborativeParameters
    values: dict[str, float]


@dataclass(frozen=True)
class Tuning:
    """What was chosen, all that was tried in order, and the cross-fitted quality of choosing."""

    chosen: CollaborativeParameters
    curve: list[Point]
    reported: dict[str, float]


LIGHTEST = 5
"""Fewest tracks of a listener to measure on: with four shown, one is hidden."""


def split_listeners(
    matrix: sparse.csr_array, listeners: NDArray[np.integer], fold_in: float, seed: int
) -> FoldIn:
    """Leave ``listeners`` out of training and hide 1 - ``fold_in`` of their tracks (at least 1)."""
    rng = np.random.default_rng(seed)
    training = np.setdiff1d(np.arange(matrix.shape[0]), listeners)
    row, track = matrix[listeners].tocoo().coords
    order = np.lexsort((rng.random(len(row)), row))
    row, track = row[order], track[order]
    played = np.bincount(row, minlength=len(listeners))
    place = np.arange(len(row)) - (np.cumsum(played) - played)[row]
    hide = place < np.maximum(1, np.rint((1 - fold_in) * played))[row]

    def part(of: NDArray[np.bool_]) -> sparse.csr_array:
        shape = (len(listeners), matrix.shape[1])
        return sparse.csr_array((np.ones(of.sum()), (row[of], track[of])), shape=shape)

    return FoldIn(matrix[training], part(~hide), part(hide))


def rank_unheard(scores: NDArray[np.float64], shown: sparse.csr_array, k: int) -> NDArray[np.int64]:
    """Return each row's ``k`` best tracks that were not shown, ties by key; overwrites scores."""
    scores[shown.nonzero()] = -np.inf
    return np.argsort(-scores, axis=1, kind="stable")[:, :k]


def measure(
    weights: sparse.csr_array | NDArray[np.float64], fold: FoldIn
) -> dict[str, NDArray[np.float64]]:
    """Return every held-out listener's `METRICS` under a sources × targets matrix."""
    parts = []
    for start in range(0, fold.shown.shape[0], 256):
        shown = fold.shown[start : start + 256]
        scores = shown @ weights
        dense = np.asarray(scores.toarray() if sparse.issparse(scores) else scores)
        parts.append(rank_unheard(dense, shown, 100))
    ranked = np.concatenate(parts)
    values = (recall_at_k(ranked, fold.hidden, 20), ndcg_at_k(ranked, fold.hidden, 100))
    return dict(zip(METRICS, values, strict=True))


def tune(
    matrix: sparse.csr_array,
    start: CollaborativeParameters | None = None,
    grid: Grid = GRID,
    parameters: TuneParameters | None = None,
    progress: Callable[[Point], None] | None = None,
) -> Tuning:
    """Choose parameters for a users × tracks matrix, of which only the pattern is used.

    Raises ValueError if fewer than two listeners have `LIGHTEST` tracks.
    """
    parameters = parameters or TuneParameters()
    fold = split_listeners(matrix, _drawn(matrix, parameters), parameters.fold_in, parameters.seed)
    trials = _Trials(Interactions.of(fold.training), fold, progress)
    start = start or CollaborativeParameters()
    everyone = np.ones(fold.shown.shape[0], dtype=bool)
    chosen = _search(trials, start, grid, everyone, parameters.rounds)
    half = np.arange(len(everyone)) % 2 == 0
    reported = np.empty((len(METRICS), len(everyone)))
    for choose in (half, ~half):
        best = trials.values(_search(trials, start, grid, choose, parameters.rounds))
        reported[:, ~choose] = [best[name][~choose] for name in METRICS]
    means = dict(zip(METRICS, reported.mean(axis=1).tolist(), strict=True))
    return Tuning(chosen, trials.curve(), means)


def _drawn(matrix: sparse.csr_array, parameters: TuneParameters) -> NDArray[np.int64]:
    heavy = np.flatnonzero(np.diff(matrix.indptr) >= LIGHTEST)
    count = min(round(parameters.held_out * len(heavy)), parameters.most_held_out)
    if count < 2:
        raise ValueError(f"tuning needs more listeners with at least {LIGHTEST} tracks")
    rng = np.random.default_rng(parameters.seed)
    return np.sort(rng.choice(heavy, count, replace=False)).astype(np.int64)


@dataclass
class _Trials:
    """Settings measured so far: each is trained once, whichever search asks for it."""

    interactions: Interactions
    fold: FoldIn
    progress: Callable[[Point], None] | None
    tried: dict[CollaborativeParameters, dict[str, NDArray[np.float64]]] = field(
        default_factory=dict
    )

    def values(self, setting: CollaborativeParameters) -> dict[str, NDArray[np.float64]]:
        if setting not in self.tried:
            weights = neighbour_matrix(self.interactions, setting)
            self.tried[setting] = measure(weights, self.fold)
            if self.progress:
                self.progress(self._point(setting))
        return self.tried[setting]

    def score(self, setting: CollaborativeParameters, of: NDArray[np.bool_]) -> float:
        """Return the geometric mean of the metrics' means over some listeners."""
        means = [self.values(setting)[name][of].mean() for name in METRICS]
        return float(np.sqrt(np.prod(means)))

    def curve(self) -> list[Point]:
        return [self._point(setting) for setting in self.tried]

    def _point(self, setting: CollaborativeParameters) -> Point:
        means = {name: float(values.mean()) for name, values in self.tried[setting].items()}
        return Point(setting, means)


def _search(
    trials: _Trials,
    start: CollaborativeParameters,
    grid: Grid,
    of: NDArray[np.bool_],
    rounds: int,
) -> CollaborativeParameters:
    """Move one dial at a time to its best value; equal ones stay, else the first listed wins."""
    best = start
    for _ in range(rounds):
        before = best
        for name, choices in grid.items():
            options = [best.model_copy(update={name: value}) for value in choices]
            best = max([best, *options], key=lambda option: trials.score(option, of))
        if best == before:
            break
    return best
