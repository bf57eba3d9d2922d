"""The verdict on an experiment: ship, keep the control, wait, or repair the measurement first."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from warehouse.explorer.experiments.effects import ALL, Effect, in_words
from warehouse.explorer.wording import day

Kind = Literal["ship", "keep", "wait", "repair"]

DAY = timedelta(days=1)
MISSING = re.compile(r"([\d,]+) more (?:listeners )?are needed")
"""In the note of an undecided effect: how many more listeners it takes."""


@dataclass(frozen=True)
class Plan:
    """An experiment at the time of the release; dates are UTC, None where it is not configured."""

    control: str | None
    starts_at: datetime | None
    ends_at: datetime | None
    as_of: datetime | None
    """Until when the feedback reaches."""
    released_at: datetime

    @property
    def is_over(self) -> bool:
        """Tell whether the planned end has passed."""
        return self.ends_at is not None and self.released_at >= self.ends_at

    @property
    def lacks_feedback(self) -> bool:
        """Tell whether the feedback stops more than a day before an end that has passed."""
        if self.ends_at is None or self.as_of is None:
            return False
        return self.is_over and self.as_of < self.ends_at - DAY


@dataclass(frozen=True)
class Verdict:
    """What to do, in one sentence."""

    kind: Kind
    variant: str | None
    """The variant that it is about, shown first; None: no variant in particular."""
    sentence: str


def plan_of(
    configured: Sequence[Mapping[str, Any]],
    results: Sequence[Mapping[str, Any]],
    released_at: datetime,
) -> Plan:
    """Return the plan from an experiment's rows of `experiments` and `experiment_results`."""
    control = next((str(row["variant"]) for row in configured if row["is_control"]), None)
    if control is None:  # no longer configured: the note of its rows says so
        notes = ((row["variant"], str(row.get("note") or "")) for row in results)
        control = next((str(name) for name, note in notes if note.startswith("control")), None)
    first: Mapping[str, Any] = configured[0] if configured else {}
    return Plan(
        control=control,
        starts_at=first.get("starts_at"),
        ends_at=first.get("ends_at"),
        as_of=max((row["as_of"] for row in results if row.get("as_of")), default=None),
        released_at=released_at,
    )


def decide(effects: Sequence[Effect], goal: str, plan: Plan, confidence: float) -> Verdict:
    """Return the verdict by the metric ``goal`` over all listeners; the others are guardrails.

    A variant ships if it is better by the goal and measurably worse by none of the guardrails.
    """
    whole = [one for one in effects if one.segment == ALL and one.variant != plan.control]
    if any(one.is_withheld for one in whole):
        return Verdict("repair", None, "Do not decide yet: the number of listeners in each variant "
                       "does not match the plan. Find the cause first.")  # fmt: skip
    goals = [one for one in whole if one.metric.name == goal]
    if not goals:
        return Verdict("wait", None, "Keep waiting: nothing is measured yet.")
    better = sorted(
        (one for one in goals if one.state == "better"), key=lambda one: -abs(one.lift or 0)
    )
    for one in better:
        if not _harm(one, whole):
            return Verdict("ship", one.variant, f"Ship `{one.variant}`: {_said(one, confidence)}. "
                           f"{_guarded(one, whole)}.")  # fmt: skip
    if better:
        one = better[0]
        harm = " and ".join(f"{bad.metric.words} ({in_words(bad, confidence)})"
                            for bad in _harm(one, whole))  # fmt: skip
        return Verdict("keep", one.variant, f"Do not ship `{one.variant}` as it is: "
                       f"{_said(one, confidence)}, but it got worse by {harm}.")  # fmt: skip
    undecided = [one for one in goals if one.state in ("unclear", "unmeasured")]
    if undecided and (plan.lacks_feedback or not plan.is_over):
        return _waiting(undecided, plan, confidence)
    return _kept(goals, plan, confidence)


def guardrails(effects: Sequence[Effect], goal: str, variant: str) -> list[Effect]:
    """Return a variant's effects on the other metrics, over all listeners."""
    return [
        one for one in effects
        if one.segment == ALL and one.variant == variant and one.metric.name != goal
    ]  # fmt: skip


def _harm(of: Effect, whole: Sequence[Effect]) -> list[Effect]:
    return [one for one in whole if one.variant == of.variant and one.state == "worse"]


def _said(effect: Effect, confidence: float) -> str:
    return f"{effect.metric.words} {in_words(effect, confidence)}"


def _guarded(of: Effect, whole: Sequence[Effect]) -> str:
    others = [one for one in whole if one.variant == of.variant and one.metric != of.metric]
    open_ = [one for one in others if one.state == "unmeasured"]
    if not open_:
        return "Nothing got measurably worse"
    return (
        f"Nothing got measurably worse; {len(open_)} of {len(others)} guardrails cannot be "
        "measured yet"
    )


def _waiting(undecided: Sequence[Effect], plan: Plan, confidence: float) -> Verdict:
    """Say how long to wait for the variant that will be decided first."""
    one = min(undecided, key=lambda effect: _missing(effect) or math.inf)
    if plan.lacks_feedback:
        assert plan.as_of is not None  # what lacks has an end
        assert plan.ends_at is not None
        return Verdict("repair", one.variant, f"Load the missing feedback: it stops on "
                       f"{day(plan.as_of)}, and the experiment ended on {day(plan.ends_at)}. "
                       f"So far, {_said(one, confidence)}.")  # fmt: skip
    missing = _missing(one)
    if missing is None:
        until = f" until {day(plan.ends_at)}" if plan.ends_at else ""
        return Verdict("wait", one.variant, f"Keep waiting{until}: {_said(one, confidence)}.")
    days = _days(missing, undecided, plan)
    about = f", about {days:,} {'day' if days == 1 else 'days'} at the present pace" if days else ""
    late = ""
    if days and plan.ends_at and plan.as_of and plan.as_of + days * DAY > plan.ends_at:
        late = f" It ends on {day(plan.ends_at)}, probably undecided."
    return Verdict("wait", one.variant, f"Keep waiting: {missing:,} more listeners are "
                   f"needed{about}.{late}")  # fmt: skip


def _missing(effect: Effect) -> int | None:
    found = MISSING.search(effect.note)
    return int(found[1].replace(",", "")) if found else None


def _days(missing: int, effects: Sequence[Effect], plan: Plan) -> int | None:
    """Return the days in which that many more listeners come; two variants come at once."""
    if plan.starts_at is None or plan.as_of is None or plan.as_of <= plan.starts_at:
        return None
    came = 2 * max(effect.users for effect in effects)
    pace = came / max((plan.as_of - plan.starts_at) / DAY, 1.0)
    return math.ceil(missing / pace) if pace else None


def _kept(goals: Sequence[Effect], plan: Plan, confidence: float) -> Verdict:
    best = max(goals, key=lambda effect: effect.lift if effect.lift is not None else -math.inf)
    control = f"Keep `{plan.control}`" if plan.control else "Keep the control"
    if all(one.state == "worse" for one in goals):
        return Verdict("keep", best.variant, f"{control}: with `{best.variant}`, "
                       f"{_said(best, confidence)}.")  # fmt: skip
    return Verdict("keep", best.variant, f"{control}: no measurable difference. With "
                   f"`{best.variant}`, {_said(best, confidence)}.")  # fmt: skip
