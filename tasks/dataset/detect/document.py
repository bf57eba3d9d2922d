"""The text of the dataset TOML that a proposal comes to."""

import json
import os
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tasks.dataset.detect.decision import Decision
from tasks.dataset.detect.proposal import Proposal
from tasks.dataset.detect.sureness import Sureness

_FIELDS = {
    "tracks": (
        "path", "encoding", "delimiter", "header", "columns", "quote", "escape", "comment", "skip",
        "strip", "decimal", "thousands", "nulls", "id", "title", "creator", "tags", "genre", "year",
        "released", "preview_url", "cover_url", "spotify_id", "numeric", "categorical", "merge",
        "duplicates",
    ),
    "plays": (
        "path", "encoding", "delimiter", "header", "columns", "quote", "escape", "comment", "skip",
        "strip", "decimal", "thousands", "nulls", "user", "track", "at", "title", "creator",
        "count", "strength", "where",
    ),
}  # fmt: skip
"""Fields in the order in which they are written."""

_COLUMN = 43
"""Where comments begin."""
_WIDTH = 100


def write_document(proposal: Proposal, folder: Path, name: str) -> str:
    """Return the commented TOML; paths inside of ``folder`` are written relative to it.

    Guesses have a comment ``Check this`` on a line of their own.
    """
    lines = [
        "# Written by `crossfade init`. `crossfade run --dataset` reads what is here and guesses",
        "# nothing. `crossfade init --check` shows what it reads.",
        "",
        f"name = {_toml(name)}",
    ]
    lines += ["", "[tracks]", *_section("tracks", proposal, folder)] if proposal.catalogue else [
        "",
        "# No [tracks]: the catalogue is derived from the history.",
    ]  # fmt: skip
    lines += ["", "[plays]", *_section("plays", proposal, folder)]
    notes = [*proposal.warnings]
    notes += [f"{one.label} is not used: it {one.reason}" for one in proposal.unused]
    if notes:
        lines += ["", *(line for note in notes for line in _comment(f"{note}."))]
    return "\n".join(lines) + "\n"


def _section(section: str, proposal: Proposal, folder: Path) -> list[str]:
    lines: list[str] = []
    table = proposal.history if section == "plays" else proposal.catalogue
    for field in _FIELDS[section]:
        if (
            field == "columns"
            and table
            and table.dialect
            and not _has_own_header(proposal, section)
        ):
            names = [column.name for column in table.columns]
            lines.append(f"columns = {_toml(names)}")
            continue
        decision = proposal.decision(f"{section}.{field}")
        if decision is None or decision.value is None:
            continue
        value = decision.value
        if field == "path":
            paths = [_relative(path, folder) for path in value]
            value = paths[0] if len(paths) == 1 else paths
        lines += _lines(field, value, decision)
    return lines


def _has_own_header(proposal: Proposal, section: str) -> bool:
    return proposal.value(f"{section}.header") is not False


def _lines(field: str, value: Any, decision: Decision) -> list[str]:
    written = f"{field} = {_toml(value)}"
    if decision.sureness is Sureness.GUESS:
        return [*_comment(f"Check this, it is a guess: {decision.reason}."), written]
    if field in _SELF_EXPLAINING:
        return [written]
    reason = _one_line(f"{decision.sureness.value}: {decision.reason}")
    if len(reason) + max(len(written), _COLUMN) > _WIDTH - 3:
        return [*_comment(f"{reason[:1].upper()}{reason[1:]}."), written]
    return [f"{written:<{_COLUMN}} # {reason}"]


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(_one_line(text), _WIDTH - 2)]


_SELF_EXPLAINING = ("header", "delimiter", "numeric", "categorical")


def _one_line(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)


def _relative(path: str, folder: Path) -> str:
    whole = Path(os.path.abspath(path))  # noqa: PTH100 - a glob or a link is kept as it is
    try:
        return str(whole.relative_to(folder.resolve()))
    except ValueError:
        return str(whole)


def _toml(value: Any) -> str:
    """Write a value as TOML: basic strings are those of JSON."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, list | tuple):
        return _toml_list(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return json.dumps(value)


def _toml_list(values: Sequence[Any]) -> str:
    line = "[" + ", ".join(map(_toml, values)) + "]"
    if len(line) <= 90:
        return line
    return "[\n" + "".join(f"    {_toml(value)},\n" for value in values) + "]"
