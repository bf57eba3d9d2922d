"""The frame of the Experiments view: verdict, guardrails, charts, next steps; details folded."""

import json
from typing import Any

import streamlit as st

from warehouse.explorer.charts import course, intervals
from warehouse.explorer.components import Answer, Line, answers, card
from warehouse.explorer.earlier import earlier_releases
from warehouse.explorer.expander import expander
from warehouse.explorer.experiments.effects import ALL, Effect, effects_of, in_words
from warehouse.explorer.experiments.metrics import metric_named
from warehouse.explorer.experiments.ratio import ratio_of
from warehouse.explorer.experiments.relations import rows_of
from warehouse.explorer.experiments.verdict import Verdict, decide, guardrails, plan_of
from warehouse.explorer.snapshot import Snapshot
from warehouse.explorer.tables import show
from warehouse.explorer.wording import day
from warehouse.releases.home import Home

STATES = {"ship": "good", "keep": "plain", "wait": "open", "repair": "bad"}
NUMBERS = {"value": "%.4f", "lift": "%+.4f", "ci_low": "%+.4f", "ci_high": "%+.4f",
           "p_value": "%.4f"}  # fmt: skip
WORDS = {"better": "better", "worse": "worse", "unclear": "no clear change", "unmeasured": ""}

EN_DASH = "\N{EN DASH}"

Rows = list[dict[str, Any]]


def experiments(home: Home, snapshot: Snapshot) -> None:
    """Show the view."""
    measured = snapshot.rows("experiment_results")
    names = list(dict.fromkeys(str(row["experiment"]) for row in measured))
    chosen = names[0]
    if len(names) > 1:
        chosen = st.selectbox("Experiment", names, key="experiment", bind="query-params")
    _experiment(home, snapshot, chosen)


def _experiment(home: Home, snapshot: Snapshot, name: str) -> None:
    results = rows_of(snapshot, "experiment_results", name)
    configured = rows_of(snapshot, "experiments", name)
    release = snapshot.row("release") or {}
    settings = json.loads(release["parameters"] or "{}").get("measurement", {})
    goal = str(settings.get("goal", "click_through_rate"))
    confidence = 1 - float(settings.get("alpha", 0.05))
    effects = effects_of(results)
    plan = plan_of(configured, results, release["created_at"])
    verdict = decide(effects, goal, plan, confidence)
    card("experiment-card", name, subtitle=_subtitle(configured))
    variants = [v for v in dict.fromkeys(e.variant for e in effects) if v != plan.control]
    shown = verdict.variant or next(iter(variants), None)
    answers("verdict", [_verdict(verdict, configured, results),
                        *_guardrails(effects, goal, shown, confidence),
                        _next(snapshot, verdict, name)])  # fmt: skip
    if len(variants) > 1:
        shown = st.segmented_control("Variant", variants, default=shown, required=True,
                                     key=f"variant-{name}")  # fmt: skip
    if shown is not None:
        _charts([one for one in effects if one.variant == shown], goal)
        _course(home, snapshot, name, shown, goal)
    expander(snapshot, f"results-{name}", "All results and notes",
             lambda latest: _details(latest, name))  # fmt: skip


def _subtitle(configured: Rows) -> str:
    if not configured:
        return "No longer configured"
    first = configured[0]
    shares = ", ".join(
        f"{row['variant']} {100 * row['share']:g} %{_served(row)}" for row in configured
    )
    return f"{day(first['starts_at'])} to {day(first['ends_at'])} · {shares}"


def _served(row: dict[str, Any]) -> str:
    """Return what a variant serves, where it is not the default."""
    kinds = {"preset": "preset", "weight": "weight", "model": "model", "release_id": "release"}
    return next((f" ({word} {row[field]})" for field, word in kinds.items()
                 if row.get(field) is not None), "")  # fmt: skip


def _verdict(verdict: Verdict, configured: Rows, results: Rows) -> Answer:
    ratio = ratio_of(configured, results)
    more = () if ratio is None else (f"Listeners: {ratio.sentence()}",)
    return Answer("Verdict", verdict.sentence, STATES[verdict.kind], more)  # type: ignore[arg-type]


def _guardrails(
    effects: list[Effect], goal: str, variant: str | None, confidence: float
) -> list[Answer]:
    if variant is None:
        return []
    rows = guardrails(effects, goal, variant)
    worse = [one for one in rows if one.state == "worse"]
    lines = tuple(
        Line(one.metric.words, in_words(one, confidence), WORDS[one.state]) for one in rows
    )
    return [Answer(f"Guardrails of {variant}", "", "bad" if worse else "plain", lines=lines)]


def _next(snapshot: Snapshot, verdict: Verdict, name: str) -> Answer:
    steps = {
        "ship": f"Serve `{verdict.variant}` to everybody: nothing is adopted automatically.",
        "keep": "Leave things as they are, or try another variant in a new experiment.",
        "wait": "Run `crossfade run` every day. The interval may be read as often as you like.",
        "repair": "Repair the cause, then run `crossfade run` again: everything is measured anew.",
    }
    weights = rows_of(snapshot, "measured_weights", name)
    better = [row for row in weights if row["measured_weight"] is not None]
    lines = tuple(
        Line(
            f"History of {_tracks(row['segment'])}",
            f"{row['offline_weight']:g} in use, {row['measured_weight']:g} measured best",
        )
        for row in better
    )
    more: tuple[str, ...] = ()
    if better:
        more = ("To use a measured weight, pass it to `recommend_user` as `weight`.",)
    elif weights:
        more = ("By length of history, no weight is measurably better than the one in use.",)
    return Answer("Next step", steps[verdict.kind], "plain", more, lines)


def _tracks(segment: str) -> str:
    """Return a segment of `segments` in words."""
    return "1 track" if segment == "1" else f"{segment.replace('-', EN_DASH)} tracks"


def _charts(effects: list[Effect], goal: str) -> None:
    whole = [one for one in effects if one.segment == ALL]
    pieces = [
        one for one in effects if one.segment != ALL and one.metric.name == goal and one.users
    ]
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("Effect by metric", anchor=False)
        _effects([(one.metric.words, one) for one in whole], "change against the control")
    with right:
        words = metric_named(goal).words
        st.subheader(f"Effect on {words}, by length of history", anchor=False)
        _effects([(_tracks(one.segment), one) for one in pieces], "change against the control")
        if any(one.state != "unmeasured" for one in pieces):
            st.caption("With several segments, an interval may exclude 0 by chance.")


def _effects(named: list[tuple[str, Effect]], label: str) -> None:
    rows = [
        {"name": name, "lift": one.lift, "ci_low": one.ci_low, "ci_high": one.ci_high,
         "state": one.state}
        for name, one in named if one.state != "unmeasured"
    ]  # fmt: skip
    if rows:
        st.altair_chart(intervals(rows, label))
    missing = [name for name, one in named if one.state == "unmeasured"]
    if missing:
        st.text(f"Not measured yet: {', '.join(missing)}.")


def _course(home: Home, snapshot: Snapshot, name: str, variant: str, goal: str) -> None:
    """Show the interval from reading to reading; each kept release holds one of them."""
    st.subheader("Course of the interval", anchor=False)
    found: dict[Any, dict[str, Any]] = {}
    for release in (snapshot, *earlier_releases(home, snapshot.release_id)):
        for row in rows_of(release, "experiment_results", name):
            asked = (row["variant"], row["segment"], row["metric"]) == (variant, ALL, goal)
            if asked and None not in (row.get("as_of"), row["ci_low"], row["ci_high"]):
                found.setdefault(row["as_of"].date(), row)  # the latest reading of a day counts
    if len(found) < 2:
        st.text("The course appears once releases of two days have measured this experiment.")
        return
    rows = [{"day": date.isoformat(), "lift": row["lift"], "ci_low": row["ci_low"],
             "ci_high": row["ci_high"]} for date, row in sorted(found.items())]  # fmt: skip
    st.altair_chart(course(rows, f"change in {metric_named(goal).words}"))
    st.caption("One reading for each release that is kept, by the last day of its feedback.")


def _details(snapshot: Snapshot, name: str) -> None:
    table = snapshot.table("experiment_results")
    own = [row == name for row in table["experiment"].to_pylist()]
    mine = table.filter(own)
    formats = {field: form for field, form in NUMBERS.items() if field in table.column_names}
    show(mine, "experiments", formats, rows=15)
