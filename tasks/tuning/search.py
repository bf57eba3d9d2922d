"""Choose the parameters for a data set by measurement, on listeners the model has not seen.

From the start, one dial after the other is moved along its values for as long as that helps, until
a round through all dials moves none (coordinate search). The reported quality is cross-fitted: the
search is run on either half of the tuning listeners and measured on the other. If these searches
tried a setting that is better for all listeners than where the first one ended, it is continued
from there.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from tasks.collaborative.find_edges import weight_matrix
from tasks.collaborative.interactions import Interactions
from tasks.collaborative.parameters import CollaborativeParameters
from tasks.evaluation.metrics import Values
from tasks.tuning.folds import LIGHTEST, METRICS, FoldIn, measure, split_listeners
from tasks.tuning.parameters import TuneParameters
from warehouse.errors import InputError

Grid = Mapping[str, tuple[Any, ...]]

GRID: Grid = MappingProxyType(
    {
        "non_negative": (False, True),
        "neighbours": (50, 100, 200, 400),
        "ridge": (5.0, 10.0, 20.0, 30.0, 50.0, 100.0, 200.0, 400.0, 800.0),
        "target_exponent": (0.0, 0.05, 0.1, 0.15, 0.2, 0.3),
        "popularity_ridge": (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0),
        "user_exponent": (0.0, 0.25, 0.5, 0.75, 1.0),
        "two_step": (0.0, 0.25, 0.5, 1.0),
        "source_exponent": (0.0, 0.05, 0.1, 0.2),
    }
)
"""Dials of the learned model in the order they are turned, and the values of each, ascending."""

Measure = Callable[[Sequence[CollaborativeParameters]], Sequence[Mapping[str, Values]]]
"""Trains every setting and returns the `METRICS` of every tuning listener under each."""


@dataclass(frozen=True)
class Point:
    """One setting that was tried: metric by name, over all tuning listeners."""

    parameters: CollaborativeParameters
    values: dict[str, float]


@dataclass(frozen=True)
class Tuning:
    """What was chosen, all that was tried in order, and the cross-fitted quality of choosing."""

    chosen: CollaborativeParameters
    curve: list[Point]
    reported: dict[str, float]
    """Empty without `cross_fit`."""
    listeners: int
    gain: str = ""
    """What it is better by than what is in use, for both kinds of listeners, in words."""


def tuning_fold(
    matrix: sparse.csr_array,
    parameters: TuneParameters,
    among: NDArray[np.integer] | None = None,
) -> FoldIn:
    """Draw tuning listeners of a users × tracks matrix, of which only the pattern is used.

    ``among`` are the rows to draw from; None means all. Raises InputError if fewer than two
    listeners with `LIGHTEST` tracks would be drawn.
    """
    heavy = np.flatnonzero(np.diff(matrix.indptr) >= LIGHTEST)
    heavy = heavy if among is None else np.intersect1d(heavy, among)
    count = min(round(parameters.share * len(heavy)), parameters.most_listeners)
    if count < 2:
        raise InputError(
            f"tuning has {count} listeners to measure on: it needs more with at least {LIGHTEST} "
            "tracks, or a larger `tune.share`"
        )
    rng = np.random.default_rng(parameters.seed)
    drawn = np.sort(rng.choice(heavy, count, replace=False))
    return split_listeners(matrix, drawn, parameters.fold_in, parameters.seed)


def measured_here(fold: FoldIn) -> Measure:
    """Return a `Measure` that trains one setting after the other in this process."""
    interactions = Interactions.of(fold.training)

    def measured(settings: Sequence[CollaborativeParameters]) -> list[dict[str, Values]]:
        return [measure(weight_matrix(interactions, setting), fold) for setting in settings]

    return measured


def tune(
    measured: Measure,
    start: CollaborativeParameters | None = None,
    grid: Grid = GRID,
    parameters: TuneParameters | None = None,
    progress: Callable[[Point], None] = lambda _: None,
    turned: Callable[[int, int], None] = lambda _done, _of: None,
) -> Tuning:
    """Choose parameters by a search from ``start``.

    ``progress`` gets every new setting; ``turned`` how many dials were turned, and how many are at
    most: fewer are left when a search ends early, and when all is done none is.
    """
    parameters, start = parameters or TuneParameters(), start or CollaborativeParameters()
    searches = 3 if parameters.cross_fit else 1
    trials = _Trials(measured, progress, turned, searches * parameters.rounds * len(grid))
    everyone = np.ones(trials.listeners(start), dtype=bool)
    chosen = _search(trials, start, grid, everyone, parameters)
    means = _cross_fitted(trials, start, grid, parameters) if parameters.cross_fit else {}
    # The searches on the halves walk other paths: one of their settings may be better for everyone.
    best = max(trials.tried, key=lambda setting: trials.score(setting, everyone))
    worth = 1.0 + parameters.least_gain
    if trials.score(best, everyone) > worth * trials.score(chosen, everyone):
        trials.dials += parameters.rounds * len(grid)
        chosen = _search(trials, best, grid, everyone, parameters)
    return Tuning(chosen, trials.curve(), means, len(everyone))


@dataclass
class _Trials:
    """Settings measured so far: each is trained once, whichever search asks for it."""

    measured: Measure
    progress: Callable[[Point], None]
    turned: Callable[[int, int], None]
    dials: int
    """How many are turned at most, in all rounds of all searches."""
    done: int = 0
    """How many of them were turned."""
    tried: dict[CollaborativeParameters, Mapping[str, Values]] = field(default_factory=dict)

    def listeners(self, setting: CollaborativeParameters) -> int:
        return len(self.values(setting)[METRICS[0]])

    def values(self, setting: CollaborativeParameters) -> Mapping[str, Values]:
        self.ask([setting])
        return self.tried[setting]

    def ask(self, settings: Sequence[CollaborativeParameters]) -> None:
        """Train those that are new, all at once."""
        new = [setting for setting in dict.fromkeys(settings) if setting not in self.tried]
        for setting, values in zip(new, self.measured(new) if new else [], strict=True):
            self.tried[setting] = values
            self.progress(self._point(setting))

    def score(self, setting: CollaborativeParameters, of: NDArray[np.bool_]) -> float:
        """Return the geometric mean of the metrics' means over some listeners."""
        means = [self.values(setting)[name][of].mean() for name in METRICS]
        return float(np.sqrt(np.prod(means)))

    def curve(self) -> list[Point]:
        return [self._point(setting) for setting in self.tried]

    def _point(self, setting: CollaborativeParameters) -> Point:
        means = {name: float(values.mean()) for name, values in self.tried[setting].items()}
        return Point(setting, means)


def _cross_fitted(
    trials: _Trials, start: CollaborativeParameters, grid: Grid, parameters: TuneParameters
) -> dict[str, float]:
    """Return the metrics of what each half chooses, measured on the other half."""
    half = np.arange(trials.listeners(start)) % 2 == 0
    reported = np.empty((len(METRICS), len(half)))
    for choose in (half, ~half):
        best = trials.values(_search(trials, start, grid, choose, parameters))
        reported[:, ~choose] = [best[name][~choose] for name in METRICS]
    return dict(zip(METRICS, reported.mean(axis=1).tolist(), strict=True))


def _search(
    trials: _Trials,
    start: CollaborativeParameters,
    grid: Grid,
    of: NDArray[np.bool_],
    parameters: TuneParameters,
) -> CollaborativeParameters:
    """Turn one dial after the other until a round turns none."""
    best = start
    for number in range(parameters.rounds):
        before = best
        for name, values in grid.items():
            trials.turned(trials.done, trials.dials)
            best = _climbed(trials, best, name, values, of, 1.0 + parameters.least_gain)
            trials.done += 1
        if best == before:
            trials.dials -= (parameters.rounds - number - 1) * len(grid)
            break
    trials.turned(trials.done, trials.dials)
    return best


def _climbed(
    trials: _Trials,
    start: CollaborativeParameters,
    name: str,
    values: tuple[Any, ...],
    of: NDArray[np.bool_],
    worth: float,
) -> CollaborativeParameters:
    """Move one dial from where it stands, up or down, for as long as each step is worth it."""
    ladder = sorted({*values, getattr(start, name)})
    at = ladder.index(getattr(start, name))
    sides = [ladder[at + 1 :], ladder[:at][::-1]]
    trials.ask([start.model_copy(update={name: side[0]}) for side in sides if side])
    best = start
    for side in sides:
        climber = start
        for value in side:
            step = climber.model_copy(update={name: value})
            if trials.score(step, of) <= worth * trials.score(climber, of):
                break
            climber = step
        best = max(best, climber, key=lambda setting: trials.score(setting, of))
    return best
