"""How good the lists are: by weight for each length of history, and beside other models."""

from typing import Any

import streamlit as st

from warehouse.explorer.charts import comparison, curve
from warehouse.explorer.folded import folded
from warehouse.explorer.snapshot import Snapshot
from warehouse.explorer.tables import show

SERVED = "hybrid"
"""The model that is published."""
BLENDS = (SERVED, "hybrid_any_artist", "fifty_fifty")
QUALITY = ("ndcg", "recall", "map", "hit_rate")

Rows = list[dict[str, Any]]


def find(rows: Rows, model: str, segment: str, metric: str, k: int) -> dict[str, Any] | None:
    """Return the one row of the evaluation that is asked for, or None."""
    wanted = (model, segment, metric, k)
    return next(
        (r for r in rows if (r["model"], r["segment"], r["metric"], r["k"]) == wanted), None
    )


def best_rival(rows: Rows, segment: str, metric: str, k: int) -> dict[str, Any] | None:
    """Return the best model that is not a blend, or None if none was measured."""
    there = [
        r for r in rows
        if (r["segment"], r["metric"], r["k"]) == (segment, metric, k) and r["model"] not in BLENDS
    ]  # fmt: skip
    return max(there, key=lambda r: r["value"], default=None)


def segment_name(segment: str) -> str:
    """Return a segment of the evaluation in words."""
    kind, _, values = segment.partition(":")
    values = values.replace("-", "\N{EN DASH}")
    return {
        "all": "All listeners",
        "history": f"Histories cut to {values} tracks",
        "light": f"Listeners with {values} tracks, as they are",
        "listeners": f"Targets with {values} listeners",
    }.get(kind, segment)


def quality(snapshot: Snapshot, evaluation: Rows) -> None:
    """Show the tab."""
    _curves(snapshot)
    if not evaluation:
        st.text("Nothing was measured for this release: the run held no listeners out.")
        return
    st.subheader("Beside other models", anchor=False)
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
        st.caption(f"{users} held-out listeners; lines are 95 % intervals.")
    else:
        st.text("This metric was not measured for these listeners.")
    folded(snapshot, "evaluation", "All measured values", _measured)


def _measured(snapshot: Snapshot) -> None:
    formats = {"value": "%.4f", "ci_low": "%.4f", "ci_high": "%.4f"}
    show(snapshot.table("evaluation"), "evaluation", formats)


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
        st.text("No weights were tried for this release; it serves those of the one before it.")
        return
    metric = points[0]["metric"]
    points = [point for point in points if point["metric"] == metric]
    segments = [s for s in snapshot.rows("segments") if s["min_tracks"] > 0]
    names = [s["segment"] for s in segments]
    st.altair_chart(curve(points, segments, names, metric))
    st.caption(
        "One line for each length of history, with its 95 % interval; at each weight the prior "
        "that measured best. The dashed line is the weight that is served."
    )
    folded(snapshot, "weights", "Weights served, and every point tried", _points)


def _points(snapshot: Snapshot) -> None:
    show(snapshot.table("segments"), "segments", {"weight": "%.2f", "popularity": "%.2f"})
    show(snapshot.table("segment_curve_whole"), "segment-curve", {"value": "%.4f"})
