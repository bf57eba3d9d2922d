"""Plot backtests' curves: `python -m tests.benchmarks.cold_curve OUT.svg NAME=CSV:GAMMA …`.

CSV is the backtest.csv of `crossfade backtest --out`, GAMMA the γ that was learned. Shows how much
of the lists hidden tracks get against the NDCG that is left for played ones.
"""

import csv
import sys
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from tasks.backtest.cold_stage import CATALOGUE
from tasks.evaluation.plots import STYLE


def main() -> None:
    """Write the plot."""
    out, *named = sys.argv[1:]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5.5, 3.2), layout="constrained")
        axes = figure.add_subplot()
        for place, one in enumerate(named):
            name, rest = one.split("=", 1)
            file, learned = rest.rsplit(":", 1)
            with Path(file).open(newline="", encoding="utf-8") as rows:
                found = [row for row in csv.DictReader(rows) if row["segment"] == CATALOGUE]
            value = {(r["model"], r["metric"]): float(r["value"]) for r in found}
            models = list(dict.fromkeys(row["model"] for row in found))
            best = max(value[model, "ndcg"] for model in models)
            shown = [100 * value[model, "hidden_share"] for model in models]
            left = [100 * value[model, "ndcg"] / best for model in models]
            axes.plot(shown, left, marker=".", color=f"C{place}", label=name)
            at = models.index(f"hybrid, γ = {learned}")
            axes.plot(shown[at], left[at], "o", markersize=9, mfc="none", color=f"C{place}")
            axes.annotate(f"γ = {learned}", (shown[at], left[at]), fontsize=7, xytext=(6, -10),
                          textcoords="offset points")  # fmt: skip
        axes.axhline(99, color="C7", linestyle=":", linewidth=1)
        axes.set_xlabel("hidden tracks in the top 20, %")
        axes.set_ylabel("NDCG@100 of played tracks, % of the best")
        axes.legend(fontsize=8)
        figure.savefig(out, format="svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
