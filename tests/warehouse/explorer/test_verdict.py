"""Verdicts on experiments: every kind, by hand; the sample ratio beside scipy's test."""

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from warehouse.explorer.experiments.effects import effects_of
from warehouse.explorer.experiments.metrics import METRICS
from warehouse.explorer.experiments.ratio import ratio_of
from warehouse.explorer.experiments.verdict import Plan, decide, plan_of

GOAL = "click_through_rate"
STARTS, ENDS = datetime(2026, 3, 1), datetime(2026, 3, 29)
RUNNING = Plan("control", STARTS, ENDS, datetime(2026, 3, 11), datetime(2026, 3, 11, 4))
OVER = Plan("control", STARTS, ENDS, datetime(2026, 3, 28, 23), datetime(2026, 4, 2))
GAIN, FLAT, LOSS = (0.041, 0.019, 0.063), (0.004, -0.012, 0.02), (-0.03, -0.05, -0.01)
MORE = "too little data to see a lift of 5%: about 12,000 more listeners are needed"
WITHHELD = "withheld, sample ratio mismatch (p = 1e-09): …; find the cause first"

Effect = tuple[float, float, float] | None


def row(variant: str, metric: str, effect: Effect, note: str = "") -> dict[str, Any]:
    """Return a row of `experiment_results` over all listeners."""
    lift, low, high = effect or (None, None, None)
    return {
        "variant": variant, "segment": "all", "metric": metric, "users": 1000, "lift": lift,
        "ci_low": low, "ci_high": high, "note": note, "as_of": datetime(2026, 3, 11),
    }  # fmt: skip


def said(plan: Plan, *rows: dict[str, Any]) -> tuple[str, str]:
    """Return kind and sentence of the verdict."""
    verdict = decide(effects_of(rows), GOAL, plan, 0.95)
    return verdict.kind, verdict.sentence


def test_a_gain_without_harm_ships() -> None:
    assert said(OVER, row("content", GOAL, GAIN), row("content", "skip_rate", FLAT)) == (
        "ship",
        "Ship `content`: clicks per track shown +4.1 %, 95 % interval 1.9 to 6.3. Nothing got "
        "measurably worse.",
    )


def test_a_guardrail_that_is_not_measured_is_mentioned() -> None:
    _, sentence = said(OVER, row("content", GOAL, GAIN), row("content", "return_day_30", None))
    assert sentence.endswith("; 1 of 1 guardrails cannot be measured yet.")


@pytest.mark.parametrize(
    ("metric", "effect"), [("skip_rate", GAIN), ("cancellation_rate", GAIN), ("return_day_7", LOSS)]
)
def test_a_gain_that_harms_a_guardrail_does_not_ship(metric: str, effect: Effect) -> None:
    kind, sentence = said(OVER, row("content", GOAL, GAIN), row("content", metric, effect))
    assert kind == "keep"
    assert sentence.startswith("Do not ship `content` as it is: clicks per track shown +4.1 %")


def test_of_two_gains_the_larger_harmless_one_ships() -> None:
    kind, sentence = said(
        OVER,
        row("a", GOAL, (0.09, 0.05, 0.13)), row("a", "skip_rate", GAIN),
        row("b", GOAL, (0.03, 0.01, 0.05)), row("c", GOAL, (0.05, 0.02, 0.08)),
    )  # fmt: skip
    assert kind == "ship"
    assert sentence.startswith("Ship `c`")


def test_waiting_says_how_long() -> None:
    # two variants of 1,000 listeners in ten days are 200 a day: 12,000 / 200 = 60 days
    assert said(RUNNING, row("content", GOAL, FLAT, MORE)) == (
        "wait",
        "Keep waiting: 12,000 more listeners are needed, about 60 days at the present pace. It "
        "ends on 29 March 2026, probably undecided.",
    )
    kind, sentence = said(RUNNING, row("content", GOAL, FLAT))
    assert (kind, "until 29 March 2026" in sentence) == ("wait", True)


def test_an_end_without_a_difference_keeps_the_control() -> None:
    assert said(OVER, row("content", GOAL, FLAT, MORE)) == (
        "keep",
        "Keep `control`: no measurable difference. With `content`, clicks per track shown "
        "+0.4 %, 95 % interval −1.2 to 2.0.",
    )


def test_a_loss_keeps_the_control_before_the_end_too() -> None:
    kind, sentence = said(RUNNING, row("content", GOAL, LOSS))
    assert (kind, sentence[:14]) == ("keep", "Keep `control`")


def test_feedback_that_stops_early_is_asked_for() -> None:
    late = Plan("control", STARTS, ENDS, datetime(2026, 3, 20), datetime(2026, 4, 2))
    kind, sentence = said(late, row("content", GOAL, FLAT))
    assert kind == "repair"
    assert "it stops on 20 March 2026, and the experiment ended on 29 March 2026" in sentence


def test_a_sample_ratio_mismatch_decides_nothing() -> None:
    rows = [row("content", metric.name, None, WITHHELD) for metric in METRICS]
    assert said(OVER, *rows)[0] == "repair"


def test_no_results_for_the_goal() -> None:
    assert said(RUNNING, row("content", "unheard_of", GAIN))[0] == "wait"


def test_an_experiment_that_is_no_longer_configured_has_its_control_from_the_notes() -> None:
    rows = [row("a", GOAL, None, "control; still running"), row("b", GOAL, GAIN)]
    plan = plan_of([], rows, datetime(2026, 4, 2))
    assert (plan.control, plan.is_over, plan.lacks_feedback) == ("a", False, False)


@given(st.lists(st.tuples(st.integers(1, 5000), st.floats(0.05, 0.3)), min_size=2, max_size=3))
def test_the_sample_ratio_is_pearsons(variants: list[tuple[int, float]]) -> None:
    configured = [{"variant": str(x), "share": share} for x, (_, share) in enumerate(variants)]
    results = [{"variant": str(x), "segment": "all", "users": n}
               for x, (n, _) in enumerate(variants)]  # fmt: skip
    users, whole = [n for n, _ in variants], sum(share for _, share in variants)
    expected = [sum(users) * share / whole for _, share in variants]
    ratio = ratio_of(configured, results)
    assert ratio is not None
    assert ratio.p_value == pytest.approx(stats.chisquare(users, expected).pvalue, abs=1e-12)


def test_no_sample_ratio_without_a_plan_or_listeners() -> None:
    assert ratio_of([], [{"variant": "a", "segment": "all", "users": 5}]) is None
    assert ratio_of([{"variant": "a", "share": 0.5}, {"variant": "b", "share": 0.5}], []) is None
