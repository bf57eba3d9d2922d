"""How results are printed: tables for people, JSON and CSV for machines."""

import json
import sys
from collections.abc import Sequence

import pyarrow as pa
from rich.console import Console
from rich.table import Table
from rich.text import Text

from flows.artifacts.summary import example_queries
from flows.cli.options import Format
from flows.outcome import Outcome
from warehouse.releases.manifest import Override
from warehouse.releases.reader import Reader
from warehouse.releases.release import Release
from warehouse.spreadsheets import csv_bytes

_SHOWN_COLUMNS = ["rank", "track_id", "name", "artist", "score", "source"]
"""What fits a terminal of 80 columns; JSON and CSV have them all."""

SHOWN = 8
"""Rows of the example list at the end of a run."""


def print_rows(rows: pa.Table, output: Format) -> None:
    """Print a result to standard output."""
    if output is Format.JSON:
        json.dump(rows.to_pylist(), sys.stdout, ensure_ascii=False, indent=1, default=str)
        sys.stdout.write("\n")
    elif output is Format.CSV:
        sys.stdout.buffer.write(csv_bytes(rows))
    else:
        Console().print(_table(rows.select(_SHOWN_COLUMNS)))


def print_releases(releases: Sequence[Release]) -> None:
    """Print the releases, the current one marked."""
    table = Table(box=None, pad_edge=False)
    for column in ("", "release", "status", "tracks", "listeners", "MB", "dataset"):
        table.add_column(column, overflow="fold", no_wrap=column not in ("status", "dataset"))
    for release in releases:
        manifest = release.manifest
        table.add_row(
            "*" if release.is_current else "",
            manifest.release_id,
            manifest.status
            + (", rolled back" if manifest.rolled_back else "")
            + (f", revision {manifest.revision}" if manifest.revision else "")
            + (f" ({manifest.reason})" if manifest.reason else "")
            + _by(manifest.override),
            f"{manifest.row_counts['tracks']:,}",
            f"{manifest.row_counts['users']:,}",
            f"{manifest.bytes / 1e6:.1f}",
            Text(manifest.dataset),
        )
    Console().print(table)


def _by(override: Override | None) -> str:
    return f", by {override.by}: {override.because}" if override else ""


def print_outcome(outcome: Outcome) -> None:
    """Print the outcome of a run, a few recommendations, and the SQL to get more."""
    console = Console(highlight=False)
    said = "published" if outcome.published else f"is still current: {outcome.because}"
    console.print(f"\nRelease {outcome.release_id} {said}\n{outcome.database}\n", soft_wrap=True)
    with Reader(outcome.database) as reader:
        listener = reader.rows(
            "SELECT user_id, tracks_played, segment, weight FROM users "
            "WHERE tracks_played >= 5 ORDER BY user_id LIMIT 1"
        )
        if listener:
            one = listener[0]
            heard = reader.rows(
                "SELECT t.name, t.artist FROM listens l JOIN tracks t USING (track_id) "
                "WHERE l.user_id = ? ORDER BY l.plays DESC, t.track_id LIMIT 3",
                [one["user_id"]],
            )
            titles = "; ".join(_title(row["name"], row["artist"]) for row in heard)
            console.print(
                Text(
                    f"Listener {one['user_id']} played {one['tracks_played']} tracks, most: "
                    f"{titles}. Recommended (collaborative share {one['weight']:g}):"
                ),
                soft_wrap=True,
            )
            rows = reader.query(
                "SELECT rank, r.name, r.artist, score, source, b.name AS because "
                "FROM recommend_user(?, k := ?) r "
                "LEFT JOIN tracks b ON b.track_id = r.because_track_id ORDER BY rank",
                [one["user_id"], SHOWN],
            )
            console.print(_table(rows))
    console.print("\nOpen the file read-only with any DuckDB and try:")
    for query in example_queries(outcome):
        console.print(Text(f"  {query}"), soft_wrap=True)


def print_backtest(measured: pa.Table) -> None:
    """Print NDCG@100 of every model and blend by history segment, the best first."""
    rows = [row for row in measured.to_pylist() if row["metric"] == "ndcg" and row["k"] == 100]
    named = dict.fromkeys(row["segment"] for row in rows)
    segments = [name for name in named if name == "all" or name.startswith("history:")]
    value = {(row["model"], row["segment"]): row["value"] for row in rows}
    models = {row["model"] for row in rows if (row["model"], "all") in value}
    table = Table(box=None, pad_edge=False, title="NDCG@100", title_justify="left")
    table.add_column("model")
    for segment in segments:
        table.add_column(segment.removeprefix("history:"), justify="right", no_wrap=True)
    for model in sorted(models, key=lambda name: (-value[name, "all"], name)):
        cells = (value.get((model, segment)) for segment in segments)
        table.add_row(model, *("" if cell is None else f"{cell:.4f}" for cell in cells))
    Console().print(table)
    _print_segment(measured, "cold", "Hidden tracks alone to choose from (× ours over the model)")
    _print_segment(
        measured, "catalogue", "The whole catalogue, a tenth of the played tracks hidden"
    )


def _print_segment(measured: pa.Table, segment: str, title: str) -> None:
    """Print every metric of a segment, a row per model in the order of the table."""
    rows = [row for row in measured.to_pylist() if row["segment"] == segment]
    value = {(row["model"], f"{row['metric']}@{row['k']}"): row["value"] for row in rows}
    metrics = list(dict.fromkeys(metric for _, metric in value))
    table = Table(box=None, pad_edge=False, title=title, title_justify="left")
    table.add_column("model")
    for metric in metrics:
        table.add_column(metric, justify="right")
    for model in dict.fromkeys(model for model, _ in value):
        cells = (value.get((model, metric)) for metric in metrics)
        table.add_row(model, *("" if cell is None else f"{cell:.4f}" for cell in cells))
    if rows:
        Console().print(table)


def _title(name: str | None, artist: str | None) -> str:
    return " by ".join(part for part in (name, artist) if part) or "untitled"


def _table(rows: pa.Table) -> Table:
    table = Table(box=None, pad_edge=False)
    for field in rows.schema:
        right = pa.types.is_integer(field.type) or pa.types.is_floating(field.type)
        is_id = field.name.endswith("_id")  # to be copied: never broken over lines
        table.add_column(
            field.name.removesuffix("_score"),
            justify="right" if right else "left",
            overflow="fold",
            no_wrap=is_id or right,
        )
    for row in rows.to_pylist():
        table.add_row(*(Text(_cell(value)) for value in row.values()))
    return table


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.4f}" if isinstance(value, float) else str(value)
