"""Compare the best measured weight of each segment with the one that offline evaluation chose.

Nothing is adopted: the weight that won an experiment is reported with its interval, next to the
weight in use. To adopt it, a user writes it into the configuration.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from tasks.dataset.experiments import Experiment


def measured_weights(
    experiment: Experiment,
    rows: Sequence[Mapping[str, Any]],
    offline: Mapping[str, float],
    goal: str,
) -> list[dict[str, Any]]:
    """Return `MEASURED_WEIGHTS` of an experiment on weights, else nothing.

    ``rows`` are the experiment's results, ``offline`` the learned weight of each segment, ``goal``
    the metric that decides.
    """
    if not all(variant.decides_weight for variant in experiment.variants):
        return []
    weights = {variant.name: variant.served_weight for variant in experiment.variants}
    found = []
    for segment, learned in offline.items():
        results = [row for row in rows if row["segment"] == segment and row["metric"] == goal]
        used = {name: learned if w is None else w for name, w in weights.items()}
        best = _best(results, experiment.variants[0].name)
        common = {
            "segment": segment,
            "experiment": experiment.name,
            "offline_weight": learned,
            "metric": goal,
        }
        if best is None:
            note = _undecided(results, used)
            found.append(
                common
                | dict.fromkeys(("measured_weight", "lift", "ci_low", "ci_high"))
                | {"note": note}
            )
            continue
        measured = {name: best[name] for name in ("lift", "ci_low", "ci_high")}
        found.append(
            common | measured
            | {"measured_weight": used[best["variant"]],
               "note": _explained(best, used, experiment, learned)}
        )  # fmt: skip
    return found


def _best(results: Sequence[Mapping[str, Any]], control: str) -> Mapping[str, Any] | None:
    """Return the best row among those that beat the control, or the control if it beats all."""
    compared = [row for row in results if row["ci_low"] is not None]
    winners = [row for row in compared if row["ci_low"] > 0]
    if winners:
        return max(winners, key=lambda row: row["lift"])
    losers = [row for row in compared if row["ci_high"] < 0]
    if losers and len(losers) == len(results) - 1:
        best = next(row for row in results if row["variant"] == control)
        return {**best, "lift": 0.0, "ci_low": 0.0, "ci_high": 0.0}
    return None


def _undecided(results: Sequence[Mapping[str, Any]], used: Mapping[str, float]) -> str:
    tried = ", ".join(f"{weight:g}" for weight in dict.fromkeys(used.values()))
    withheld = next((row["note"] for row in results if row["note"].startswith("withheld")), None)
    if withheld:
        return str(withheld)
    return f"of the weights tried ({tried}) none is measurably better; keep the weight in use"


def _explained(
    best: Mapping[str, Any], used: Mapping[str, float], experiment: Experiment, learned: float
) -> str:
    weight, metric = used[best["variant"]], best["metric"].replace("_", " ")
    control = experiment.variants[0].name
    if best["variant"] == control:
        said = f"every other weight tried lowered the {metric}"
    else:
        said = (
            f"{metric} {best['lift']:+.1%} [{best['ci_low']:+.1%}, {best['ci_high']:+.1%}] "
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
