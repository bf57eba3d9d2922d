"""JSON, as lines or as an array, turned into rows of text in Parquet by DuckDB."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from tasks.ingest.records import RECORD, Rejected
from warehouse.errors import InputError
from warehouse.statements import column_name, text_literal

_SAMPLE = 10_000
_LARGEST = 1 << 28
"""Bytes that one object may have."""


@dataclass(frozen=True)
class JsonRows:
    """What was found in a JSON file."""

    columns: tuple[str, ...]
    records: int
    """Records, damaged ones included."""
    rejected: tuple[Rejected, ...]


def json_to_parquet(path: Path, text: Path, wanted: Sequence[str], target: Path) -> JsonRows:
    """Write the wanted fields of all objects to ``target`` as text, with their record numbers.

    A name with dots leads into nested objects. Lists and objects stay JSON. A line that is no
    object is rejected; an array that is damaged stops the run.
    """
    with duckdb.connect(config={"autoinstall_known_extensions": False}) as con:
        try:
            lines = _objects(path, text)
            con.execute(f"CREATE TEMP VIEW objects AS {lines}")
            sampled = con.execute(
                "SELECT DISTINCT unnest(json_keys(object)) FROM "
                f"(SELECT object FROM objects WHERE is_good LIMIT {_SAMPLE})"
            ).fetchall()
            names = [name for (name,) in sampled]
            names += [one for one in wanted if one not in names and _exists(con, one)]
            taken = [one for one in wanted if one in names]
            fields = "".join(f", {_value(name)} AS {column_name(name)}" for name in taken)
            con.execute(
                f"COPY (SELECT record AS {column_name(RECORD)}{fields} FROM objects WHERE is_good) "
                f"TO {text_literal(str(target))} (FORMAT parquet, COMPRESSION lz4)"
            )
            total = con.execute("SELECT count(*) FROM objects").fetchall()[0][0]
            bad = con.execute(
                "SELECT record, left(object, 1000) FROM objects WHERE NOT is_good ORDER BY record"
            ).fetchall()
        except duckdb.Error as error:
            cause = str(error).splitlines()[0]
            raise InputError(f"{path} is damaged JSON ({cause}); write it again") from None
    rejected = tuple(Rejected(record, "not_json", raw) for record, raw in bad)
    return JsonRows(tuple(sorted(names)), int(total), rejected)


def _objects(path: Path, text: Path) -> str:
    """Return the query for the objects of a file: record, object, is_good.

    Raises InputError for an array that does not end.
    """
    with text.open("rb") as source:
        head = source.read(1 << 16).removeprefix(b"\xef\xbb\xbf").lstrip()
    file = text_literal("".join(f"[{c}]" if c in "*?[" else c for c in str(text)))
    shape = "array" if head.startswith(b"[") else "unstructured"
    if shape == "array" and not _tail(text).rstrip().endswith(b"]"):
        raise InputError(f"{path} is damaged JSON (the array does not end); write it again")
    if shape == "array" or _spans_lines(head):
        return (
            "SELECT row_number() OVER () AS record, json::VARCHAR AS object, "
            "json_type(json) = 'OBJECT' AS is_good "
            f"FROM read_json_objects({file}, format = '{shape}', "
            f"maximum_object_size = {_LARGEST}, compression = 'none')"
        )
    return (
        "SELECT row_number() OVER () AS record, line AS object, "
        "coalesce(json_valid(line) AND try(json_type(line)) = 'OBJECT', false) AS is_good "
        f"FROM read_csv({file}, auto_detect = false, header = false, delim = E'\\x01', quote = '', "
        f"escape = '', max_line_size = {_LARGEST}, compression = 'none', "
        "columns = {'line': 'VARCHAR'}) "
        "WHERE line IS NOT NULL AND trim(line) <> ''"
    )


def _tail(text: Path) -> bytes:
    with text.open("rb") as source:
        source.seek(max(0, text.stat().st_size - 1024))
        return source.read()


def _spans_lines(head: bytes) -> bool:
    """Tell whether an object begins on one line and ends on another."""
    first, _, rest = head.partition(b"\n")
    return bool(rest) and not first.rstrip().endswith(b"}") and rest.lstrip()[:1] != b"{"


def _paths(name: str) -> list[str]:
    """Return the places of a field: a name as it is, then one that leads into nested objects."""
    whole = name.replace('"', '\\"')
    parts = [part.replace('"', '\\"') for part in name.split(".")]
    nested = '$."' + '"."'.join(parts) + '"'
    return [f'$."{whole}"', nested] if len(parts) > 1 else [f'$."{whole}"']


def _exists(con: duckdb.DuckDBPyConnection, name: str) -> bool:
    found = " OR ".join(f"json_exists(object, {text_literal(path)})" for path in _paths(name))
    query = f"SELECT bool_or({found}) FROM objects WHERE is_good"
    return bool(con.execute(query).fetchall()[0][0])


def _value(name: str) -> str:
    """Return the expression of a field as text; 17.0 is 17."""
    values = []
    for path in _paths(name):
        at = text_literal(path)
        text = f"json_extract_string(object, {at})"
        number = f"json_type(object, {at}) = 'DOUBLE'"
        values.append(f"if({number}, regexp_replace({text}, '\\.0$', ''), {text})")
    return f"coalesce({', '.join(values)})" if len(values) > 1 else values[0]
