"""The page `tuning`: what was chosen for a dataset, what it is worth, and all that was tried."""

import json
from collections.abc import Mapping

from flows.artifacts.markdown import table
from tasks.collaborative.parameters import CollaborativeParameters
from tasks.tuning.folds import METRICS
from tasks.tuning.search import GRID, Point, Tuning


def tuning_markdown(tuning: Tuning, start: CollaborativeParameters, fragment: str) -> str:
    """Return a search that began at ``start`` as a page of Markdown.

    ``fragment`` is the choice as a table of crossfade.toml.
    """
    measured = {point.parameters: point.values for point in tuning.curve}
    quality = [
        ("start", *_quality(measured[start])),
        ("chosen", *_quality(measured[tuning.chosen])),
    ]
    if tuning.reported:
        quality.append(("chosen on one half, measured on the other", *_quality(tuning.reported)))
    dials = (
        (name, json.dumps(getattr(start, name)), _marked(tuning.chosen, start, name))
        for name in GRID
    )
    return "\n".join(
        [
            "# Tuning",
            "",
            f"{len(tuning.curve)} settings on {tuning.listeners:,} listeners that no run and no "
            "backtest reports on. Nothing was published.",
            "",
            *table(("setting", *METRICS), quality, numbers=len(METRICS)),
            "",
            "For crossfade.toml:",
            "",
            "```toml",
            fragment.rstrip(),
            "```",
            "",
            *table(("dial", "start", "chosen"), dials, numbers=2),
            "",
            "## All that was tried, in order",
            "",
            *table(
                (*GRID, *METRICS),
                (_tried(point, tuning.chosen) for point in tuning.curve),
                numbers=len(GRID) + len(METRICS),
            ),
            "",
        ]
    )


def _quality(values: Mapping[str, float]) -> list[str]:
    return [f"{values[metric]:.4f}" for metric in METRICS]


def _marked(chosen: CollaborativeParameters, start: CollaborativeParameters, name: str) -> str:
    """Return a dial's value, bold where the search moved it."""
    moved = getattr(chosen, name) != getattr(start, name)
    return _bold(json.dumps(getattr(chosen, name)), moved)


def _tried(point: Point, chosen: CollaborativeParameters) -> list[str]:
    is_chosen = point.parameters == chosen
    dials = (json.dumps(getattr(point.parameters, name)) for name in GRID)
    return [_bold(value, is_chosen) for value in (*dials, *_quality(point.values))]


def _bold(value: str, mark: bool) -> str:
    return f"**{value}**" if mark else value
