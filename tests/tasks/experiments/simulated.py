"""Experiments on the simulated product, read as production reads them, many at a time."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import stats

from tasks.dataset.experiments import DAY, Experiment, naive
from tasks.experiments.activity import Activity, Ints, Listeners, readings
from tasks.experiments.effects import Effect, Floats, compare_sums
from tasks.experiments.information import boundary
from tasks.experiments.metrics import METRICS, WAITS, Metric
from tasks.experiments.parameters import ExperimentParameters
from tasks.experiments.reach import Reach
from tasks.experiments.results import information_of
from tasks.experiments.sums import by_reading
from tasks.sample.feedback import CANCELLED, FeedbackParameters, Shown, Visits, simulate
from tasks.sample.living import ProductParameters, build_product
from tasks.sample.streams import stream

DAYS, AFTER = 28, 31
PATTERNS = ("even", "bursty", "cohort")
PARAMETERS = ExperimentParameters()

EXPERIMENT = Experiment.model_validate(
    {
        "name": "simulated",
        "start": "2026-03-01",
        "end": "2026-03-29",
        "variants": ({"name": "control", "share": 0.5}, {"name": "treated", "share": 0.5}),
    }
)
START = naive(EXPERIMENT.start)
LATER = naive(EXPERIMENT.end) + (AFTER + 1) * DAY
UNTIL = Reach(LATER, LATER, {})
"""Everybody is due."""


@dataclass(frozen=True)
class Drawn:
    """One experiment as its listeners and what they did."""

    listeners: Listeners
    activity: Activity
    plays: Ints
    """Tracks that each listener played in it."""


def arrivals(pattern: str, listeners: int, rng: np.random.Generator) -> Ints:
    """Draw the day on which each listener is first shown something.

    ``even``: as many every day; ``bursty``: most of them on two days, at launch and after a
    campaign; ``cohort``: all on the first day.
    """
    chances = np.full(DAYS, 1 / DAYS)
    if pattern == "bursty":
        chances = np.full(DAYS, 0.3 / DAYS)
        chances[[0, 1, 9, 10]] += [0.3, 0.1, 0.25, 0.05]
    if pattern == "cohort":
        chances = np.eye(DAYS)[0]
    return rng.choice(DAYS, listeners, p=chances)


def draw(
    seed: int,
    listeners: int,
    pattern: str,
    feedback: FeedbackParameters,
    variants: int = 2,
    segments: int = 1,
) -> Drawn:
    """Draw an experiment; only variant 1 has the effect."""
    rng = stream(seed, "experiment")
    variant = rng.permutation(np.arange(listeners) % variants)
    product = build_product(
        np.arange(40) % 8, np.ones(40), listeners,
        ProductParameters(days=DAYS, new_listeners=0, visits=0.25, seed=seed),
    )  # fmt: skip
    feedback = feedback.model_copy(update={"list_length": 5, "days_after": AFTER})
    enters = arrivals(pattern, listeners, rng)
    visits, shown = simulate(product, variant == 1, feedback, enters)
    first = np.full(listeners, np.iinfo(np.int64).max)
    inside = shown.inside
    np.minimum.at(first, shown.listener[inside], shown.second[inside])
    before = {
        f"before_{name}": np.bincount(shown.listener[~inside], values[~inside], listeners).astype(
            np.float64
        )
        for name, values in _columns(shown).items()
    }
    first_at = START + first.astype("timedelta64[s]")
    people = Listeners(variant, rng.integers(0, segments, listeners), first_at, before)
    activity = by_reading(
        EXPERIMENT, UNTIL, people, _kept(visits, shown, first, rng), _done(shown, inside)
    )
    plays = np.bincount(shown.listener[inside], shown.played[inside], listeners)
    return Drawn(people, activity, plays.astype(np.int64))


def _columns(shown: Shown) -> dict[str, Floats]:
    return {
        "exposures": np.ones(len(shown.listener)),
        "clicks": shown.clicked.astype(np.float64),
        "plays": shown.played.astype(np.float64),
        "skips": (shown.clicked & ~shown.played).astype(np.float64),
        "seconds": shown.seconds * shown.played,
    }


def _done(shown: Shown, inside: NDArray[np.bool_]) -> pa.Table:
    """Return what sql/activity.sql returns."""
    key = shown.listener[inside] * DAYS + shown.second[inside] // 86_400
    there = np.flatnonzero(np.bincount(key))
    sums = {
        name: np.bincount(key, values[inside])[there] for name, values in _columns(shown).items()
    }
    return pa.table({"listener": there // DAYS, "day": there % DAYS, **sums})


def _kept(visits: Visits, shown: Shown, first: Ints, rng: np.random.Generator) -> pa.Table:
    """Return the columns of sql/listeners.sql that are not in `Listeners`."""
    back = visits.is_return & (visits.second > first[visits.listener])
    who, since = visits.listener[back], visits.second[back] - first[visits.listener[back]]
    columns: dict[str, NDArray[np.bool_] | NDArray[np.datetime64]] = {}
    for day in WAITS:
        returned = np.zeros(len(first), np.bool_)
        returned[who[since // 86_400 == int(day)]] = True
        columns[f"returned_{day}"] = returned
    gone = visits.second[back]
    leaves = (rng.random(len(gone)) < CANCELLED) & (gone < DAYS * 86_400)
    happened = {
        "subscribed": (shown.listener[shown.subscribed], shown.second[shown.subscribed]),
        "cancelled": (who[leaves], gone[leaves]),
    }
    for name, (listener, second) in happened.items():
        at = np.full(len(first), np.iinfo(np.int64).max)
        np.minimum.at(at, listener, second)
        moments = START + np.where(at < 1e15, at, 0).astype("timedelta64[s]")
        columns[f"{name}_at"] = np.where(at < 1e15, moments, np.datetime64("NaT", "us"))
    return pa.table(columns)


@dataclass(frozen=True)
class Paths:
    """A metric at every reading of many experiments, (experiments, readings)."""

    effect: Effect
    """Of the last reading."""
    z: Floats
    information: Floats

    @property
    def critical(self) -> Floats:
        """The critical value of every reading."""
        looks = self.z.shape[1]
        return np.concatenate(
            [
                boundary(self.information[rows : rows + 100], looks, True, PARAMETERS.alpha)
                for rows in range(0, len(self.z), 100)
            ]
        )


def paths(metric: Metric, drawn: Iterable[Drawn]) -> Paths:
    """Read a metric of many experiments every day, the caps being those of the last day."""
    looks = len(EXPERIMENT.looks(metric.wait_days))
    sums, information, z = [], [], []
    for one in drawn:
        found = readings(
            metric, one.listeners, one.activity.until(looks - 1), (2, 1, looks), PARAMETERS.cap
        )
        with np.errstate(all="ignore"):
            effect = compare_sums(found.sums[0, 0], found.sums[1, 0])
        known = information_of(effect, found.counted[:, 0], PARAMETERS.fewest_users)
        sums.append(found.sums[:, 0, -1])
        information.append(known)
        z.append(np.where(known > 0, np.nan_to_num(effect.z), 0.0))
    last = np.stack(sums)
    return Paths(compare_sums(last[:, 0], last[:, 1]), np.stack(z), np.stack(information))


def metric_named(name: str) -> Metric:
    """Return a metric."""
    return next(metric for metric in METRICS if metric.name == name)


def power_of(
    effect: Floats | float, standard_error: Floats | float, critical: Floats | float
) -> Floats:
    """Return the probability of a difference beyond ``critical`` standard errors, two-sided."""
    shift = np.asarray(effect) / standard_error
    power: Floats = stats.norm.sf(critical - shift) + stats.norm.cdf(-critical - shift)
    return power
