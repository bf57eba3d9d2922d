"""From listeners to `experiment_results`: every variant, segment and metric of an experiment."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.dataset.experiments import Experiment, naive
from tasks.experiments.effects import Effect, compare
from tasks.experiments.metrics import METRICS, Metric
from tasks.experiments.mismatch import MISMATCH_LEVEL, mismatch_p_value
from tasks.experiments.parameters import ExperimentParameters
from tasks.experiments.power import users_needed
from tasks.experiments.spending import Boundary

ALL = "all"


@dataclass(frozen=True)
class Listeners:
    """The listeners of one experiment, one element each."""

    variant: NDArray[np.int64]
    """Position of the variant they were served."""
    segment: NDArray[np.int64]
    """Position of the history segment."""
    first_at: NDArray[np.datetime64]
    """First exposure within the experiment (UTC)."""
    columns: Mapping[str, NDArray[np.float64]]
    """The columns that `Metric` sums."""


@dataclass(frozen=True)
class Reading:
    """An experiment at the moment of reading."""

    experiment: Experiment
    listeners: Listeners
    segments: Sequence[str]
    as_of: np.datetime64
    """Time of the latest exposure or event (UTC)."""
    parameters: ExperimentParameters
    remarks: tuple[str, ...] = ()
    """Remarks to add to every row's note."""


def results(reading: Reading) -> list[dict[str, Any]]:
    """Return the rows of one experiment, as `EXPERIMENT_RESULTS`."""
    mismatch = _mismatch(reading)
    rows: list[dict[str, Any]] = []
    for position in range(len(reading.experiment.variants)):
        boundary = _boundary(reading, position) if position and not mismatch else None
        for segment in (ALL, *reading.segments):
            for metric in METRICS:
                rows.append(_row(reading, position, segment, metric, boundary, mismatch))
    return rows


def _row(
    reading: Reading,
    position: int,
    segment: str,
    metric: Metric,
    boundary: Boundary | None,
    mismatch: str,
) -> dict[str, Any]:
    """Measure one variant in one segment by one metric."""
    listeners = reading.listeners
    here = np.ones(len(listeners.variant), np.bool_)
    if segment != ALL:
        here = listeners.segment == reading.segments.index(segment)
    treated = here & (listeners.variant == position)
    row: dict[str, Any] = {
        "experiment": reading.experiment.name,
        "variant": reading.experiment.variants[position].name,
        "segment": segment,
        "metric": metric.name,
        "users": int(np.count_nonzero(treated)),
        "exposures": int(listeners.columns["exposures"][treated].sum()),
        **dict.fromkeys(("value", "lift", "ci_low", "ci_high", "p_value")),
    }
    if mismatch:
        return {**row, "note": mismatch}
    value = metric.arm(listeners.columns, treated).ratio
    row["value"] = None if np.isnan(value) else value
    if boundary is None:
        return {**row, "note": _sentences(["control" if not position else "", *reading.remarks])}
    measured, said = _against_control(reading, here, treated, metric, boundary)
    notes = [*said, *_circumstances(reading, segment), *reading.remarks]
    return {**row, **measured, "note": _sentences(notes)}


def _against_control(
    reading: Reading,
    here: NDArray[np.bool_],
    treated: NDArray[np.bool_],
    metric: Metric,
    boundary: Boundary,
) -> tuple[dict[str, float], list[str]]:
    """Return lift, interval and p-value as far as they exist, and remarks for the note."""
    parameters, listeners = reading.parameters, reading.listeners
    arms = [
        metric.arm(listeners.columns, chosen)
        for chosen in (here & (listeners.variant == 0), treated)
    ]
    counted = [int(np.count_nonzero(arm.denominator)) for arm in arms]
    if min(counted) < parameters.fewest_users:
        missing = parameters.fewest_users - min(counted)
        return {}, [
            f"too little data: {min(counted):,} listeners count in the smaller variant, "
            f"{missing:,} more are needed for an interval"
        ]
    effect = compare(*arms)
    if np.isnan(effect.lift) or effect.control.value <= 0 or effect.standard_error == 0:
        return {}, ["no lift: the control's value is 0 or nothing varies"]
    measured = {"lift": effect.lift, "p_value": boundary.p_value(effect.z)}
    interval = effect.lift_interval(boundary.critical)
    if interval:
        measured |= {"ci_low": interval[0], "ci_high": interval[1]}
    said = _too_little(reading, effect, boundary, sum(counted))
    if effect.explained >= 0.005:
        said.append(
            f"variance reduced by {effect.explained:.0%} using behaviour before the experiment"
        )
    return measured, said


def _too_little(reading: Reading, effect: Effect, boundary: Boundary, users: int) -> list[str]:
    """Return how many more listeners are needed if the result is undecided."""
    parameters = reading.parameters
    if abs(effect.z) > boundary.critical:
        return []
    needed = users_needed(
        users,
        effect.standard_error,
        parameters.effect * effect.control.value,
        boundary.final_critical,
        parameters.power,
    )
    if needed <= users:
        return []
    return [
        f"too little data to see a lift of {parameters.effect:.0%}: about {needed - users:,} more "
        "listeners are needed"
    ]


def _circumstances(reading: Reading, segment: str) -> Iterator[str]:
    experiment = reading.experiment
    if reading.as_of < naive(experiment.end):
        yield f"still running, until {experiment.end:%Y-%m-%d}"
    if segment != ALL:
        yield (
            f"one of {len(reading.segments)} segments: about one in twenty such intervals excludes "
            "0 by chance"
        )


def _mismatch(reading: Reading) -> str:
    """Return a message if the listeners per variant do not match the shares, else an empty text."""
    variants = reading.experiment.variants
    counts = np.bincount(reading.listeners.variant, minlength=len(variants)).tolist()
    p_value = mismatch_p_value(counts, reading.experiment.shares)
    if p_value >= MISMATCH_LEVEL:
        return ""
    total, shares = sum(counts), sum(reading.experiment.shares)
    found = ", ".join(
        f"{count:,} listeners in {variant.name} where {total * variant.share / shares:,.0f} "
        "were expected"
        for variant, count in zip(variants, counts, strict=True)
    )
    return f"withheld, sample ratio mismatch (p = {p_value:.1g}): {found}; find the cause first"


def _boundary(reading: Reading, position: int) -> Boundary:
    """Return the critical values of this reading, from the listeners of each earlier one."""
    experiment, listeners = reading.experiment, reading.listeners
    looks = experiment.looks()
    done = min(int(np.searchsorted(looks, reading.as_of)) + 1, len(looks))
    start = naive(experiment.start)
    seen = [
        np.searchsorted(np.sort(listeners.first_at[listeners.variant == arm]), looks[:done])
        for arm in (0, position)
    ]
    users = np.maximum(np.array(seen, np.float64), 1e-9)
    information = 1.0 / (1.0 / users).sum(axis=0)
    time = (looks - start) / (looks[-1] - start)
    return Boundary(information.tolist(), time.tolist(), reading.parameters.alpha)


def _sentences(parts: Sequence[str]) -> str:
    return "; ".join(part for part in parts if part)
