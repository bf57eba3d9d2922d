"""The Quality tab: quality by weight and history length, compared with other models."""

from typing import Any

import pyarrow as pa
import streamlit as st

from warehouse.explorer.charts import comparison, curve
from warehouse.explorer.expander import expander
from warehouse.explorer.snapshot import Snapshot
from warehouse.explorer.tables import show

SERVED = "hybrid"
"""The model that is published."""
BLENDS = (SERVED, "hybrid_any_artist", "fifty_fifty")
QUALITY = ("ndcg", "recall", "map", "hit_rate")

Rows = list[dict[str, Any]]


def find(rows: Rows, model: str, segment: str, metric: str, k: int) -> dict[str, Any] | None:
    """Return one row of the evaluation, or None."""
    wanted = (model, segment, metric, k)
    return next(
        (r for r in rows if (r["model"], r["segment"], r["metric"], r["k"]) == wanted), None
    )


def best_single_signal(rows: Rows, segment: str, metric: str, k: int) -> dict[str, Any] | None:
    """Return the best model that is not a blend, or None if none was measured."""
    measured = [
        r for r in rows
        if (r["segment"], r["metric"], r["k"]) == (segment, metric, k) and r["model"] not in BLENDS
    ]  # fmt: skip
    return max(measured, key=lambda r: r["value"], default=None)


def segment_name(segment: str) -> str:
    """Return a segment of the evaluation in words."""
    kind, _, values = segment.partition(":")
    tracks = "1 track" if values == "1" else f"{_range(values)} tracks"
    whole = "Listeners with" if values.startswith(">") else "Histories truncated to"
    return {
        "all": "All listeners",
        "history": f"{whole} {tracks}",
        "light": f"Light listeners, {tracks}",
        "listeners": f"Tracks with {_range(values)} listeners",
    }.get(kind, segment)


def _range(values: str) -> str:
    return values.replace("-", "\N{EN DASH}").replace(">", "more than ")


def quality(snapshot: Snapshot, evaluation: Rows) -> None:
    """Show the tab."""
    _curves(snapshot)
    if not evaluation:
        st.text("This release was not evaluated: the run held out no listeners.")
        return
    st.subheader("Compared with other models", anchor=False)
    metrics = sorted({(r["metric"], r["k"]) for r in evaluation if r["metric"] in QUALITY},
                     key=lambda pair: (QUALITY.index(pair[0]), pair[1]))  # fmt: skip
    segments = list(dict.fromkeys(r["segment"] for r in evaluation))
    segments.sort(key=_order)
    left, right = st.columns(2)
    metric, k = left.selectbox(
        "Metric", metrics, format_func=lambda pair: f"{pair[0].replace('_', ' ')} @ {pair[1]}"
    )
    segment = right.selectbox("Listeners", segments, format_func=segment_name)
    rows = [
        {**r, "model": r["model"].replace("_", " ")}
        for r in evaluation
        if (r["metric"], r["k"], r["segment"]) == (metric, k, segment)
    ]
    if rows:
        st.altair_chart(comparison(rows, f"{metric} @ {k}", SERVED))
        users = f"{rows[0]['users'] or 0:,}"
        st.caption(f"{users} held-out listeners, with 95 % intervals.")
    else:
        st.text("This metric is not measured for these listeners.")
    expander(snapshot, "evaluation", "All measured values", _measured)


def _measured(snapshot: Snapshot) -> None:
    formats = {"value": "%.4f", "ci_low": "%.4f", "ci_high": "%.4f"}
    measured = snapshot.table("evaluation")
    words = pa.array([segment_name(segment) for segment in measured["segment"].to_pylist()])
    readable = measured.set_column(measured.column_names.index("segment"), "listeners", words)
    show(readable, "evaluation", formats, original=measured)


def _order(segment: str) -> tuple[int, int]:
    kind, _, values = segment.partition(":")
    kinds = ("all", "history", "light", "listeners")
    digits = "".join(c if c.isdigit() else " " for c in values).split()
    beyond = 1 if values.startswith(">") else 0
    return kinds.index(kind) if kind in kinds else len(kinds), int(next(iter(digits), "0")) + beyond


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
    st.caption(
        "One line for each history length, with its 95 % interval, at the best prior for each "
        "weight. The dashed lines mark the weights in use."
    )
    expander(snapshot, "weights", "Weights in use, and all weights tried", _points)


def _points(snapshot: Snapshot) -> None:
    show(snapshot.table("segments"), "segments", {"weight": "%.2f", "popularity": "%.2f"})
    show(snapshot.table("segment_curve_whole"), "segment-curve", {"value": "%.4f"})
