"""How results are printed: tables for people, JSON and CSV for machines."""

import json
import shlex
import sys
from pathlib import Path

import pyarrow as pa
from rich.table import Table
from rich.text import Text

from flows.artifacts.report import example_queries
from flows.cli.console import command_name, output, say
from flows.cli.options import Format
from flows.cli.reasons import reasons
from flows.outcome import Outcome
from warehouse.releases.reader import Reader
from warehouse.spreadsheets import csv_bytes

SHOWN = 8
"""Rows of the example list at the end of a run."""

PLAYED = "played"
"""What a listener did with the tracks of a history."""


def print_rows(rows: pa.Table, shown: Format, reader: Reader, did: str) -> None:
    """Print a list; as a table with why each row is in it.

    ``did``: what was done with the tracks that it is made from (see `reasons`).
    """
    if shown is Format.JSON:
        json.dump(rows.to_pylist(), sys.stdout, ensure_ascii=False, indent=1, default=str)
        sys.stdout.write("\n")
    elif shown is Format.CSV:
        sys.stdout.buffer.write(csv_bytes(rows))
    else:
        _print_list(rows, reader, did)


def _print_list(rows: pa.Table, reader: Reader, did: str) -> None:
    """Print a list: a line for each track or artist, and below it why it is there."""
    console = output()
    if not rows.num_rows:
        console.print("nothing to list")
        return
    listed = rows.to_pylist()
    has_words = "reason" in rows.column_names
    words = [row["reason"] for row in listed] if has_words else reasons(listed, reader, did)
    of_tracks = "name" in rows.column_names
    ids = max(len(row["track_id"]) for row in listed) if of_tracks else 0
    for row, why in zip(listed, words, strict=True):
        score = "" if row["score"] is None else f"{row['score']:.4f}"
        lead = f"{row['rank']:>4}  {score:>6}  "
        if of_tracks:
            say(console, _title(row["name"], row["artist"]), f"{lead}{row['track_id']:<{ids}}  ")
        else:
            say(console, row["artist"], lead)
        say(console, why, " " * 14, "dim" if console.is_terminal else "")


def print_outcome(outcome: Outcome, home: Path, force: bool) -> None:
    """Print the outcome of a run, a few recommendations, and how to get more."""
    console = output()
    said = "published" if outcome.published else f"is still current: {outcome.because}"
    console.print()
    say(console, f"Release {outcome.release_id} {said}")
    if force and not outcome.published:
        say(
            console,
            "--force had nothing to do: it publishes what the gate refuses or what was rolled "
            "back, and this is what is current.",
        )
    say(console, str(outcome.database))
    listener = None
    with Reader(outcome.database) as reader:
        found = reader.rows(
            "SELECT user_id, tracks_played, weight FROM users "
            "WHERE tracks_played >= 5 ORDER BY user_id LIMIT 1"
        )
        if found:
            listener = str(found[0]["user_id"])
            heard = reader.rows(
                "SELECT t.name, t.artist FROM listens l JOIN tracks t USING (track_id) "
                "WHERE l.user_id = ? ORDER BY l.plays DESC, t.track_id LIMIT 3",
                [listener],
            )
            titles = "; ".join(_title(row["name"], row["artist"]) for row in heard)
            console.print()
            say(
                console,
                f"Listener {listener} played {found[0]['tracks_played']} tracks, most: {titles}. "
                f"Recommended (collaborative share {found[0]['weight']:g}):",
            )
            rows = reader.query("FROM recommend_user(?, k := ?)", [listener, SHOWN])
            _print_list(rows, reader, PLAYED)
    console.print()
    say(console, "Open the file read-only with any DuckDB and try:")
    for query in example_queries(outcome):
        console.print(Text(query), soft_wrap=True)
    if listener is not None:
        console.print()
        say(console, "Or in this shell:")
        console.print(Text(_command(listener, home)), soft_wrap=True)


def _command(listener: str, home: Path) -> str:
    """Return the command that prints a listener's list, to be pasted into the shell."""
    words = [*shlex.split(command_name()), "recommend", f"--user={listener}"]
    default = Path("data").resolve()
    return shlex.join(words if home.resolve() == default else [*words, "--home", str(home)])


def print_backtest(measured: pa.Table) -> None:
    """Print NDCG@100 of every model and blend by history segment, the best first."""
    rows = [row for row in measured.to_pylist() if row["metric"] == "ndcg" and row["k"] == 100]
    named = dict.fromkeys(row["segment"] for row in rows)
    segments = [name for name in named if name == "all" or name.startswith("history:")]
    value = {(row["model"], row["segment"]): row["value"] for row in rows}
    models = {row["model"] for row in rows if (row["model"], "all") in value}
    table = Table(box=None, pad_edge=False, title="NDCG@100", title_justify="left")
    table.add_column("model", no_wrap=True, overflow="fold")
    for segment in segments:
        table.add_column(segment.removeprefix("history:"), justify="right", no_wrap=True)
    for model in sorted(models, key=lambda name: (-value[name, "all"], name)):
        cells = (value.get((model, segment)) for segment in segments)
        table.add_row(model, *("" if cell is None else f"{cell:.4f}" for cell in cells))
    output().print(table)
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
    table.add_column("model", no_wrap=True, overflow="fold")
    for metric in metrics:
        table.add_column(metric, justify="right")
    for model in dict.fromkeys(model for model, _ in value):
        cells = (value.get((model, metric)) for metric in metrics)
        table.add_row(model, *("" if cell is None else f"{cell:.4f}" for cell in cells))
    if rows:
        output().print(table)


def _title(name: str | None, artist: str | None) -> str:
    return " by ".join(part for part in (name, artist) if part) or "untitled"
