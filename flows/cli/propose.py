"""What `crossfade init` does: look at files, propose the dataset TOML, or check one."""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from tasks.dataset.detect.check import check_spec, unused_columns
from tasks.dataset.detect.decision import Decision
from tasks.dataset.detect.document import write_document
from tasks.dataset.detect.inputs import look_at
from tasks.dataset.detect.proposal import Proposal, propose
from tasks.dataset.detect.reading import FILTERED, plays_rows, tracks_rows
from tasks.dataset.detect.table import Table
from tasks.dataset.spec import DatasetSpec
from warehouse.errors import InputError
from warehouse.files import resolved

SHOWN = 3
"""Tracks and plays that are shown."""

_ASKED_NOT = ("plays.header", "tracks.header")
"""Guesses that are marked in the TOML but not asked: the view shows whether they are right."""

_GENERIC = frozenset(("", "data", "dataset", "datasets", "download", "downloads", "tmp", "raw"))
"""Names of folders that say nothing of what is in them."""


def propose_dataset(files: list[str], out: Path, yes: bool, force: bool) -> None:
    """Propose a dataset TOML for the files, ask about guesses at a terminal, and write it."""
    console = Console(highlight=False, soft_wrap=True)
    asks = not yes and sys.stdin.isatty() and sys.stdout.isatty()
    if out.exists() and not force and not asks:
        raise InputError(f"{out} exists; write another with --out, or overwrite it with --force")
    inputs = look_at(files)
    answers: dict[str, str] = {}
    proposal = propose(inputs)
    while asks and (question := _next_question(proposal, answers)):
        answers[question.field] = _ask(console, proposal, question)
        proposal = propose(inputs, answers)
    text = write_document(proposal, out.parent, _name(proposal))
    _show(console, proposal, _understood(text, out.parent))
    if out.exists() and not force and not typer.confirm(f"{out} exists; overwrite it?"):
        raise InputError(f"{out} is as it was; write another with --out")
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{out} cannot be written ({error.strerror})") from None
    console.print(Text(f"\nWrote {out}. Next: crossfade run --dataset {out}"))


def _name(proposal: Proposal) -> str:
    """Name the dataset after the history's folder, or after its file if that says nothing."""
    path = resolved(Path(proposal.history.paths[0]))
    folder = path.parent.name
    return path.name.split(".", 1)[0] if folder.lower() in _GENERIC else folder


def _understood(text: str, folder: Path) -> DatasetSpec:
    """Read a proposed TOML as a run would, before it is written to its place."""
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", suffix=".toml", dir=folder, prefix=".init-"
    ) as draft:
        draft.write(text)
        draft.flush()
        return DatasetSpec.from_toml(Path(draft.name))


def _next_question(proposal: Proposal, answers: dict[str, str]) -> Decision | None:
    return next(
        (
            one for one in proposal.open_questions
            if one.field not in answers and one.field not in _ASKED_NOT
        ),
        None,
    )  # fmt: skip


def _ask(console: Console, proposal: Proposal, question: Decision) -> str:
    """Ask about one decision; Enter keeps the proposal. Returns the answer for `propose`."""
    console.print(Text(f"\n{question.field}: {question.shown}? {question.reason}."))
    choices = [choice for choice in question.choices if choice != question.shown]
    for number, choice in enumerate(choices, 1):
        console.print(Text(f"  {number}  {choice}"))
    hint = "Enter keeps it" + (", a number takes another one" if choices else "")
    hint += ", `none` leaves it out" if question.field not in _NEEDED else ""
    answer = str(typer.prompt(hint, default="", show_default=False)).strip()
    if answer.isdigit() and question.field != "plays.strength" and 0 < int(answer) <= len(choices):
        answer = choices[int(answer) - 1]
    if not answer:
        value = question.value
        if isinstance(value, list):
            answer = str(value[0])
        elif isinstance(value, dict):
            answer = str(value.get("min", value["column"]))
        else:
            answer = question.shown
    section = question.field.partition(".")[0]
    return proposal.positions.get(f"{section}.{answer}", answer)


_NEEDED = ("plays.path", "plays.user", "plays.track", "tracks.id")


def _show(console: Console, proposal: Proposal, spec: DatasetSpec) -> None:
    """Print what the files are, every decision with its sureness, and the first rows."""
    tables = [("history", proposal.history), ("catalogue", proposal.catalogue)]
    for role, table in tables:
        if table is not None:
            console.print(Text(f"{table.label}: the {role}, {_described(table)}"))
    for unused in proposal.unused:
        console.print(Text(f"{unused.label}: not used, it {unused.reason}"))
    grid = Grid(box=None, pad_edge=False)
    for column in ("field", "value", "", "because"):
        grid.add_column(column, overflow="fold")
    for one in proposal.decisions:
        if not one.field.endswith((".path", ".delimiter")):
            grid.add_row(
                *map(Text, (one.field, _visible(one.shown), one.sureness.value, one.reason))
            )
    console.print()
    Console(highlight=False).print(grid)
    _show_rows(console, spec, proposal.history, proposal.catalogue)
    for section, table in (("tracks", proposal.catalogue), ("plays", proposal.history)):
        if table is not None:
            described = spec.tracks if section == "tracks" else spec.plays
            _show_unused(console, table, unused_columns(table, described))
    for warning in proposal.warnings:
        console.print(Text(f"Note: {warning}."))
    guesses = [one.field for one in proposal.open_questions]
    if guesses:
        console.print(Text(f"Check these in the TOML, they are guesses: {', '.join(guesses)}."))


def _described(table: Table) -> str:
    """Say in a line what a file is."""
    parts = [{"csv": "text", "json": "JSON", "parquet": "Parquet"}[table.format]]
    if table.dialect:
        parts = [
            _DELIMITERS.get(
                table.dialect.delimiter, f"fields separated by `{table.dialect.delimiter}`"
            )
        ]
        parts.append("header" if table.dialect.header else "no header")
    if table.encoding:
        parts.append(
            table.encoding.name.upper() if table.encoding.name == "utf-8" else table.encoding.name
        )
    if table.compression:
        parts.append(table.compression)
    about = "" if table.share == 1 else "about "
    return f"{', '.join(parts)}, {about}{table.whole_rows:,} rows"


_DELIMITERS = {
    ",": "comma-separated", "\t": "tab-separated", ";": "semicolon-separated",
    "|": "bar-separated", "": "one column",
}  # fmt: skip


def _visible(value: str) -> str:
    return value.replace("\t", "\\t")


def _show_rows(
    console: Console, spec: DatasetSpec, history: Table, catalogue: Table | None
) -> None:
    if catalogue is not None:
        _show_grid("Tracks as they are read", tracks_rows(catalogue, spec.tracks, SHOWN))
    rows, share = plays_rows(history, spec.plays, SHOWN)
    _show_grid("Plays as they are read", rows)
    if share < 1:
        looked = min(history.rows, FILTERED)
        console.print(Text(f"{share:.0%} of {looked:,} sampled rows count as plays."))
    if not rows:
        console.print(
            Text("None of the first rows counts as a play: check `where` and `strength`.")
        )


def _show_grid(title: str, rows: Sequence[dict[str, str]]) -> None:
    if not rows:
        return
    grid = Grid(box=None, pad_edge=False)
    for name in rows[0]:
        grid.add_column(name, overflow="fold")
    for row in rows:
        grid.add_row(*(Text(_shortened(value)) for value in row.values()))
    console = Console(highlight=False)
    console.print(Text(f"\n{title}"))
    console.print(grid)


def _shortened(value: str) -> str:
    return value if len(value) <= 60 else value[:59] + "…"


def _show_unused(console: Console, table: Table, columns: Sequence[str]) -> None:
    if columns:
        console.print(Text(f"Not used of {table.label}: {', '.join(columns)}"))


def show_check(path: Path) -> None:
    """Show what an existing TOML reads; mistakes are printed, the status stays 0."""
    console = Console(highlight=False, soft_wrap=True)
    spec = DatasetSpec.from_toml(path)
    checked = check_spec(spec)
    for role, table in (("history", checked.history), ("catalogue", checked.catalogue)):
        if table is not None:
            console.print(Text(f"{table.label}: the {role}, {_described(table)}"))
    _show_rows(console, spec, checked.history, checked.catalogue)
    for section, table in (("tracks", checked.catalogue), ("plays", checked.history)):
        if table is not None:
            _show_unused(console, table, checked.unused[section])
    for mistake in checked.mistakes:
        console.print(Text(f"Likely mistake: {mistake}."))
    if not checked.mistakes:
        console.print(Text("Nothing looks wrong."))
