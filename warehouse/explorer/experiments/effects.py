"""One variant's effect on one metric, and what its interval says."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from warehouse.explorer.experiments.metrics import METRICS, Metric, metric_named
from warehouse.explorer.wording import interval, percent

ALL = "all"
"""The segment of all listeners."""

State = Literal["better", "worse", "unclear", "unmeasured"]


@dataclass(frozen=True)
class Effect:
    """A row of `experiment_results` beside the control."""

    variant: str
    segment: str
    metric: Metric
    users: int
    lift: float | None
    """Relative difference to the control."""
    ci_low: float | None
    ci_high: float | None
    note: str

    @property
    def state(self) -> State:
        """What the interval says: it excludes 0 on the good or the bad side, or it does not."""
        if self.lift is None or self.ci_low is None or self.ci_high is None:
            return "unmeasured"
        if self.ci_low <= 0 <= self.ci_high:
            return "unclear"
        return "better" if (self.ci_low > 0) == self.metric.more_is_better else "worse"

    @property
    def is_withheld(self) -> bool:
        """Tell whether the figure is withheld because of a sample ratio mismatch."""
        return self.note.startswith("withheld")


def effects_of(rows: Iterable[Mapping[str, Any]]) -> list[Effect]:
    """Return the effects in rows of `experiment_results`, in the order of METRICS."""
    order = {metric.name: position for position, metric in enumerate(METRICS)}
    effects = [
        Effect(
            variant=str(row["variant"]),
            segment=str(row["segment"]),
            metric=metric_named(str(row["metric"])),
            users=int(row.get("users") or 0),
            lift=row.get("lift"),
            ci_low=row.get("ci_low"),
            ci_high=row.get("ci_high"),
            note=str(row.get("note") or ""),
        )
        for row in rows
    ]
    return sorted(effects, key=lambda effect: order.get(effect.metric.name, len(order)))


def in_words(effect: Effect, confidence: float) -> str:
    """Return the lift and its interval as part of a sentence."""
    if effect.lift is None:
        return "not measured yet"
    if effect.ci_low is None or effect.ci_high is None:
        return f"{percent(effect.lift)}, no interval yet"
    between = interval(effect.ci_low, effect.ci_high)
    return f"{percent(effect.lift)}, {100 * confidence:g} % interval {between}"
