"""The plots, in one style: direct labels, intervals drawn, bars starting at zero."""

from collections.abc import Sequence
from typing import Any

import altair as alt

Rows = Sequence[dict[str, Any]]

Chart = alt.Chart | alt.LayerChart | alt.FacetChart

COLLABORATIVE, QUIET = "#6d56e8", "#94a3b8"
BETTER, WORSE = "#0d9488", "#c2410c"
SCALE = ["#0d9488", "#3b82b8", "#6d56e8", "#b4459f"]
"""Segments from the shortest histories to the longest."""


def _data(rows: Rows) -> alt.InlineData:
    return alt.InlineData(values=list(rows))


def _height(rows: int, each: int) -> int:
    """Return the height of a plot with a line for each row; Streamlit fits the axis in as well."""
    return 60 + each * rows


def _every_label(limit: int = 260) -> alt.Axis:
    """Return an axis that leaves out no label."""
    return alt.Axis(labelOverlap=False, labelLimit=limit)


def curve(points: Rows, chosen: Rows, segments: Sequence[str], metric: str) -> Chart:
    """Plot quality by weight: one line per segment, its interval, a rule at the weight in use."""
    colour = alt.Color(
        "segment:N", title="Tracks played", scale=alt.Scale(domain=list(segments), range=SCALE),
        sort=list(segments),
        legend=alt.Legend(orient="top", symbolType="stroke", symbolOpacity=1, symbolStrokeWidth=3),
    )  # fmt: skip
    weight = alt.X("weight:Q", title="weight (0 content, 1 collaborative)",
                   scale=alt.Scale(domain=[0, 1]),
                   axis=alt.Axis(tickCount=10, format=".1f"))  # fmt: skip
    tips = ["segment:N", "weight:Q", "popularity:Q",
            alt.Tooltip("value:Q", format=".4f"), alt.Tooltip("ci_low:Q", format=".4f"),
            alt.Tooltip("ci_high:Q", format=".4f")]  # fmt: skip
    base = alt.Chart(_data(points)).encode(weight, colour)
    band = base.mark_area(fillOpacity=0.14).encode(
        alt.Y("ci_low:Q", title=metric), alt.Y2("ci_high:Q")
    )
    line = base.mark_line(strokeWidth=2).encode(y="value:Q", tooltip=tips)
    served = alt.Chart(_data(chosen)).mark_rule(strokeDash=[4, 4]).encode(
        weight, colour, tooltip=["segment:N", "weight:Q"]
    )  # fmt: skip
    return alt.layer(band, line, served).properties(height=340)


def comparison(rows: Rows, label: str, first: str) -> Chart:
    """Plot one value per model as dots with intervals, best on top; ``first`` is highlighted."""
    shade = alt.condition(alt.datum.model == first, alt.value(COLLABORATIVE), alt.value(QUIET))
    base = alt.Chart(_data(rows)).encode(
        alt.Y(
            "model:N",
            sort=alt.EncodingSortField("value", order="descending"),
            title=None,
            axis=_every_label(),
        )
    )
    measured = alt.FilterTransform("datum.ci_low !== null")
    span = base.mark_rule(strokeWidth=2).encode(
        alt.X("ci_low:Q", title=label), alt.X2("ci_high:Q"), color=shade
    )
    span.transform = [measured]
    dot = base.mark_circle(size=110, opacity=1).encode(
        alt.X("value:Q", title=label, scale=alt.Scale(zero=True)), color=shade,
        tooltip=["model:N", alt.Tooltip("value:Q", format=".4f"),
                 alt.Tooltip("ci_low:Q", format=".4f"), alt.Tooltip("ci_high:Q", format=".4f"),
                 "users:Q"],
    )  # fmt: skip
    layers = [span, dot] if any(row["ci_low"] is not None for row in rows) else [dot]
    return alt.layer(*layers).properties(height=_height(len(rows), 34))


def bars(rows: Rows, name: str, value: str, label: str, format_: str = ",.0f") -> Chart:
    """Plot values as bars, in the given order."""
    base = alt.Chart(_data(rows)).encode(
        alt.Y(f"{name}:N", sort=None, title=None, axis=_every_label()),
        alt.X(f"{value}:Q", title=label, axis=alt.Axis(format=format_)),
        tooltip=[f"{name}:N", alt.Tooltip(f"{value}:Q", format=format_)],
    )
    chart: alt.Chart = base.mark_bar(
        color=COLLABORATIVE, cornerRadiusEnd=3, height={"band": 0.6}
    ).properties(height=_height(len(rows), 30))
    return chart


def pairs(rows: Rows, name: str, label: str, both: Sequence[str], format_: str = ",.0f") -> Chart:
    """Plot two things side by side: fields ``side`` (one of ``both``) and ``value``."""
    colours = alt.Scale(domain=list(both), range=[QUIET, COLLABORATIVE])
    base = alt.Chart(_data(rows)).encode(
        alt.Y(f"{name}:N", sort=None, title=None, axis=_every_label()),
        alt.X("value:Q", title=label, axis=alt.Axis(format=format_)),
        alt.YOffset("side:N", sort=list(both)),
        alt.Color("side:N", title=None, legend=alt.Legend(orient="top"), scale=colours),
        tooltip=[f"{name}:N", "side:N", alt.Tooltip("value:Q", format=format_)],
    )
    chart: alt.Chart = base.mark_bar(cornerRadiusEnd=3).properties(
        height=_height(len({row[name] for row in rows}) + 1, 40)
    )
    return chart


def intervals(rows: Rows, label: str) -> Chart:
    """Plot effects around zero: fields ``name``, ``lift``, ``ci_low``, ``ci_high`` and ``state``.

    ``state`` is better, worse or unclear.
    """
    shade = alt.Color("state:N", legend=None, scale=alt.Scale(
        domain=["better", "worse", "unclear"], range=[BETTER, WORSE, QUIET]))  # fmt: skip
    axis = alt.Axis(format="+.0%", tickCount=5)
    base = alt.Chart(_data(rows)).encode(
        alt.Y("name:N", sort=None, title=None, axis=_every_label()), shade,
        tooltip=["name:N", *(alt.Tooltip(f"{field}:Q", format="+.2%")
                             for field in ("lift", "ci_low", "ci_high"))],
    )  # fmt: skip
    zero = alt.Chart(_data([{"zero": 0}])).mark_rule(color=QUIET).encode(x="zero:Q")
    span = base.mark_rule(strokeWidth=2).encode(
        alt.X("ci_low:Q", title=label, axis=axis), alt.X2("ci_high:Q")
    )
    dot = base.mark_circle(size=110, opacity=1).encode(alt.X("lift:Q", axis=axis))
    return alt.layer(zero, span, dot).properties(height=_height(len(rows), 34))


def course(rows: Rows, label: str) -> Chart:
    """Plot an effect and its interval over time: fields ``day``, ``lift``, ``ci_low/high``."""
    axis = alt.Axis(format="+.0%", tickCount=5)
    base = alt.Chart(_data(rows)).encode(
        alt.X("day:T", title=None, axis=alt.Axis(format="%-d %b", labelOverlap=True)),
        tooltip=[alt.Tooltip("day:T", format="%-d %B %Y"),
                 *(alt.Tooltip(f"{field}:Q", format="+.2%")
                   for field in ("lift", "ci_low", "ci_high"))],
    )  # fmt: skip
    zero = alt.Chart(_data([{"zero": 0}])).mark_rule(color=QUIET).encode(y="zero:Q")
    band = base.mark_area(fillOpacity=0.16, color=COLLABORATIVE).encode(
        alt.Y("ci_low:Q", title=label, axis=axis), alt.Y2("ci_high:Q")
    )
    line = base.mark_line(strokeWidth=2, color=COLLABORATIVE, point=True).encode(y="lift:Q")
    return alt.layer(band, zero, line).properties(height=260)
