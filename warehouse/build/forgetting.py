"""Write a release's file again without some of its listeners, and everything else as it is.

Rows that are deleted stay in a DuckDB file as bytes of free blocks, so the tables are copied into a
new file, in their order. What was measured or counted over all listeners stays as it was measured.
"""

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from warehouse.contract.versions import ROW_GROUP
from warehouse.errors import RunError
from warehouse.listener_ids import WHITE
from warehouse.redaction import Redactor
from warehouse.statements import column_name, text_literal

LISTENERS = {"listeners": "id", "dislikes": "id", "recommendations": "user_id"}
"""Tables of the store with rows of listeners, and where their id is."""

TEXTS = {
    "data_quality": ("details",),
    "experiment_results": ("note",),
    "measured_weights": ("note",),
    "release": ("parameters", "gate", "forced_because"),
}
"""Tables of the store with texts that may name a listener."""

COUNTED = {
    "users": "SELECT count(*) FROM release.store.listeners",
    "listens": "SELECT coalesce(sum(len(history)), 0) FROM release.store.listeners",
    "dislikes": "SELECT count(*) FROM release.store.dislikes",
    "user_recommendations": "SELECT count(*) FROM release.store.recommendations",
    "rejected_rows": "SELECT count(*) FROM release.store.rejected_rows",
}
"""Relations with fewer rows afterwards."""

LARGE = ("recommendations", "edges", "similarity", "listeners")
"""Tables that take longest; the first is copied beside all others."""

SCHEMA = r"""
SELECT 'table' AS kind, t.schema_name, t.table_name AS name, t.sql, t.comment
FROM duckdb_tables() t WHERE t.database_name = $name AND NOT t.internal
UNION ALL
SELECT
    'view', v.schema_name, v.view_name, list_sort(regexp_extract_all(v.sql, '\w+'))::VARCHAR,
    v.comment
FROM duckdb_views() v WHERE v.database_name = $name AND NOT v.internal
UNION ALL
SELECT 'column', c.schema_name, c.table_name || '.' || c.column_name, c.data_type, c.comment
FROM duckdb_columns() c WHERE c.database_name = $name AND NOT c.internal
UNION ALL
SELECT
    f.function_type, f.schema_name, f.function_name,
    f.parameters::VARCHAR || list_sort(regexp_extract_all(f.macro_definition, '\w+'))::VARCHAR,
    f.comment
FROM duckdb_functions() f WHERE f.database_name = $name AND NOT f.internal
ORDER BY ALL
"""
"""Everything that a file has beside its rows. Texts count by their words: DuckDB writes the columns
of an EXCLUDE in any order."""


@dataclass(frozen=True)
class Rewritten:
    """What came of writing a file again."""

    listeners: frozenset[str]
    """Those of the listeners who were in it."""
    row_counts: dict[str, int]
    """Rows of the relations that have lost some."""


def rewrite_without(
    database: Path,
    target: Path,
    ids: Collection[str],
    redactor: Redactor,
    storage_version: str,
    memory_limit: str,
) -> Rewritten | None:
    """Write ``target``: the release's file without the listeners; None if it has none of them.

    ``ids``: without white space around them; ``redactor``: for the same ids. Raises RunError if the
    new file lacks anything but their rows.
    """
    scratch = target.parent / "spill"
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": memory_limit,
        "threads": 1,  # several would cut the sorted rows into smaller row groups
        "temp_directory": str(scratch),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    with duckdb.connect(config=config) as connection:
        connection.create_function("redacted", redactor.redact, ["VARCHAR"], "VARCHAR")
        connection.execute(f"ATTACH {text_literal(str(database))} AS old (READ_ONLY)")
        listeners = _find(connection, ids, redactor)
        if not listeners and not _is_named(connection):
            return None
        connection.execute(
            f"ATTACH {text_literal(str(target))} AS release "
            f"(STORAGE_VERSION '{storage_version}', ROW_GROUP_SIZE {ROW_GROUP})"
        )
        connection.execute("COPY FROM DATABASE old TO release (SCHEMA)")
        _copy_tables(connection)
        _check(connection)
        counts = {name: _count(connection, query) for name, query in COUNTED.items()}
        connection.execute(
            "UPDATE release.store.release SET row_counts = map_concat(row_counts, ?::MAP(VARCHAR, "
            "BIGINT))",
            [{"key": list(counts), "value": list(counts.values())}],
        )
        connection.execute("CHECKPOINT release")
        connection.execute("DETACH release")
        connection.execute("DETACH old")
    with suppress(FileNotFoundError):
        scratch.rmdir()
    if (leftover := target.with_name(f"{target.name}.wal")).exists():
        raise RuntimeError(f"{leftover} was left behind: the release was not closed properly")
    return Rewritten(listeners, counts)


def _find(
    connection: duckdb.DuckDBPyConnection, ids: Collection[str], redactor: Redactor
) -> frozenset[str]:
    """Make the tables of the ids and of the rejected rows that go; return the listeners there."""
    asked = pa.table({"id": pa.array(sorted(ids), pa.string())})
    connection.register("asked", asked)
    there = " UNION ".join(
        f"SELECT t.{column} AS id FROM old.store.{table} t"
        for table, column in LISTENERS.items()
        if table != "recommendations"  # of listeners that are in the first one
    )
    white = "E'" + WHITE.encode("unicode_escape").decode() + "'"
    connection.execute(
        f"CREATE TABLE memory.gone AS SELECT t.id FROM ({there}) t "
        f"WHERE trim(t.id, {white}) IN (SELECT a.id FROM asked a)"
    )
    rows = connection.execute(
        "SELECT r.file, r.record, r.raw FROM old.store.rejected_rows r"
    ).fetchall()
    named = [(file, record) for file, record, raw in rows if redactor.names(raw, everywhere=True)]
    table = pa.table(
        {
            "file": pa.array([file for file, _ in named], pa.string()),
            "record": pa.array([record for _, record in named], pa.int64()),
        }
    )
    connection.register("found_rows", table)
    connection.execute("CREATE TABLE memory.named AS FROM found_rows")
    for name in ("asked", "found_rows"):
        connection.unregister(name)
    there_are = connection.execute("SELECT g.id FROM memory.gone g").fetchall()
    return frozenset(str(one).strip(WHITE) for (one,) in there_are)


def _is_named(connection: duckdb.DuckDBPyConnection) -> bool:
    """Tell whether a rejected row or a text names one of the listeners."""
    if _count(connection, "SELECT count(*) FROM memory.named"):
        return True
    return any(
        _count(
            connection,
            f"SELECT count(*) FROM old.store.{table} t WHERE redacted(t.{column}) <> t.{column}",
        )
        for table, columns in TEXTS.items()
        for column in columns
    )


def _copy_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Copy the rows that stay, each table in its order."""
    names = [
        str(name)
        for (name,) in connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE database_name = 'old' AND "
            "schema_name = 'store' AND NOT internal ORDER BY table_name"
        ).fetchall()
    ]
    largest, *others = [name for name in LARGE if name in names]
    others += [name for name in names if name not in LARGE]
    with ThreadPoolExecutor(1) as beside, connection.cursor() as own:
        copied = beside.submit(_copy, own, largest)  # each query runs on its caller's thread
        for name in others:
            _copy(connection, name)
        copied.result()


def _copy(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    source = f"FROM old.store.{column_name(table)} t"
    if table in LISTENERS:
        source += f" WHERE NOT EXISTS (FROM memory.gone g WHERE g.id = t.{LISTENERS[table]})"
    elif table == "rejected_rows":
        same = "n.file = t.file AND n.record = t.record"
        source += f" WHERE NOT EXISTS (FROM memory.named n WHERE {same})"
    columns = "t.*"
    if table in TEXTS:
        texts = ", ".join(f"redacted({name}) AS {name}" for name in TEXTS[table])
        columns = f"t.* REPLACE ({texts})"
    connection.execute(f"INSERT INTO release.store.{column_name(table)} SELECT {columns} {source}")


def _check(connection: duckdb.DuckDBPyConnection) -> None:
    """Raise RunError if the new file lacks a relation, a macro, a comment or rows of others."""
    schemas = [connection.execute(SCHEMA, {"name": name}).fetchall() for name in ("old", "release")]
    if schemas[0] != schemas[1]:
        differs = sorted({str(row[2]) for row in {*schemas[0]} ^ {*schemas[1]}})
        raise RunError(
            f"the file without the forgotten listeners differs in {', '.join(differs[:3])}; "
            "please report this"
        )
    for name, column in LISTENERS.items():
        less = _count(
            connection,
            f"SELECT count(*) FROM old.store.{name} t "
            f"WHERE EXISTS (FROM memory.gone g WHERE g.id = t.{column})",
        )
        before, after = (
            _count(connection, f"SELECT count(*) FROM {file}.store.{name}")
            for file in ("old", "release")
        )
        if before - less != after:
            raise RunError(
                f"the file without the forgotten listeners has {after:,} rows in {name} instead of "
                f"{before - less:,}; please report this"
            )


def _count(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0
