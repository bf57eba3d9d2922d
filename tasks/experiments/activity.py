"""What listeners did from reading to reading, and the sums that `compare_sums` takes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tasks.experiments.capping import Caps
from tasks.experiments.effects import DENOMINATOR, TERMS
from tasks.experiments.metrics import USERS, Metric

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_CHUNK = 1_000_000
"""Rows summed at once, to limit memory."""


@dataclass(frozen=True)
class Activity:
    """What listeners did, one element per listener and reading in which they did something."""

    listener: Ints
    """Position of the listener, ascending."""
    look: Ints
    """Position of the reading, ascending within a listener."""
    columns: Mapping[str, Floats]
    """What was added in that reading, by column of a `Metric`; missing columns are 0."""

    def until(self, look: int) -> "Activity":
        """Return what had happened by a reading."""
        known = self.look <= look
        columns = {name: values[known] for name, values in self.columns.items()}
        return Activity(self.listener[known], self.look[known], columns)

    def total(self, names: tuple[str, ...]) -> Floats:
        """Return the sum of columns, one element per row."""
        return _summed(self.columns, names, len(self.look))


@dataclass(frozen=True)
class Listeners:
    """The listeners of one experiment, one element each."""

    variant: Ints
    """Position of the variant they were served."""
    segment: Ints
    """Position of the history segment at their first exposure."""
    first_at: NDArray[np.datetime64]
    """First exposure within the experiment (UTC)."""
    before: Mapping[str, Floats] = field(default_factory=dict)
    """What they did before the experiment, by column of a `Metric`; missing columns are 0."""

    def earlier(self, names: tuple[str, ...]) -> Floats:
        """Return the sum of columns of the time before."""
        if names == (USERS,):
            return np.ones(len(self.variant))
        return _summed(self.before, names, len(self.variant))


@dataclass(frozen=True)
class Readings:
    """A metric's sums at every reading."""

    sums: Floats
    """(variants, segments, readings, TERMS, TERMS): what `compare_sums` takes."""
    counted: Ints
    """(variants, segments, readings): listeners with a denominator."""
    capped: Ints
    """(variants, segments): listeners whose values are capped at the last reading."""


def readings(
    metric: Metric,
    listeners: Listeners,
    activity: Activity,
    shape: tuple[int, int, int],
    quantile: float | None,
) -> Readings:
    """Sum a metric; ``shape`` is the number of variants, segments and readings.

    ``quantile`` caps each listener's values (`Caps`), at every reading by the caps of the last.
    """
    above, below = activity.total(metric.numerator), activity.total(metric.denominator)
    earlier = [listeners.earlier(names) for names in metric.before]
    users = len(listeners.variant)
    totals: list[Floats] = [
        np.bincount(activity.listener, values, users).astype(np.float64)
        for values in (above, below)
    ]
    caps = Caps()
    if quantile is not None and metric.is_capped:
        caps = Caps.of(totals[0], totals[1], quantile)
        earlier = list(Caps.of(earlier[0], earlier[1], quantile).cut(earlier[0], earlier[1]))
    cell = listeners.variant * shape[1] + listeners.segment
    products = np.zeros((int(np.prod(shape)), TERMS, TERMS))
    counted = np.zeros(len(products), np.int64)
    for rows in _chunks(activity.listener):
        who = activity.listener[rows]
        first = np.diff(who, prepend=-1) != 0
        sums = [_within(values[rows], first) for values in (above, below)]
        now = np.stack([np.ones(len(who)), *caps.cut(sums[0], sums[1]), *(e[who] for e in earlier)])
        was = np.where(first, 0.0, np.roll(now, 1, axis=1))
        place = cell[who] * shape[2] + activity.look[rows]
        for i in range(TERMS):
            for j in range(i + 1):
                added = now[i] * now[j] - was[i] * was[j]
                products[:, i, j] += np.bincount(place, added, len(products))
        counts = (now[DENOMINATOR] > 0) & ~(was[DENOMINATOR] > 0)
        counted += np.bincount(place[counts], minlength=len(products))
    lower = np.tril(np.ones((TERMS, TERMS), np.bool_), -1)
    products = products + np.where(lower, products, 0.0).swapaxes(1, 2)
    capped = np.bincount(cell[caps.exceeded(totals[0], totals[1])], minlength=shape[0] * shape[1])
    return Readings(
        np.cumsum(products.reshape(*shape, TERMS, TERMS), axis=2),
        np.cumsum(counted.reshape(shape), axis=2),
        capped.reshape(shape[:2]),
    )


def _summed(columns: Mapping[str, Floats], names: tuple[str, ...], rows: int) -> Floats:
    """Return the sum of columns; missing ones are 0."""
    found = [columns[name] for name in names if name in columns]
    summed: Floats = np.sum(found, axis=0) if found else np.zeros(rows)
    return summed


def _chunks(listener: Ints) -> list[slice]:
    """Divide the rows between listeners."""
    wanted = np.arange(_CHUNK, len(listener), _CHUNK)
    edges = np.unique([0, *np.searchsorted(listener, listener[wanted]), len(listener)])
    return [slice(low, high) for low, high in pairwise(edges)]


def _within(values: Floats, first: NDArray[np.bool_]) -> Floats:
    """Return the running sums within each listener."""
    running = np.cumsum(values)
    starts = np.flatnonzero(first)
    before = running[starts] - values[starts]
    return running - np.repeat(before, np.diff(starts, append=len(values)))
