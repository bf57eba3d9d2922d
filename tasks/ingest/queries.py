"""The history's SQL: named files in ``sql/``, filled with quoted literals.

Files, columns and delimiters cannot be bound as parameters of a view, so they are put in as
quoted text; nothing else is.
"""

import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from string import Template

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.dataset.files import FilesSpec
from tasks.dataset.filters import RowFilter
from tasks.dataset.plays import PlaysSpec
from tasks.ingest.files import OpenedFile
from tasks.ingest.limits import IngestLimits
from tasks.ingest.times import EARLIEST, moment_of, null_times
from tasks.lake.contracts.inputs import ID_NULLS, NULLS, NUMBER
from warehouse.statements import column_name, text_literal

SQL = Path(__file__).parent / "sql"

_PIECES = ("counted", "source")

_WHOLE = "greatest(1, round(plays.plays))"
"""The number of plays of an accepted record, as a whole one."""


def query(name: str, folder: Path = SQL, /, **fill: str) -> str:
    """Return the query ``<folder>/<name>.sql``, its placeholders filled."""
    text = (folder / f"{name}.sql").read_text()
    # A piece of a query goes into the middle of one.
    text = re.sub(r"\A(--.*\n)+", "", text) if name.startswith(_PIECES) else text
    return Template(text).substitute({"number": NUMBER, "earliest": str(EARLIEST), **fill})


def files_literal(paths: Sequence[Path]) -> str:
    """Return a list of files for a reading function; no character of a path is a wildcard."""
    return "[" + ", ".join(text_literal(_escaped(path)) for path in paths) + "]"


def _escaped(path: Path) -> str:
    return "".join(f"[{mark}]" if mark in "*?[" else mark for mark in str(path))


def null_ids(spec: FilesSpec) -> list[str]:
    """Return the ids that are missing ones."""
    return [*ID_NULLS, *spec.nulls]


def judgement(spec: PlaysSpec, limits: IngestLimits, latest: int = 0) -> dict[str, str]:
    """Return the expressions for the number of plays, the time and the reason of a record.

    ``latest`` is the last second since 1970 at which a play may have been.
    """
    columns = f"{text_literal(spec.track_column)}, {text_literal(spec.user)}"
    if spec.columns_in_file:
        columns = "E'\\x01', E'\\x01'"  # there is no header that could be repeated
    nulls = ", ".join(is_one_of(one, null_ids(spec)) for one in ("track_id", "user_id"))
    plays, counted = "1", "'1'"
    strength = spec.strength
    if strength and strength.scale:
        plays, counted = f"strength_plays(strength, {strength.scale!r})", "'1'"
    elif spec.count:
        plays, counted = "count_value(count_text)", "count_text"
    reason = (
        f"play_reason(track_id, user_id, {counted}, plays, {limits.max_plays}, {columns}, {nulls})"
    )
    if strength:
        reason = f"coalesce({reason}, strength_reason(strength_text, strength))"
    if spec.dislikes:  # how often and how strongly means nothing then
        plays = f"CASE WHEN disliked THEN 0 ELSE {plays} END"
        ids = f"id_reason(track_id, user_id, {columns}, {nulls})"
        reason = f"CASE WHEN disliked THEN {ids} ELSE {reason} END"
    if spec.at:
        missing = is_one_of("lower(trim(at_text))", null_times(spec))
        reason = f"coalesce({reason}, at_reason(at_text, played_at, {latest}, {missing}))"
    has_count = spec.count and not (strength and strength.scale)
    return {
        "plays": plays,
        "reason": reason,
        "fractions": "count_if(plays <> floor(plays))" if has_count else "0",
        "strength": "count_value(strength_text)" if strength else "NULL::DOUBLE",
        "kept": _kept(spec),
        "whole": f"if(plays.plays = 0, 0, {_WHOLE})" if spec.dislikes else _WHOLE,
        "moment": f", {_moment(spec)} AS played_at" if spec.at else "",
        "played_at": " played_at," if spec.at else "",
        "untimed": "count_if(reason IS NULL AND played_at IS NULL)" if spec.at else "0",
        "next_future": (
            "min(played_at) FILTER (reason = 'at_in_the_future')" if spec.at else "NULL::BIGINT"
        ),
    }


def _moment(spec: PlaysSpec) -> str:
    """Return the expression for the second since 1970 of a record, NULL if it says none."""
    assert spec.at
    seconds = f"try_cast(floor({moment_of(spec.at, 'at_text')}) AS BIGINT)"
    if not spec.nulls:
        return seconds
    return f"CASE WHEN NOT {is_one_of('trim(at_text)', spec.nulls)} THEN {seconds} END"


def is_one_of(text: str, tokens: Sequence[str]) -> str:
    """Return the expression for whether a text is one of the tokens; NULL is none of them.

    DuckDB joins every row with the list for an `IN` of more than a few values. This looks at the
    length first, and ids are mostly longer than any token.
    """
    longest = max(len(token.encode()) for token in tokens)
    equals = " ".join(f"WHEN {text_literal(token)} THEN true" for token in tokens)
    return (
        f"CASE WHEN strlen({text}) <= {longest} THEN CASE {text} {equals} ELSE false END "
        "ELSE false END"
    )


def _kept(spec: PlaysSpec) -> str:
    """Return the condition for a record to be judged at all."""
    conditions = ["meets"] if spec.where else []
    if spec.strength and spec.strength.min is not None:
        # What is no number is rejected, not left out; dislikes may be as weak as they are.
        strong = f"coalesce(strength >= {spec.strength.min!r}, true)"
        conditions.append(f"(disliked OR {strong})" if spec.dislikes else strong)
    return " AND ".join(conditions) or "true"


def is_filtered(spec: PlaysSpec) -> bool:
    """Tell whether records may be left out."""
    return _kept(spec) != "true"


def column_value(spec: FilesSpec, at: Mapping[str, str], name: str, kind: str) -> str:
    """Return the expression of a column's value as one of a kind, see `filters`.

    ``at`` holds the expression of each column as text.
    """
    text = at[name]
    if kind == "number":
        return f"count_value({number_text(spec, text)})"
    if kind == "flag":
        return f"flag_value({text})"
    if kind == "moment":
        return f"moment_value({text})"
    missing = is_one_of(f"lower({text})", (*NULLS, *spec.nulls))
    return f"(CASE WHEN NOT is_blank({text}) AND NOT {missing} THEN {text} END)"


def number_text(spec: FilesSpec, text: str) -> str:
    """Return the expression of a number's text with a decimal point and without groups."""
    if spec.thousands:
        text = f"replace({text}, {text_literal(spec.thousands)}, '')"
    if spec.decimal != ".":
        text = f"replace({text}, {text_literal(spec.decimal)}, '.')"
    return text


def read_fields(spec: PlaysSpec, at: Mapping[str, str], track: str | None = None) -> dict[str, str]:
    """Return what to read of a record, where ``at`` has each column's expression as text."""
    more = []
    if spec.where:
        condition = RowFilter.parse(spec.where).sql(partial(column_value, spec, at))
        more.append(f"coalesce({condition}, false) AS meets")
    if spec.dislikes:
        condition = RowFilter.parse(spec.dislikes.where).sql(partial(column_value, spec, at))
        more.append(f"coalesce({condition}, false) AS disliked")
    if spec.strength:
        more.append(f"{number_text(spec, at[spec.strength.column])} AS strength_text")
    if spec.at:
        text = at[spec.at.column]
        more.append(f"{number_text(spec, text) if spec.at.unit else text} AS at_text")
    count = spec.count and not (spec.strength and spec.strength.scale)
    return {
        "track": track or at[spec.track_column],
        "user": at[spec.user],
        "count": number_text(spec, at[str(spec.count)]) if count else "NULL",
        "more": "".join(f", {one}" for one in more),
    }


def fields_of(file: OpenedFile) -> dict[str, str]:
    """Return the expression of each named column of a file as text."""
    constants = {name: text_literal(value) for name, value in file.constants.items()}
    if file.kind == "csv":
        return {**csv_fields(file), **constants}
    if file.kind == "json":
        return {**{name: column_name(name) for name in file.positions}, **constants}
    schema = pq.read_schema(file.text)
    return {**{name: parquet_text(schema, name) for name in file.positions}, **constants}


def csv_fields(file: OpenedFile) -> dict[str, str]:
    """Return how `csv_layout` calls each named column."""
    return {name: f"c{position}" for name, position in file.positions.items()}


def csv_layout(file: OpenedFile) -> dict[str, str]:
    """Return the layout and the columns c0, c1, … of a plain CSV file, all text."""
    columns = range(len(file.columns))
    return {
        "delimiter": text_literal(file.delimiter),
        "quote": text_literal(file.dialect.quote),
        "header": str(file.dialect.header).lower(),
        "columns": "{" + ", ".join(f"'c{position}': 'VARCHAR'" for position in columns) + "}",
    }


def csv_raw(file: OpenedFile) -> str:
    """Return the expression that puts a plain record together again."""
    fields = ", ".join(f"coalesce(c{position}, '')" for position in range(len(file.columns)))
    return f"concat_ws({text_literal(file.delimiter)}, {fields})"


def shown_raw(fields: Mapping[str, str]) -> str:
    """Return the expression that shows a row of Parquet or JSON by its named columns."""
    shown = ", ".join(f"coalesce({expression}::VARCHAR, '')" for expression in fields.values())
    return f"concat_ws(',', {shown})"


def parquet_text(schema: pa.Schema, name: str) -> str:
    """Return the expression for a Parquet column as text."""
    kind = schema.field(name).type
    value = f"CAST({column_name(name)} AS VARCHAR)"
    if pa.types.is_fixed_size_binary(kind) and kind.byte_width == 16:
        return f"CAST(TRY_CAST(hex({column_name(name)}) AS UUID) AS VARCHAR)"
    if pa.types.is_binary(kind) and not binary_as_string(schema):
        value = f"decode({column_name(name)})"
    if pa.types.is_floating(kind):
        # Ids that pandas made floating-point: 17.0 is 17, as in the catalogue.
        number = f"{column_name(name)}::DOUBLE"
        whole = f"{number} = floor({number}) AND abs({number}) < {2**53}"
        digits = f"CAST(TRY_CAST({number} AS BIGINT) AS VARCHAR)"
        return f"CASE WHEN {whole} THEN {digits} ELSE {value} END"
    return value


def binary_as_string(schema: pa.Schema) -> bool:
    """Tell whether bytes in a Parquet file can be read as text: not where some are UUIDs."""
    return not any(pa.types.is_fixed_size_binary(column.type) for column in schema)
