"""The quality gate: may a challenger become the current release?

The measured models of the challenger, of the current release and of the anchor answer the same
question (tasks/release/rerank.py). Differences are taken listener by listener, so most of the
noise between listeners cancels. All metrics and both comparisons are one family: the critical
value is that of the largest of their statistics in the bootstrap (Romano and Wolf 2005).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from tasks.evaluation.bootstrap import interval, resample_counts, resampled_means
from tasks.evaluation.measure import metric_name
from tasks.evaluation.models import HYBRID, POPULARITY
from tasks.evaluation.parameters import EvaluationParameters
from tasks.evaluation.report import GATED, JUDGED
from tasks.release.rerank import Paired
from warehouse.releases.manifest import Comparison, KeptModel, Role, Verdict

LABELS = {"recall@20": "recall@20", "recall@50": "recall@50", "ndcg@100": "NDCG@100"}

POWER = 0.9
"""Share of challengers that are refused when they have lost `Comparison.detectable`."""


@dataclass(frozen=True)
class Rival:
    """An earlier release and how it and the challenger did on the same question."""

    role: Role
    release_id: str
    paired: Paired


@dataclass(frozen=True)
class Before:
    """What the current release reached on the plays of its own day."""

    release_id: str
    listeners: pa.Table
    """LISTENERS."""


class GateVerdict(BaseModel):
    """Whether a challenger may become current, and why not."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    passed: bool
    reasons: tuple[str, ...] = ()
    """One readable sentence for each thing that fell too far."""
    notes: tuple[str, ...] = ()
    """What a reader should know of any challenger: what was not compared, what is undecided."""
    compared: tuple[str, ...] = ()
    """What was compared, and what came out, a sentence for each rival."""
    comparisons: tuple[Comparison, ...] = ()
    anchor: KeptModel | None = None
    """What later challengers are compared with as the anchor; None: this challenger."""

    @property
    def summary(self) -> str:
        """All sentences, for the release to keep."""
        said = " ".join(f"{one[0].upper()}{one[1:]}." for one in (*self.compared, *self.notes))
        why = "; ".join(self.reasons)
        return f"{said} Refused: {why}." if why else said


def gate(
    rivals: Sequence[Rival],
    evaluation: pa.Table,
    listeners: pa.Table,
    before: Before | None,
    parameters: EvaluationParameters,
) -> GateVerdict:
    """Judge a challenger beside its rivals, and by its `EVALUATION` and `LISTENERS`.

    A challenger is refused if it has lost more than ``gate_loss`` in any gated metric against
    any rival and that is no chance, if its own figures have collapsed since those of ``before``,
    or if it is worse than popularity. ``anchor`` of the answer is left to the caller.
    """
    enough = [rival for rival in rivals if len(rival.paired.user_ids) >= parameters.gate_listeners]
    notes = [
        f"fewer than {parameters.gate_listeners} listeners can be measured in both this release "
        f"and the {rival.role} {rival.release_id}: these are not compared"
        for rival in rivals
        if rival not in enough
    ]
    comparisons = compare(enough, parameters)
    found = [below_popularity(evaluation), collapsed(listeners, before, parameters)]
    refused = [one for one in comparisons if _refused(one, parameters)]
    reasons = [*filter(None, found), *(_sentence(one, parameters) for one in refused)]
    notes += [
        f"undecided: {_sentence(one, parameters)}"
        for one in comparisons
        if one.verdict == "undecided" and one not in refused
    ]
    return GateVerdict(
        passed=not reasons,
        reasons=tuple(reasons),
        notes=tuple(notes),
        compared=tuple(_said_of(rival, comparisons, parameters) for rival in enough),
        comparisons=tuple(comparisons),
    )


def compare(rivals: Sequence[Rival], parameters: EvaluationParameters) -> list[Comparison]:
    """Compare every gated metric with every rival: all differences in the same resamples."""
    columns = [
        (rival, metric)
        for rival in rivals
        for metric in (metric_name(name, k) for name, k in GATED)
        if float(rival.paired.theirs[metric].mean()) > 0  # else there is nothing to lose
    ]
    if not columns:
        return []
    differences = _aligned([(r.paired, r.paired.ours[m] - r.paired.theirs[m]) for r, m in columns])
    known = (~np.isnan(differences)).sum(axis=0)
    mean = np.nanmean(differences, axis=0)
    error = np.nanstd(differences, axis=0, ddof=1) / np.sqrt(known)
    critical = _critical(differences, mean, error, parameters)
    beyond = NormalDist().inv_cdf(POWER)
    comparisons = []
    for (rival, metric), m, e, n in zip(columns, mean, error, known, strict=True):
        scale = float(rival.paired.theirs[metric].mean())
        change, spread = float(m) / scale, float(e) / scale
        low, high = change - critical * spread, change + critical * spread
        comparisons.append(
            Comparison(
                role=rival.role,
                release_id=rival.release_id,
                metric=metric,
                listeners=int(n),
                rival=scale,
                challenger=scale + float(m),
                change=change,
                ci_low=low,
                ci_high=high,
                detectable=beyond * spread + max(critical * spread, parameters.gate_loss),
                verdict=_verdict(change, low, high, parameters.gate_loss),
            )
        )
    return comparisons


def is_better(comparisons: Sequence[Comparison]) -> bool:
    """Tell whether a challenger is better in every metric, beyond chance."""
    return bool(comparisons) and all(one.ci_low > 0 for one in comparisons)


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


def collapsed(
    listeners: pa.Table, before: Before | None, parameters: EvaluationParameters
) -> str | None:
    """Return a sentence if the plays have become much harder to predict, else None.

    Where the data are damaged, every model fails at today's question, and none is worse than
    another. So the challenger's NDCG is also held to what the current release reached on the plays
    of its own day, by a wide margin: data that only grow move it by a tenth.
    """
    if before is None:
        return None
    metric = metric_name(*JUDGED)
    now, then = (
        {row["user_id"]: row["value"] for row in table.to_pylist() if row["metric"] == metric}
        for table in (listeners, before.listeners)
    )
    common = sorted(now.keys() & then.keys())
    if len(common) < parameters.gate_listeners:
        return None
    pair = np.array([[now[user], then[user]] for user in common], dtype=np.float64)
    counts = resample_counts(len(pair), parameters.resamples, parameters.seed)
    _, high = interval(resampled_means(counts, pair[:, :1] - pair[:, 1:]), parameters.confidence)
    ours, theirs = pair.mean(axis=0)
    if theirs <= 0 or ours / theirs - 1 >= -parameters.gate_collapse or high[0] >= 0:
        return None
    fell = f"{theirs:.3f} to {ours:.3f} ({100 * (ours / theirs - 1):+.1f} %)"
    return (
        f"{LABELS[metric]} fell from {fell} on {len(common):,} listeners who were measured on the "
        f"plays of its day in the current release {before.release_id} and on today's in this one; "
        f"allowed is {-100 * parameters.gate_collapse:+g} %: look at the input"
    )


def _aligned(
    columns: Sequence[tuple[Paired, NDArray[np.float64]]],
) -> NDArray[np.float64]:
    """Return listeners × columns, NaN where a listener was not asked."""
    everyone = pa.concat_arrays([paired.user_ids for paired, _ in columns]).unique().sort()
    wide = np.full((len(everyone), len(columns)), np.nan)
    row_of = {user: row for row, user in enumerate(everyone.to_pylist())}
    for column, (paired, values) in enumerate(columns):
        wide[[row_of[user] for user in paired.user_ids.to_pylist()], column] = values
    return wide


def _critical(
    differences: NDArray[np.float64],
    mean: NDArray[np.float64],
    error: NDArray[np.float64],
    parameters: EvaluationParameters,
) -> float:
    """Return the critical value of -mean / error that equal releases exceed in none of the columns.

    None with probability 1 - ``gate_size``. Widened from the normal to Student's distribution,
    whose quantile is t ≈ z·(1 + (z² + 1) / 4ν).
    """
    spread = error > 0
    if not spread.any():
        return 0.0
    counts = resample_counts(len(differences), parameters.resamples, parameters.seed)
    moved = resampled_means(counts, differences[:, spread]) - mean[spread]
    largest = np.nanmax(-moved / error[spread], axis=1)
    z = float(np.quantile(largest, 1.0 - parameters.gate_size))
    freedom = max(1, int((~np.isnan(differences)).sum(axis=0).min()) - 1)
    return z * (1.0 + (z * z + 1.0) / (4.0 * freedom))


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
        f"{LABELS[comparison.metric]} {verb} from {comparison.rival:.3f} to "
        f"{comparison.challenger:.3f} ({_percents(comparison)}) against the {comparison.role} "
        f"{comparison.release_id} on {comparison.listeners:,} listeners; "
        f"allowed is {-100 * parameters.gate_loss:+g} %"
    )


def _percents(comparison: Comparison) -> str:
    return (
        f"{100 * comparison.change:+.1f} %, limits {100 * comparison.ci_low:+.1f} … "
        f"{100 * comparison.ci_high:+.1f}"
    )


def _said_of(
    rival: Rival, comparisons: Sequence[Comparison], parameters: EvaluationParameters
) -> str:
    """Say what was compared with a rival, on what, and how sharp the comparison is."""
    ours = [one for one in comparisons if one.release_id == rival.release_id]
    figures = ", ".join(
        f"{LABELS[one.metric]} {one.rival:.3f} → {one.challenger:.3f} ({_percents(one)})"
        for one in ours
    )
    paired = rival.paired
    left_out = [
        f"{number:,} {what}"
        for number, what in (
            (paired.new_tracks, "new"),
            (paired.newly_played, "played for the first time since"),
        )
        if number
    ]
    sharp = max((one.detectable for one in ours), default=0.0)
    return (
        f"compared with the {rival.role} {rival.release_id} on today's plays of "
        f"{len(paired.user_ids):,} listeners whom neither model has seen, over {paired.tracks:,} "
        f"tracks" + (f" (left out: {' and '.join(left_out)})" if left_out else "") + ": "
        f"{figures or 'nothing was found before'}; a loss of {100 * sharp:.1f} % is refused nine "
        f"times in ten, an equal release {100 * parameters.gate_size:g} times in a hundred at most"
    )
