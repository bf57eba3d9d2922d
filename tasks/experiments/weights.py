"""Compare the best measured weight of each segment with the one that offline evaluation chose.

A winner is named if its interval excludes 0 at the error of all comparisons together: each one of
the m comparisons of variants and segments has α / m (Bonferroni), so that an experiment without any
effect names one, in any segment, with probability α at most.

Nothing is adopted: the weight that won an experiment is reported with its interval, next to the
weight in use. To adopt it, a user writes it into the configuration.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tasks.dataset.experiments import Experiment
from tasks.experiments.results import Measured


@dataclass(frozen=True)
class _Tried:
    """A variant's lift with the interval that holds for all comparisons together."""

    variant: str
    lift: float
    ci_low: float
    ci_high: float


def measured_weights(
    experiment: Experiment,
    measured: Sequence[Measured],
    offline: Mapping[str, float],
    goal: str,
    alpha: float,
) -> list[dict[str, Any]]:
    """Return `MEASURED_WEIGHTS` of an experiment on weights, else nothing.

    ``measured`` are the experiment's results, ``offline`` the learned weight of each segment,
    ``goal`` the metric that decides, ``alpha`` the probability of naming a weight without an
    effect.
    """
    if not all(variant.decides_weight for variant in experiment.variants):
        return []
    weights = {variant.name: variant.served_weight for variant in experiment.variants}
    level = alpha / (len(offline) * (len(weights) - 1))
    found = []
    for segment, learned in offline.items():
        results = [
            one for one in measured if one.row["segment"] == segment and one.row["metric"] == goal
        ]
        used = {name: learned if w is None else w for name, w in weights.items()}
        best = _best(results, experiment.variants[0].name, level)
        row = {
            "segment": segment,
            "experiment": experiment.name,
            "offline_weight": learned,
            "metric": goal,
            **dict.fromkeys(("measured_weight", "lift", "ci_low", "ci_high")),
        }
        if best is None:
            row["note"] = _undecided([one.row for one in results], used)
        else:
            row |= {"lift": best.lift, "ci_low": best.ci_low, "ci_high": best.ci_high}
            row["measured_weight"] = used[best.variant]
            row["note"] = _explained(best, used, experiment, learned, goal)
        found.append(row)
    return found


def _best(results: Sequence[Measured], control: str, level: float) -> _Tried | None:
    """Return the best of the variants that beat the control, or the control if it beats all."""
    tried = [one for one in (_tried(result, level) for result in results) if one]
    winners = [one for one in tried if one.ci_low > 0]
    if winners:
        return max(winners, key=lambda one: one.lift)
    losers = [one for one in tried if one.ci_high < 0]
    if losers and len(losers) == len(results) - 1:
        return _Tried(control, 0.0, 0.0, 0.0)
    return None


def _tried(result: Measured, level: float) -> _Tried | None:
    if result.comparison is None:
        return None
    effect, boundary = result.comparison.effect, result.comparison.boundary
    low, high = effect.lift_interval(boundary.critical_at(level))
    if np.isnan(low):
        return None
    return _Tried(result.row["variant"], float(effect.lift), float(low), float(high))


def _undecided(results: Sequence[Mapping[str, Any]], used: Mapping[str, float]) -> str:
    tried = ", ".join(f"{weight:g}" for weight in dict.fromkeys(used.values()))
    withheld = next((row["note"] for row in results if row["note"].startswith("withheld")), None)
    if withheld:
        return str(withheld)
    return f"of the weights tried ({tried}) none is measurably better; keep the weight in use"


def _explained(
    best: _Tried, used: Mapping[str, float], experiment: Experiment, learned: float, goal: str
) -> str:
    weight, metric = used[best.variant], goal.replace("_", " ")
    control = experiment.variants[0].name
    if best.variant == control:
        said = f"every other weight tried lowered the {metric}"
    else:
        said = (
            f"{metric} {best.lift:+.1%} [{best.ci_low:+.1%}, {best.ci_high:+.1%}] "
            f"against {used[control]:g}"
        )
    if weight == learned:
        return f"{said}; the offline choice holds"
    return (
        f"{said}; offline evaluation chose {learned:g}, because it finds best what listeners had "
        "already played, whereas the experiment counts what they did with what they were shown. "
        "Not adopted: to use it, pass it to recommend_user as `weight`. The best of several "
        "variants is usually overestimated"
    )
