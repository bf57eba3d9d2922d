"""One release for one run of the page: every answer on a page comes from the same file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import streamlit as st

from warehouse.errors import UnknownReleaseError
from warehouse.releases.home import Home
from warehouse.releases.reader import Reader
from warehouse.releases.release import find_release
from warehouse.statements import column_name, filled, statement

THREADS = 2
MEMORY = "160MB"
"""What DuckDB may use for all viewers of a release together; a page is a few point queries."""

PACKAGE = "warehouse.explorer"
FILTERED = statement(PACKAGE, "sql/filtered")
"""How all lists are filtered."""


def query_text(query: str, columns: Sequence[str] = ()) -> str:
    """Return the named file of ``sql/``; ``columns`` of the catalogue are written where it asks."""
    names = ", ".join(map(column_name, columns))
    return filled(statement(PACKAGE, f"sql/{query}"), {"filtered": FILTERED, "columns": names})


@dataclass(frozen=True)
class Snapshot:
    """A connection to one release; a publish in the middle of a page does not change it."""

    connection: duckdb.DuckDBPyConnection
    release_id: str

    def table(self, query: str, columns: Sequence[str] = (), **values: Any) -> pa.Table:
        """Run the named file of ``sql/`` with bound values and return its rows."""
        return self.connection.sql(query_text(query, columns), params=values).to_arrow_table()

    def rows(self, query: str, columns: Sequence[str] = (), **values: Any) -> list[dict[str, Any]]:
        """Run the named file of ``sql/`` and return its rows as dictionaries."""
        return list(self.table(query, columns, **values).to_pylist())

    def row(self, query: str, columns: Sequence[str] = (), **values: Any) -> dict[str, Any] | None:
        """Run the named file of ``sql/`` and return its first row, or None."""
        return next(iter(self.rows(query, columns, **values)), None)


def open_release(file: Path) -> Snapshot:
    """Open one release's file; raises UnknownReleaseError if it cannot be read."""
    return _snapshot(Reader(file, THREADS, MEMORY))


def opened(home: Home, release_id: str | None) -> Snapshot:
    """Return the named release for this viewer, or the current one (None).

    Raises UnknownReleaseError if there is none.
    """
    if st.session_state.get("reader-of", "") != release_id:
        file = home.current if release_id is None else find_release(home, release_id).link
        # one per viewer: a connection is not shared between threads
        st.session_state["reader"] = Reader(file, THREADS, MEMORY)
        st.session_state["reader-of"] = release_id
    return _snapshot(st.session_state["reader"])


def follow(snapshot: Snapshot) -> Snapshot:
    """Return the snapshot for a part that runs again by itself.

    If its release is no longer the one that the page shows, the whole page runs again instead.
    """
    try:
        latest = _snapshot(st.session_state["reader"])
    except UnknownReleaseError:
        st.rerun()  # the page says what is the matter
    if latest.release_id != snapshot.release_id:
        st.rerun()
    return latest


def _snapshot(reader: Reader) -> Snapshot:
    # of its own: a run of the page that a click has cut short may still be in a query
    connection = reader.connection().cursor()
    release_id = connection.execute("SELECT r.release_id FROM release r").fetchall()[0][0]
    return Snapshot(connection, str(release_id))
