"""The section of a report on what the experiments changed, for whoever has to decide."""

from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from flows.artifacts.markdown import table
from warehouse.releases.reader import Reader

HEAD = ("variant", "metric", "listeners", "value", "lift", "from", "to", "p", "note")


def impact_section(database: Path) -> str:
    """Return the release's experiments as Markdown; empty if there are none."""
    with Reader(database) as reader:
        results = reader.rows("FROM experiment_results WHERE segment = 'all'")
        weights = reader.rows("FROM measured_weights")
    return impact_markdown(results, weights) if results else ""


def impact_markdown(
    results: Iterable[Mapping[str, Any]], weights: Iterable[Mapping[str, Any]]
) -> str:
    """Return rows of `experiment_results` and `measured_weights` as a section of Markdown."""
    lines = [
        "## Measured impact",
        "",
        "Lift is the relative difference to the control. An interval that leaves out 0 is an "
        "effect; it may be read every day. By segment: `FROM experiment_results`.",
    ]
    for experiment, rows in groupby(results, key=lambda row: row["experiment"]):
        lines += ["", f"### {experiment}", "", *table(HEAD, (_cells(row) for row in rows))]
    weights = list(weights)
    if weights:
        head = ("experiment", "segment", "offline weight", "measured weight", "why")
        cells = (
            (row["experiment"], row["segment"], f"{row['offline_weight']:g}",
             _number(row["measured_weight"], "g"), row["note"])
            for row in weights
        )  # fmt: skip
        lines += ["", "### Weights", "", *table(head, cells)]
    return "\n".join(lines)


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    lift, low, high = (row[name] for name in ("lift", "ci_low", "ci_high"))
    effect = low is not None and not low <= 0 <= high
    shown = _number(lift, "+.1%")
    return (
        row["variant"],
        row["metric"].replace("_", " "),
        f"{row['users']:,}",
        _number(row["value"], ".4g"),
        f"**{shown}**" if effect else shown,
        _number(low, "+.1%"),
        _number(high, "+.1%"),
        _number(row["p_value"], ".2g"),
        row["note"],
    )


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)
