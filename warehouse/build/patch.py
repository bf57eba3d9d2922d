"""Make a release's file of an earlier one in which most of the lists are the same.

Writing the lists of all listeners is most of a build. Where few of them have changed, the earlier
file is copied, and only their rows are written again. All other tables, views and macros are made
anew: they are small, or move with every play.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

import duckdb

from warehouse.contract.versions import ROW_GROUP
from warehouse.statements import column_name, statement, text_literal

KEPT = ("recommendations", "edges", "similarity")
"""Tables of the store that stay. The last two are the same where `Earlier` is given."""

MOST = 0.1
"""Largest share of the listeners whose rows are written again. They are stored at the end of the
table; a copy of more than that is slower to read, and larger, than a file written as a whole."""

THINGS = """
SELECT 'VIEW' AS kind, v.schema_name, v.view_name AS name
FROM duckdb_views() v WHERE v.database_name = 'release' AND NOT v.internal
UNION
SELECT
    CASE f.function_type WHEN 'table_macro' THEN 'MACRO TABLE' ELSE 'MACRO' END, f.schema_name,
    f.function_name
FROM duckdb_functions() f WHERE f.database_name = 'release' AND NOT f.internal
UNION
SELECT 'TABLE', t.schema_name, t.table_name
FROM duckdb_tables() t WHERE t.database_name = 'release' AND NOT t.internal
"""

SAME_TRACKS = """
SELECT
    (SELECT list(t.id ORDER BY t.track_key) FROM earlier.store.tracks t)
    = (SELECT list(t.track_id ORDER BY t.track_key) FROM read_parquet(getvariable('tracks')) t)
"""
"""A row names a track by its place in the catalogue."""


@dataclass(frozen=True)
class Earlier:
    """A release with the same neighbours and settings, whose file was written as a whole."""

    release_id: str
    database: Path
    listeners: tuple[Path, ...]
    """The lists in it: parts of LISTENER_LISTS."""


def can_patch(connection: duckdb.DuckDBPyConnection, earlier: Earlier) -> bool:
    """Tell whether few listeners of the same tracks have other lists; they are in `compared` then.

    The connection has the variables of `BuildInput.files`.
    """
    connection.execute(f"ATTACH {text_literal(str(earlier.database))} AS earlier (READ_ONLY)")
    (same,) = connection.execute(SAME_TRACKS).fetchall()[0]
    connection.execute("DETACH earlier")
    if not same:
        return False
    parts = [str(path) for path in earlier.listeners]
    connection.execute("SET VARIABLE earlier_listeners = ?", [parts])
    connection.execute(statement("warehouse.build", "compared"))
    differ, listeners = connection.execute(
        "SELECT (SELECT count(*) FROM compared), count(*) "
        "FROM read_parquet(getvariable('listeners'))"
    ).fetchall()[0]
    return bool(differ <= MOST * listeners)


def start_from(connection: duckdb.DuckDBPyConnection, earlier: Earlier, database: Path) -> None:
    """Copy the earlier file and attach it as ``release``, with nothing but `KEPT` in it."""
    shutil.copyfile(earlier.database, database)
    connection.execute(
        f"ATTACH {text_literal(str(database))} AS release (ROW_GROUP_SIZE {ROW_GROUP})"
    )
    for kind, schema, name in connection.execute(THINGS).fetchall():
        if (kind, schema) != ("TABLE", "store") or name not in KEPT:
            connection.execute(f"DROP {kind} release.{column_name(schema)}.{column_name(name)}")
    connection.execute("CHECKPOINT release")  # what is made now fills the blocks that are free
