"""The quality gate: may a candidate release become the current one?

Candidate and current release are compared on the listeners that both were measured on, listener by
listener, so that most of the noise between listeners cancels.
"""

from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from tasks.evaluation.bootstrap import interval, resample_counts, resampled_means
from tasks.evaluation.measure import metric_name
from tasks.evaluation.models import HYBRID, POPULARITY
from tasks.evaluation.parameters import EvaluationParameters
from tasks.evaluation.report import GATED, JUDGED

Verdict = Literal["within the limit", "undecided", "beyond the limit"]

LABELS = {"recall@20": "recall@20", "recall@50": "recall@50", "ndcg@100": "NDCG@100"}


class Comparison(BaseModel):
    """One metric on the common listeners, differences as shares of the current release's value."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    metric: str
    listeners: int
    current: float
    candidate: float
    change: float
    """(candidate - current) / current."""
    ci_low: float
    ci_high: float
    verdict: Verdict


class GateVerdict(BaseModel):
    """Whether a candidate may become current, and why not."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    passed: bool
    reasons: tuple[str, ...] = ()
    """One readable sentence for each thing that fell too far."""
    notes: tuple[str, ...] = ()
    """What a reader should know of a candidate that passed: nothing to compare with, undecided."""
    comparisons: tuple[Comparison, ...] = ()


def gate(
    candidate: pa.Table,
    current: pa.Table | None,
    evaluation: pa.Table,
    parameters: EvaluationParameters,
) -> GateVerdict:
    """Judge a candidate by its listeners and evaluation tables (tasks.evaluation.report).

    ``current`` is the listeners table of the current release of the same dataset; None starts a
    baseline. Refused is a candidate that loses more than ``gate_loss`` in any gated metric on the
    common listeners, or that is worse than popularity.
    """
    reasons, notes, comparisons = [], [], []
    if (below := below_popularity(evaluation)) is not None:
        reasons.append(below)
    if current is None:
        notes.append("no release to compare with: this one is the baseline")
    else:
        comparisons = compare(candidate, current, parameters)
        if not comparisons:
            notes.append(
                f"fewer than {parameters.gate_listeners} listeners were measured in both releases: "
                "not compared"
            )
    for comparison in comparisons:
        if _refused(comparison, parameters):
            reasons.append(_sentence(comparison, parameters))
        elif comparison.verdict == "undecided":
            notes.append(_sentence(comparison, parameters))
    return GateVerdict(
        passed=not reasons,
        reasons=tuple(reasons),
        notes=tuple(notes),
        comparisons=tuple(comparisons),
    )


def compare(
    candidate: pa.Table, current: pa.Table, parameters: EvaluationParameters
) -> list[Comparison]:
    """Compare every gated metric by a paired bootstrap over the common listeners."""
    comparisons = []
    for metric in (metric_name(name, k) for name, k in GATED):
        ours, theirs = _common(candidate, current, metric)
        if len(ours) < parameters.gate_listeners:
            continue
        counts = resample_counts(len(ours), parameters.resamples, parameters.seed)
        means = resampled_means(counts, np.column_stack([ours, theirs]))
        scale = float(theirs.mean())
        if scale <= 0:  # nothing was found before: there is nothing to lose
            continue
        low, high = interval((means[:, :1] - means[:, 1:]) / scale, parameters.confidence)
        change = float(ours.mean() - theirs.mean()) / scale
        comparisons.append(
            Comparison(
                metric=metric,
                listeners=len(ours),
                current=scale,
                candidate=float(ours.mean()),
                change=change,
                ci_low=float(low[0]),
                ci_high=float(high[0]),
                verdict=_verdict(change, float(low[0]), float(high[0]), parameters.gate_loss),
            )
        )
    return comparisons


def below_popularity(evaluation: pa.Table) -> str | None:
    """Return a sentence if the hybrid ranks worse than popularity does, else None."""
    name, k = JUDGED
    rows = {
        (row["model"], row["metric"]): row
        for row in evaluation.to_pylist()
        if row["segment"] == "all" and row["k"] == k
    }
    gain = rows.get((HYBRID, "gain_over_popularity"))
    if gain is None or gain["ci_high"] >= 0:
        return None
    hybrid, popularity = rows[HYBRID, name], rows[POPULARITY, name]
    return (
        f"{LABELS[metric_name(name, k)]} is {hybrid['value']:.3f}, below the "
        f"{popularity['value']:.3f} of showing everyone the most popular (difference "
        f"{gain['value']:+.3f}, interval "
        f"{gain['ci_low']:+.3f} … {gain['ci_high']:+.3f}) on {gain['users']:,} listeners"
    )


def _verdict(change: float, low: float, high: float, limit: float) -> Verdict:
    """Non-inferiority with margin ``limit``, or a loss beyond it that is no chance, or neither."""
    if low >= -limit:
        return "within the limit"
    return "beyond the limit" if change < -limit and high < 0 else "undecided"


def _refused(comparison: Comparison, parameters: EvaluationParameters) -> bool:
    if comparison.verdict == "undecided":
        return parameters.gate_strict
    return comparison.verdict == "beyond the limit"


def _sentence(comparison: Comparison, parameters: EvaluationParameters) -> str:
    verb = "fell" if comparison.change < 0 else "rose"
    return (
        f"{LABELS[comparison.metric]} {verb} from {comparison.current:.3f} to "
        f"{comparison.candidate:.3f} ({100 * comparison.change:+.1f} %, "
        f"{100 * parameters.confidence:g} % interval {100 * comparison.ci_low:+.1f} … "
        f"{100 * comparison.ci_high:+.1f}) on {comparison.listeners:,} common listeners; "
        f"allowed is {-100 * parameters.gate_loss:+g} %"
    )


def _common(
    candidate: pa.Table, current: pa.Table, metric: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the values of both for the listeners they share, in the same order."""
    ours, theirs = (
        {row["user_id"]: row["value"] for row in table.to_pylist() if row["metric"] == metric}
        for table in (candidate, current)
    )
    common = sorted(ours.keys() & theirs.keys())
    return (
        np.array([ours[user] for user in common], dtype=np.float64),
        np.array([theirs[user] for user in common], dtype=np.float64),
    )
