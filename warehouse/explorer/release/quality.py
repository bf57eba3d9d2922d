"""The Quality tab: compared with other models, and by weight and length of history."""

from typing import Any

import pyarrow as pa
import streamlit as st

from warehouse.explorer.charts import comparison, curve
from warehouse.explorer.components import Answer, answers
from warehouse.explorer.expander import expander
from warehouse.explorer.release.input import of_the_model
from warehouse.explorer.release.metrics import in_words, label
from warehouse.explorer.release.variants import SERVED, find, why_not_served
from warehouse.explorer.snapshot import Snapshot
from warehouse.explorer.tables import show

QUALITY = ("recall", "ndcg", "hit_rate", "map")

TEMPORAL = "temporal:"
"""Beginning of the segments of the temporal split."""

MOVED = (
    "They need not be at the top of a line: the lines are of tracks hidden at random, and the "
    "weights follow what listeners played next as well, as far as that is certain."
)

Rows = list[dict[str, Any]]


def segment_name(segment: str) -> str:
    """Return a segment of the evaluation in words."""
    kind, _, values = segment.partition(":")
    if kind == "temporal":
        return _of_the_future(values)
    tracks = "1 track" if values == "1" else f"{_range(values)} tracks"
    whole = "Listeners with" if values.startswith(">") else "Histories truncated to"
    return {
        "all": "All listeners",
        "history": f"{whole} {tracks}",
        "light": f"Light listeners, {tracks}",
        "listeners": f"Tracks with {_range(values)} listeners",
    }.get(kind, segment)


def _of_the_future(segment: str) -> str:
    """Return a segment of the temporal split in words."""
    kind, _, values = segment.partition(":")
    who = {
        "all": "all listeners",
        "known": "known listeners",
        "new": "new listeners",
        "history": f"histories of {'1 track' if values == '1' else f'{_range(values)} tracks'}",
        "listeners": f"tracks with {_range(values)} listeners",
    }
    return f"Plays after a cut: {who.get(kind, segment)}"


def _range(values: str) -> str:
    return values.replace("-", "\N{EN DASH}").replace(">", "more than ")


def quality(snapshot: Snapshot, evaluation: Rows, artist_factor: float) -> None:
    """Show the tab."""
    if evaluation:
        _compared(snapshot, evaluation, artist_factor)
    else:
        st.text("This release was not evaluated: the run held out no listeners.")
    _curves(snapshot)


def _compared(snapshot: Snapshot, evaluation: Rows, artist_factor: float) -> None:
    st.subheader("Compared with other models", anchor=False)
    metrics = sorted({(r["metric"], r["k"]) for r in evaluation if r["metric"] in QUALITY},
                     key=lambda pair: (QUALITY.index(pair[0]), pair[1]))  # fmt: skip
    segments = list(dict.fromkeys(r["segment"] for r in evaluation))
    segments.sort(key=_order)
    left, right = st.columns(2)
    metric, k = left.selectbox("Metric", metrics, format_func=lambda pair: label(*pair))
    segment = right.selectbox("Listeners", segments, format_func=segment_name)
    rows = [
        {**r, "model": r["model"].replace("_", " ")}
        for r in evaluation
        if (r["metric"], r["k"], r["segment"]) == (metric, k, segment)
    ]
    served = find(evaluation, SERVED, segment, metric, k)
    if not rows or served is None:
        st.text("This metric is not measured for these listeners.")
        return
    why = why_not_served(evaluation, metric, k, segment, artist_factor)
    answers("metric", [Answer(f"{segment_name(segment)}: {label(metric, k)}",
                              f"{in_words(metric, k, served['value'])}."),
                       *([Answer("Why is a model that scores higher not served?", "", "open",
                                 tuple(why))] if why else [])])  # fmt: skip
    st.altair_chart(comparison(rows, label(metric, k), SERVED))
    held_out = "" if segment.startswith(TEMPORAL) else "held-out "
    st.caption(
        f"{served['users'] or 0:,} {held_out}listeners, with 95 % intervals; `hybrid` is served. "
        "The plays of another day are another question: compare releases by the answer at the top."
    )
    expander(snapshot, "model-checks", "Checks against the best single signal", _checks)
    expander(snapshot, "evaluation", "All measured values", _measured)


def _checks(snapshot: Snapshot) -> None:
    checks = snapshot.table("data_quality")
    show(checks.filter(of_the_model(checks)), "model-checks")


def _measured(snapshot: Snapshot) -> None:
    formats = {"value": "%.4f", "ci_low": "%.4f", "ci_high": "%.4f"}
    measured = snapshot.table("evaluation")
    words = pa.array([segment_name(segment) for segment in measured["segment"].to_pylist()])
    readable = measured.set_column(measured.column_names.index("segment"), "listeners", words)
    show(readable, "evaluation", formats, original=measured)


def _order(segment: str) -> tuple[int, int]:
    kind, _, values = segment.removeprefix(TEMPORAL).partition(":")
    kinds = ("all", "known", "new", "history", "light", "listeners")
    after = len(kinds) if segment.startswith(TEMPORAL) else 0
    digits = "".join(c if c.isdigit() else " " for c in values).split()
    beyond = 1 if values.startswith(">") else 0
    place = kinds.index(kind) if kind in kinds else 2 * len(kinds)
    return after + place, int(next(iter(digits), "0")) + beyond


def _curves(snapshot: Snapshot) -> None:
    st.subheader("Quality by weight", anchor=False)
    points = snapshot.rows("segment_curve")
    if not points:
        st.text("No weights were evaluated for this release; it uses those of the previous one.")
        return
    metric = points[0]["metric"]
    points = [point for point in points if point["metric"] == metric]
    segments = [s for s in snapshot.rows("segments") if s["min_tracks"] > 0]
    names = [s["segment"] for s in segments]
    st.altair_chart(curve(points, segments, names, metric))
    in_time = any(row["segment"].startswith(TEMPORAL) for row in snapshot.rows("evaluation"))
    st.caption(
        "One line for each history length, with its 95 % interval, at the best prior for each "
        "weight. The dashed lines mark the weights in use." + (f" {MOVED}" if in_time else "")
    )
    expander(snapshot, "weights", "Weights in use, and all weights tried", _points)


def _points(snapshot: Snapshot) -> None:
    show(snapshot.table("segments"), "segments", {"weight": "%.2f", "popularity": "%.2f"})
    show(snapshot.table("segment_curve_whole"), "segment-curve", {"value": "%.4f"})
