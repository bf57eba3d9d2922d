"""Plots of an evaluation as SVG: small, readable and the same bytes for the same numbers."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
import pyarrow as pa
from matplotlib.figure import Figure

from tasks.evaluation.models import MODELS

Row = dict[str, Any]

STYLE: dict[Any, Any] = {
    "svg.hashsalt": "crossfade",  # element ids that do not change from run to run
    "svg.fonttype": "none",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
}
SHOWN_MODELS = tuple(model for model in MODELS if model != "hybrid_any_artist")


def write_plots(
    evaluation: pa.Table, segment_curve: pa.Table, segments: pa.Table, folder: Path
) -> dict[str, Path]:
    """Write the plots of an evaluation's tables into ``folder``; name → file.

    ``quality_by_weight``: NDCG@100 against w for each segment, best prior and none;
    ``quality_by_history``: NDCG@100 of every model by history length;
    ``coverage_by_quality``: catalogue coverage against NDCG@100.
    """
    rows = evaluation.to_pylist()
    with mpl.rc_context(STYLE):
        figures = {
            "quality_by_weight": _by_weight(segment_curve.to_pylist(), segments.to_pylist()),
            "quality_by_history": _by_history(rows, segments.to_pylist()),
            "coverage_by_quality": _coverage(rows),
        }
        files = {}
        for name, figure in figures.items():
            files[name] = folder / f"{name}.svg"
            figure.savefig(files[name], format="svg", metadata={"Date": None})
    return files


def _by_weight(curve: list[Row], segments: list[Row]) -> Figure:
    names = list(dict.fromkeys(row["segment"] for row in curve))
    figure = Figure(figsize=(2.4 * max(len(names), 1) + 0.6, 2.6), layout="constrained")
    chosen = {row["segment"]: row for row in segments}
    for place, name in enumerate(names):
        ours = [row for row in curve if row["segment"] == name]
        axes = figure.add_subplot(1, len(names), place + 1)
        best: dict[float, Row] = {}
        for row in ours:
            if row["value"] > best.get(row["weight"], {"value": -1.0})["value"]:
                best[row["weight"]] = row
        line = [best[weight] for weight in sorted(best)]
        weights = [row["weight"] for row in line]
        axes.plot(weights, [row["value"] for row in line], color="C0", label="best prior")
        axes.fill_between(
            weights,
            [row["ci_low"] for row in line],
            [row["ci_high"] for row in line],
            color="C0",
            alpha=0.15,
        )
        lowest = min(row["popularity"] for row in ours)
        plain = sorted((row["weight"], row["value"]) for row in ours if row["popularity"] == lowest)
        axes.plot(*zip(*plain, strict=True), color="C7", linestyle=":", label="no prior")
        axes.axvline(chosen[name]["weight"], color="C3", linewidth=1, label="learned w")
        axes.set_title(f"history {name}")
        axes.set_xlabel("collaborative share w")
        if place == 0:
            axes.set_ylabel("NDCG@100")
            axes.legend(fontsize=7, loc="lower center")
    return figure


def _by_history(rows: list[Row], segments: list[Row]) -> Figure:
    figure = Figure(figsize=(6, 3.4), layout="constrained")
    axes = figure.add_subplot()
    names = [row["segment"] for row in segments if row["max_tracks"] != 0]
    value = {
        (row["model"], row["segment"]): row
        for row in rows
        if row["metric"] == "ndcg" and row["segment"].startswith("history:")
    }
    for model in SHOWN_MODELS:
        found = [
            (place, value[model, f"history:{name}"])
            for place, name in enumerate(names)
            if (model, f"history:{name}") in value
        ]
        axes.errorbar(
            [place for place, _ in found],
            [row["value"] for _, row in found],
            [
                [max(row["value"] - row["ci_low"], 0.0) for _, row in found],
                [max(row["ci_high"] - row["value"], 0.0) for _, row in found],
            ],
            marker="o",
            markersize=3,
            capsize=2,
            linewidth=2 if model == "hybrid" else 1,
            label=model,
        )
    axes.set_xticks(range(len(names)), names)
    axes.set_xlabel("tracks in the history")
    axes.set_ylabel("NDCG@100")
    axes.legend(fontsize=7)
    return figure


def _coverage(rows: list[Row]) -> Figure:
    figure = Figure(figsize=(5, 3.4), layout="constrained")
    axes = figure.add_subplot()
    value = {(row["model"], row["metric"]): row["value"] for row in rows if row["segment"] == "all"}
    ndcg = {row["model"]: row["value"] for row in rows if _is_ndcg_of_all(row)}
    for place, model in enumerate(MODELS):
        if model in ndcg:
            x, y = ndcg[model], value[model, "coverage"]
            axes.plot(x, y, "o", color=f"C{place}")
            axes.annotate(model, (x, y), xytext=(4, 3), textcoords="offset points", fontsize=7)
    axes.margins(x=0.2)
    axes.set_xlabel("NDCG@100")
    axes.set_ylabel("share of the catalogue shown, top 20")
    return figure


def _is_ndcg_of_all(row: Row) -> bool:
    return bool(row["segment"] == "all" and row["metric"] == "ndcg")
