"""The history's SQL: named files in ``sql/``, filled with quoted literals.

Files, columns and delimiters cannot be bound as parameters of a view, so they are put in as
quoted text; nothing else is.
"""

from collections.abc import Sequence
from pathlib import Path
from string import Template

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.dataset.spec import PlaysSpec
from tasks.ingest.files import OpenedFile
from tasks.ingest.limits import IngestLimits
from warehouse.statements import column_name, text_literal

SQL = Path(__file__).parent / "sql"


def query(name: str, folder: Path = SQL, /, **fill: str) -> str:
    """Return the query ``<folder>/<name>.sql``, its placeholders filled."""
    return Template((folder / f"{name}.sql").read_text()).substitute(fill)


def files_literal(paths: Sequence[Path]) -> str:
    """Return a list of files for a reading function; no character of a path is a wildcard."""
    return "[" + ", ".join(text_literal(_escaped(path)) for path in paths) + "]"


def _escaped(path: Path) -> str:
    return "".join(f"[{mark}]" if mark in "*?[" else mark for mark in str(path))


def judgement(spec: PlaysSpec, limits: IngestLimits) -> dict[str, str]:
    """Return the expressions for the number of plays and the reason of a record."""
    columns = f"{text_literal(spec.track)}, {text_literal(spec.user)}"
    counted = ("count_text", "count_value(count_text)") if spec.count else ("'1'", "1")
    return {
        "plays": counted[1],
        "reason": (
            f"play_reason(track_id, user_id, {counted[0]}, plays, {limits.max_plays}, {columns})"
        ),
    }


def csv_columns(file: OpenedFile, spec: PlaysSpec) -> dict[str, str]:
    """Return how to read a plain CSV file's shape: columns by position, as text."""
    at = csv_fields(file)
    return {
        "track": at[spec.track],
        "user": at[spec.user],
        "count": at[spec.count] if spec.count else "NULL",
        **csv_layout(file),
    }


def csv_fields(file: OpenedFile) -> dict[str, str]:
    """Return how `csv_layout` calls each named column."""
    return {name: f"c{position}" for name, position in file.positions.items()}


def csv_layout(file: OpenedFile) -> dict[str, str]:
    """Return the delimiter and the columns c0, c1, … of a plain CSV file, all text."""
    columns = range(len(file.columns))
    return {
        "delimiter": text_literal(file.delimiter),
        "columns": "{" + ", ".join(f"'c{position}': 'VARCHAR'" for position in columns) + "}",
    }


def csv_raw(file: OpenedFile) -> str:
    """Return the expression that puts a plain record together again."""
    fields = ", ".join(f"coalesce(c{position}, '')" for position in range(len(file.columns)))
    return f"concat_ws({text_literal(file.delimiter)}, {fields})"


def parquet_columns(file: OpenedFile, spec: PlaysSpec) -> dict[str, str]:
    """Return how to read a Parquet file's columns as text."""
    schema = pq.read_schema(file.file.path)
    track, user, count = (
        "NULL" if name is None else parquet_text(schema, name)
        for name in (spec.track, spec.user, spec.count)
    )
    return {"track": track, "user": user, "count": count}


def parquet_text(schema: pa.Schema, name: str) -> str:
    """Return the expression for a Parquet column as text."""
    value = f"CAST({column_name(name)} AS VARCHAR)"
    # Ids that pandas made floating-point: 17.0 is 17, as in the catalogue.
    whole = f"regexp_replace({value}, '\\.0$', '')"
    return whole if pa.types.is_floating(schema.field(name).type) else value
