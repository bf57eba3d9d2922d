"""Ids: that they lost no digits on their way into a file, and why two sides do not match."""

import re
from collections.abc import Callable, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tasks.ingest.files import OpenedFile
from warehouse.errors import InputError

SCIENTIFIC = r"[+-]?\d(\.\d+)?[eE]\+\d+|[+-]?\d\.\d+[eE]\+?\d+"
"""An id that a spreadsheet or a float has turned into a number like 1.08E+08."""

_WHOLE = 2**53
_EXAMPLES = 3
_LONGEST = 40


def check_float_ids(file: OpenedFile, column: str) -> None:
    """Raise InputError if a Parquet column of ids holds floats that have lost digits."""
    if file.kind != "parquet" or column not in file.positions:
        return
    kind = pq.read_schema(file.text).field(column).type
    if not pa.types.is_floating(kind):
        return
    values = pc.abs(pq.read_table(file.text, columns=[column])[column].cast(pa.float64()))
    most = _WHOLE if kind == pa.float64() else 2**24
    lost = values.filter(pc.and_(pc.is_finite(values), pc.greater_equal(values, float(most))))
    if len(lost):
        shown = ", ".join(f"{value:.17g}" for value in lost.slice(0, _EXAMPLES).to_pylist())
        raise InputError(
            f"{file.file.path}: column `{column}` holds ids as floating-point numbers ({shown}), "
            f"{len(lost):,} of them so large that digits are lost; export it as text or as 64-bit "
            "integers (in pandas: read with dtype str, or Int64)"
        )


def check_scientific(where: str, ids: Sequence[str]) -> None:
    """Raise InputError for ids in scientific notation, of which ``ids`` are examples."""
    if ids:
        shown = ", ".join(ids[:_EXAMPLES])
        raise InputError(
            f"{where} holds ids in scientific notation ({shown}): a spreadsheet or a float has "
            "lost their digits; export the column as text"
        )


def scientific_in(ids: pa.ChunkedArray) -> list[str]:
    """Return a few ids in scientific notation."""
    found = ids.filter(pc.match_substring_regex(ids, f"^({SCIENTIFIC})$"))
    return [str(one) for one in found.slice(0, _EXAMPLES).to_pylist()]


_CAUSES: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("spaces around them; write strip = true", str.strip),
    ("upper and lower case", str.casefold),
    ("`.0` at the end, from a float; export them as text or whole numbers", lambda one: (
        re.sub(r"\.0+$", "", one))),
    ("leading zeros; export both as text", lambda one: one.lstrip("0")),
    ("quotes around them; check `quote`", lambda one: one.strip("\"'")),
    ("dashes", lambda one: one.replace("-", "").casefold()),
    ("a prefix", lambda one: re.split(r"[:/]", one)[-1]),
    ("letters before the number", lambda one: re.sub(r"^\D+0*", "", one)),
)  # fmt: skip


def likely_cause(catalogue: Sequence[str], history: Sequence[str]) -> str:
    """Say why ids of the history are not in the catalogue: examples of both and what differs."""
    sides = [
        ", ".join(repr(one[:_LONGEST]) for one in side[:_EXAMPLES]) for side in (history, catalogue)
    ]
    said = f"the history has ids like {sides[0]}, the catalogue like {sides[1]}"
    if not history or not catalogue:
        return said
    best, most = "", 0
    for cause, changed in _CAUSES:
        known = {changed(one) for one in catalogue}
        matching = sum(changed(one) in known for one in history)
        if matching > most:
            best, most = cause, matching
    if most * 2 > len(history):
        return f"{said}; they differ by {best}"
    known = set(catalogue)
    for mark in (",", "|", ";", " "):
        lists = sum(
            any(part.strip(" '\"[]") in known for part in one.split(mark)) for one in history
        )
        if lists * 2 > len(history):
            return (
                f"{said}; those of the history are lists: write track = {{ column = …, list = "
                f'"{mark}" }}, or "json" or "python" for how lists are written'
            )
    return said
