"""From listeners to `experiment_results`: every variant, segment and metric of an experiment."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tasks.dataset.experiments import DAY, Experiment, naive
from tasks.experiments.activity import Activity, Ints, Listeners, Readings, readings
from tasks.experiments.effects import DENOMINATOR, NUMERATOR, ONE, Effect, Floats, compare_sums
from tasks.experiments.information import Boundary, rising
from tasks.experiments.metrics import METRICS, Metric
from tasks.experiments.mismatch import MISMATCH_LEVEL, mismatch_p_value
from tasks.experiments.parameters import ExperimentParameters
from tasks.experiments.power import users_needed
from tasks.experiments.reach import Reach

ALL = "all"


@dataclass(frozen=True)
class Reading:
    """An experiment at the moment of reading."""

    experiment: Experiment
    listeners: Listeners
    activity: Activity
    segments: Sequence[str]
    until: Reach
    parameters: ExperimentParameters
    remarks: tuple[str, ...] = ()
    """Remarks to add to every row's note."""

    @cached_property
    def exposures(self) -> Floats:
        """Exposures of every listener."""
        shown = self.activity.columns["exposures"]
        users = len(self.listeners.variant)
        return np.bincount(self.activity.listener, shown, users).astype(np.float64)

    def position(self, metric: Metric) -> tuple[int, int, bool]:
        """Return which reading of a metric this is, of how many, and whether it is the last.

        A metric that waits for listeners to be due ends when the last one is.
        """
        experiment, until = self.experiment, self.until
        inside = len(experiment.looks())
        looks = experiment.looks(metric.wait_days)
        # Returns are events, which may come later than the exposures.
        moment = until.as_of if until.events is None or not metric.wait_days else until.events
        now = min(int(np.searchsorted(looks, moment)), len(looks) - 1)
        due = self.listeners.first_at + metric.wait_days * DAY
        ended = now == len(looks) - 1 or (now >= inside - 1 and bool(np.all(due <= moment)))
        return now, len(looks), ended

    def complete_until(self, metric: Metric) -> np.datetime64 | None:
        """Return until when the exposures' outcomes are known; None: nothing is."""
        if self.until.events is None:
            return None
        waits = self.until.delays[metric.outcome] + metric.wait_days * DAY
        return min(self.until.events - waits, self.until.as_of)


@dataclass(frozen=True)
class Comparison:
    """A variant against the control, where there is enough for an interval."""

    effect: Effect
    boundary: Boundary


@dataclass(frozen=True)
class Measured:
    """One row of `EXPERIMENT_RESULTS`, and the comparison in it."""

    row: dict[str, Any]
    comparison: Comparison | None = None


def results(reading: Reading) -> list[Measured]:
    """Return the rows of one experiment."""
    # A quantile of few listeners is that of a few outliers.
    enough = len(reading.listeners.variant) >= 2 * reading.parameters.fewest_users
    quantile = reading.parameters.cap if enough else None
    mismatches = {segment: _mismatch(reading, segment) for segment in (ALL, *reading.segments)}
    found: dict[tuple[int, str, str], Measured] = {}
    for metric in METRICS:
        now, _, _ = reading.position(metric)
        shape = (len(reading.experiment.variants), len(reading.segments), now + 1)
        summed = readings(metric, reading.listeners, reading.activity.until(now), shape, quantile)
        for position in range(shape[0]):
            for segment in (ALL, *reading.segments):
                mismatch = mismatches[ALL] or mismatches[segment]
                found[position, segment, metric.name] = _measure(
                    reading, position, segment, metric, summed, mismatch
                )
    broken = [name for name in reading.segments if mismatches[name] and not mismatches[ALL]]
    if broken:
        remark = f"sample ratio mismatch in segment {', '.join(broken)}: find the cause first"
        for (_, segment, _), one in found.items():
            if segment == ALL:
                one.row["note"] = _sentences([one.row["note"], remark])
    order = [
        (position, segment, metric.name)
        for position in range(len(reading.experiment.variants))
        for segment in (ALL, *reading.segments)
        for metric in METRICS
    ]
    return [found[key] for key in order]


def _measure(
    reading: Reading,
    position: int,
    segment: str,
    metric: Metric,
    summed: Readings,
    mismatch: str,
) -> Measured:
    """Measure one variant in one segment by one metric."""
    here = slice(None) if segment == ALL else [reading.segments.index(segment)]
    listeners = reading.listeners
    chosen = listeners.variant == position
    if segment != ALL:
        chosen &= listeners.segment == reading.segments.index(segment)
    row: dict[str, Any] = {
        "experiment": reading.experiment.name,
        "variant": reading.experiment.variants[position].name,
        "segment": segment,
        "metric": metric.name,
        "users": int(np.count_nonzero(chosen)),
        "exposures": int(reading.exposures[chosen].sum()),
        **dict.fromkeys(("value", "lift", "ci_low", "ci_high", "p_value", "information")),
        "capped": int(summed.capped[position, here].sum()),
        "as_of": reading.until.as_of,
        "complete_until": reading.complete_until(metric),
    }
    if mismatch:
        return Measured({**row, "note": mismatch})
    sums = summed.sums[:, here].sum(axis=1)
    total = sums[position, -1, ONE, DENOMINATOR]
    row["value"] = float(sums[position, -1, ONE, NUMERATOR] / total) if total else None
    if not position:
        return Measured({**row, "note": _sentences(["control", *_circumstances(reading, row)])})
    counted = summed.counted[:, here].sum(axis=1)
    measured, said, comparison = _against_control(
        reading, metric, sums[[0, position]], counted[[0, position]]
    )
    notes = [*said, *_circumstances(reading, row)]
    return Measured({**row, **measured, "note": _sentences(notes)}, comparison)


def information_of(effect: Effect, counted: Ints, fewest_users: int) -> Floats:
    """Return the information of the readings; none before there are enough listeners.

    ``counted`` are the listeners that count in either arm, (2, readings).
    """
    return rising(np.where(counted.min(axis=0) >= fewest_users, effect.information, 0.0))


def _against_control(
    reading: Reading, metric: Metric, sums: Floats, counted: Ints
) -> tuple[dict[str, float], list[str], Comparison | None]:
    """Return lift, interval and p-value as far as they exist, remarks, and the comparison.

    ``sums`` and ``counted`` are those of control and variant at every reading.
    """
    parameters = reading.parameters
    smaller = int(counted[:, -1].min())
    if smaller < parameters.fewest_users:
        return {}, [
            f"too little data: {smaller:,} listeners count in the smaller variant, "
            f"{parameters.fewest_users - smaller:,} more are needed for an interval"
        ], None  # fmt: skip
    path, effect = compare_sums(sums[0], sums[1]), compare_sums(sums[0, -1], sums[1, -1])
    if np.isnan(effect.lift) or effect.control.value <= 0 or effect.standard_error == 0:
        return {}, ["no lift: the control's value is 0 or nothing varies"], None
    _, looks, ended = reading.position(metric)
    boundary = Boundary(
        information_of(path, counted, parameters.fewest_users), looks, ended, parameters.alpha
    )
    measured = {
        "lift": float(effect.lift),
        "p_value": boundary.p_value(float(effect.z)),
        "information": boundary.share,
    }
    low, high = effect.lift_interval(boundary.critical)
    if not np.isnan(low):
        measured |= {"ci_low": float(low), "ci_high": float(high)}
    said = _too_little(reading, effect, boundary, int(counted[:, -1].sum()))
    if effect.explained >= 0.005:
        said.append(
            f"variance reduced by {effect.explained:.0%} using behaviour before the experiment"
        )
    return measured, said, Comparison(effect, boundary)


def _too_little(reading: Reading, effect: Effect, boundary: Boundary, users: int) -> list[str]:
    """Return how many more listeners are needed if the result is undecided."""
    parameters = reading.parameters
    if abs(effect.z) > boundary.critical:
        return []
    needed = users_needed(
        users,
        float(effect.standard_error),
        parameters.effect * float(effect.control.value),
        boundary.final_critical,
        parameters.power,
    )
    if needed <= users:
        return []
    return [
        f"too little data to see a lift of {parameters.effect:.0%}: about {needed - users:,} more "
        "listeners are needed"
    ]


def _circumstances(reading: Reading, row: dict[str, Any]) -> Iterator[str]:
    experiment, until = reading.experiment, reading.until
    if until.as_of < naive(experiment.end):
        yield f"still running, until {experiment.end:%Y-%m-%d}"
    complete = row["complete_until"]
    if complete is None or complete < min(until.as_of, naive(experiment.end)) - DAY:
        moment = "not known" if complete is None else f"{complete.item():%Y-%m-%d %H:%M}"
        yield f"complete until {moment}, later exposures may still gain"
    if until.strays:
        yield (
            f"as of {until.as_of.item():%Y-%m-%d %H:%M}: {until.strays:,} exposures and events "
            "with a much later date are taken for wrong clocks"
        )
    if row["capped"]:
        yield (
            f"{row['capped']:,} listeners' values are capped at the {reading.parameters.cap:.1%} "
            "quantile"
        )
    if row["segment"] != ALL:
        yield (
            f"one of {len(reading.segments)} segments: about one in twenty such intervals excludes "
            "0 by chance"
        )
    yield from reading.remarks


def _mismatch(reading: Reading, segment: str) -> str:
    """Return a message if the listeners per variant do not match the shares, else an empty text."""
    variants, listeners = reading.experiment.variants, reading.listeners
    here, level = np.ones(len(listeners.variant), np.bool_), MISMATCH_LEVEL
    if segment != ALL:
        here = listeners.segment == reading.segments.index(segment)
        level /= len(reading.segments)
    counts = np.bincount(listeners.variant[here], minlength=len(variants)).tolist()
    p_value = mismatch_p_value(counts, reading.experiment.shares)
    if p_value >= level:
        return ""
    total, shares = sum(counts), sum(reading.experiment.shares)
    found = ", ".join(
        f"{count:,} listeners in {variant.name} where {total * variant.share / shares:,.0f} "
        "were expected"
        for variant, count in zip(variants, counts, strict=True)
    )
    return f"withheld, sample ratio mismatch (p = {p_value:.1g}): {found}; find the cause first"


def _sentences(parts: Sequence[str]) -> str:
    return "; ".join(part for part in parts if part)
