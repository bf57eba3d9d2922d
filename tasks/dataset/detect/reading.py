"""Tables as a dataset TOML describes them, and their rows as the fields see them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import duckdb

from tasks.dataset.columns import ListSpec
from tasks.dataset.detect.dialect import Dialect
from tasks.dataset.detect.shapes import is_null
from tasks.dataset.detect.table import Table, look
from tasks.dataset.detect.values import Kind, split_list, to_number
from tasks.dataset.files import FilesSpec
from tasks.dataset.filters import RowFilter
from tasks.dataset.plays import PlaysSpec
from tasks.dataset.tracks import TracksSpec
from warehouse.statements import text_literal

FILTERED = 5_000
"""Rows to which a filter is applied for the share that it keeps."""


def read_as(spec: FilesSpec) -> Table:
    """Look at the files of a TOML's table in the dialect that it gives.

    Raises InputError for files that are missing or no table.
    """
    tables = [look(path, lambda found: _dialect(spec, found), spec.encoding) for path in spec.path]
    first = tables[0]
    rows = sum(table.whole_rows for table in tables)
    return replace(first, paths=spec.path, share=first.rows / rows if rows else 1.0)


def _dialect(spec: FilesSpec, found: Dialect) -> Dialect:
    """Put what the TOML says over what was found."""
    delimiter = found.delimiter if spec.delimiter is None else spec.delimiter
    quote = spec.quote if spec.quote is not None else "" if delimiter == "\t" else '"'
    return replace(
        found, delimiter=delimiter, quote=quote, escape=spec.escape, comment=spec.comment,
        skip=spec.skip, strip=spec.strip, header=spec.header, columns=spec.columns_in_file,
        quote_matters=bool(quote), names_are_made_up=False,
    )  # fmt: skip


def plays_rows(table: Table, spec: PlaysSpec, limit: int) -> tuple[list[dict[str, str]], float]:
    """Return the first rows that count as plays, and the share of rows that do."""
    numbers = range(min(table.rows, FILTERED))
    kept = [number for number in numbers if _counts(table, spec, number)]
    if spec.where:
        kept = _filtered(table, spec.where, kept)
    shown = []
    for number in kept[:limit]:
        track = _value(table, spec.track, number)
        row = {"user": _text(table, spec.user, number), "track": track}
        if spec.at:
            row["at"] = _text(table, spec.at.column, number)
        for field in ("title", "creator"):
            if getattr(spec, field):
                row[field] = _value(table, getattr(spec, field), number)
        if spec.count:
            row["count"] = _text(table, spec.count, number)
        if spec.strength:
            row[spec.strength.column] = _text(table, spec.strength.column, number)
        shown.append(row)
    return shown, len(kept) / len(numbers) if numbers else 0.0


def _counts(table: Table, spec: PlaysSpec, row: int) -> bool:
    if spec.strength is None or spec.strength.min is None:
        return True
    value = table.column(spec.strength.column).values[row]
    number = to_number(value or "", spec.decimal, spec.thousands)
    return number is not None and number >= spec.strength.min


def _filtered(table: Table, where: str, rows: Sequence[int]) -> list[int]:
    """Apply the run's own row filter to sampled rows."""
    condition = RowFilter.parse(where)

    def column(name: str, kind: str) -> str:
        quoted = '"' + name.replace('"', '""') + '"'
        cast = {"number": "DOUBLE", "flag": "BOOLEAN", "moment": "TIMESTAMP"}.get(kind)
        return f"try_cast({quoted} AS {cast})" if cast else quoted

    if not rows:
        return []
    names = [one for one in table.columns if one.name in condition.columns]
    quoted = ", ".join('"' + one.name.replace('"', '""') + '"' for one in names)
    values = ", ".join(
        "(" + ", ".join([str(row), *(_literal(one.values[row]) for one in names)]) + ")"
        for row in rows
    )
    with duckdb.connect() as con:
        found = con.execute(
            f"SELECT row FROM (VALUES {values}) rows(row, {quoted}) "
            f"WHERE {condition.sql(column)} ORDER BY row"
        ).fetchall()
    return [int(row) for (row,) in found]


def _literal(value: str | None) -> str:
    return "NULL::VARCHAR" if value is None or is_null(value) else text_literal(value)


def tracks_rows(table: Table, spec: TracksSpec, limit: int) -> list[dict[str, str]]:
    """Return the first tracks as the fields see them."""
    shown = []
    for row in range(min(limit, table.rows)):
        found = {"id": _text(table, spec.id, row)}
        if spec.title:
            found["title"] = _text(table, spec.title, row)
        if spec.creator:
            given = spec.creator if isinstance(spec.creator, tuple) else (spec.creator,)
            found["creator"] = "; ".join(_value(table, one, row) for one in given)
        if spec.tags:
            listed = ListSpec(column=spec.tags.column, list=spec.tags.way)
            found["tags"] = _value(table, listed, row)
        if spec.genre:
            found["genre"] = _value(table, spec.genre, row)
        if spec.year_column:
            found["year"] = _year(_text(table, spec.year_column, row))
        if spec.released:
            found["released"] = _text(table, spec.released, row)
        for feature in (*spec.numeric, *spec.categorical)[:3]:
            if feature != "year":
                found[feature] = _text(table, spec.source(feature), row)
        shown.append(found)
    return shown


def _text(table: Table, column: str, row: int) -> str:
    value = table.column(column).values[row]
    return "" if value is None or is_null(value) else value


def _value(table: Table, given: str | ListSpec, row: int) -> str:
    """Return a value, the items of a list separated by semicolons."""
    if isinstance(given, str):
        return _text(table, given, row)
    column = table.column(given.column)
    value = column.values[row]
    if value is None or is_null(value):
        return ""
    native = column.kind is Kind.LIST and column.list_syntax == "native"
    return "; ".join(split_list(value, "native" if native else given.list, given.key or ""))


def _year(value: str) -> str:
    found = re.search(r"\b\d{4}\b", value)
    return found[0] if found else value.removesuffix(".0")


def spec_columns(spec: FilesSpec) -> Mapping[str, str]:
    """Return which column each field of a TOML's table names: field → column."""
    columns: Any = getattr(spec, "columns")  # noqa: B009 - tables of both kinds have it
    return dict(columns())
