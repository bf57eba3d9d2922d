"""The metrics, each a ratio of two sums over listeners."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.experiments.effects import Arm

Column = NDArray[np.float64]

USERS = "users"
"""A column of ones: 1 per listener."""


@dataclass(frozen=True)
class Metric:
    """One metric: sums of columns of the table of listeners (sql/listeners.sql)."""

    name: str
    meaning: str
    numerator: tuple[str, ...]
    denominator: tuple[str, ...]
    before: tuple[tuple[str, ...], tuple[str, ...]]
    """Numerator and denominator before the experiment, for CUPED."""

    def arm(self, columns: Mapping[str, Column], chosen: NDArray[np.bool_]) -> Arm:
        """Return the metric's sums for the chosen listeners."""

        def total(names: tuple[str, ...]) -> Column:
            if names == (USERS,):
                return np.ones(int(np.count_nonzero(chosen)))
            summed: Column = np.sum([columns[name][chosen] for name in names], axis=0)
            return summed

        return Arm(
            total(self.numerator),
            total(self.denominator),
            total(self.before[0]),
            total(self.before[1]),
        )


def _ratio(name: str, meaning: str, above: tuple[str, ...], below: tuple[str, ...]) -> Metric:
    before = tuple(tuple(f"before_{column}" for column in side) for side in (above, below))
    return Metric(name, meaning, above, below, (before[0], before[1]))


def _per_user(name: str, meaning: str, column: str, below: str, before: str) -> Metric:
    return Metric(name, meaning, (column,), (below,), ((f"before_{before}",), (USERS,)))


METRICS = (
    _ratio(
        "click_through_rate", "exposures that were clicked, of all", ("clicks",), ("exposures",)
    ),
    _ratio("plays_per_exposure", "plays for each exposure", ("plays",), ("exposures",)),
    _ratio("skip_rate", "skips, of plays and skips together", ("skips",), ("plays", "skips")),
    _per_user(
        "listening_seconds", "seconds listened for each listener", "seconds", USERS, "seconds"
    ),
    _per_user(
        "return_day_1", "listeners who came back on the first day after", "returned_1", "due_1",
        "exposures",
    ),
    _per_user(
        "return_day_7", "listeners who came back on the seventh day after", "returned_7", "due_7",
        "exposures",
    ),
    _per_user(
        "return_day_30", "listeners who came back on the thirtieth day after", "returned_30",
        "due_30", "exposures",
    ),
    _per_user("subscription_rate", "listeners who subscribed", "subscribed", USERS, "exposures"),
    _per_user("cancellation_rate", "listeners who cancelled", "cancelled", USERS, "exposures"),
)  # fmt: skip
"""In display order."""
