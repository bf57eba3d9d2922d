"""Take listeners out of what Prefect keeps of runs: its database and the logs of its processes.

Our lines and pages are about tables, but some show an example: the listener in the SQL of a
release's page, a row that could not be read, a history that is too long.
"""

import json
import mmap
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, NamedTuple

from warehouse.errors import RunError
from warehouse.redaction import Redactor

DATABASE = "prefect.db"

PATIENCE_SECONDS = 60.0
"""How long to wait for a server that is writing."""

_NO_TEXT = re.compile(r"(?i)uuid|char\(36\)|time|date|int|bool|float|numeric")
"""Declared types of columns that hold no texts of ours."""

_UUID = re.compile(r"(?i)[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}")


class _Change(NamedTuple):
    table: str
    column: str
    row: int
    before: str
    after: str


def forget_traces(prefect_home: Path, redactor: Redactor) -> None:
    """Take the listeners out of a PREFECT_HOME, whether its server runs or not; safe to repeat.

    Raises RunError if the database stays locked.
    """
    database = prefect_home / DATABASE
    if database.is_file():
        try:
            _clean_database(database, redactor)
        except sqlite3.OperationalError as error:
            raise RunError(
                f"{database} cannot be cleaned of forgotten listeners ({error}); try again when "
                "Prefect's server is less busy, or end it by `make ui-stop`"
            ) from None
    for file in sorted(prefect_home.rglob("*")):
        if file.is_file() and not file.is_symlink() and not file.name.startswith(DATABASE):
            _clean_file(file, redactor)


def _clean_database(file: Path, redactor: Redactor) -> None:
    """Redact the texts of every table, then write the file anew: free pages would still have them.

    Texts are read without a lock, so each is changed only if it is still the same.
    """
    with closing(sqlite3.connect(file, timeout=PATIENCE_SECONDS, isolation_level=None)) as con:
        con.text_factory = lambda text: text.decode("utf-8", "replace")
        changes = list(_changes(con, redactor))
        con.execute("BEGIN IMMEDIATE")
        for one in changes:
            column = _quoted(one.column)
            con.execute(
                f"UPDATE {_quoted(one.table)} SET {column} = ? WHERE rowid = ? AND {column} = ?",
                (one.after, one.row, one.before),
            )
        con.execute("COMMIT")
        con.execute("VACUUM")
        deadline = time.monotonic() + PATIENCE_SECONDS
        while con.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
            if time.monotonic() > deadline:
                raise sqlite3.OperationalError("a reader keeps its log in use")
            time.sleep(0.1)


def _changes(con: sqlite3.Connection, redactor: Redactor) -> Iterator[_Change]:
    tables = con.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    ).fetchall()
    for (table,) in tables:
        kinds = con.execute(f"PRAGMA table_info({_quoted(table)})").fetchall()
        for column in [name for _, name, kind, *_ in kinds if not _NO_TEXT.search(kind or "")]:
            rows = con.execute(
                f"SELECT rowid, {_quoted(column)} FROM {_quoted(table)} "
                f"WHERE typeof({_quoted(column)}) = 'text'"
            )
            for row, before in rows:
                if redactor.names(before) and (after := _redacted(before, redactor)) != before:
                    yield _Change(table, column, row, before, after)


def _redacted(text: str, redactor: Redactor) -> str:
    """Redact a text; of JSON the strings in it, so that it stays JSON."""
    if text[:1] in ("{", "[", '"'):
        with suppress(ValueError):
            return json.dumps(_redacted_json(json.loads(text), redactor))
    return redactor.redact(text)


def _redacted_json(value: Any, redactor: Redactor) -> Any:
    if isinstance(value, dict):
        return {name: _redacted_json(one, redactor) for name, one in value.items()}
    if isinstance(value, list):
        return [_redacted_json(one, redactor) for one in value]
    if isinstance(value, str) and not _UUID.fullmatch(value):
        return redactor.redact(value)
    return value


def _clean_file(file: Path, redactor: Redactor) -> None:
    """Overwrite ids in a file where they are: a process may have it open and be writing to it."""
    if not file.stat().st_size:
        return
    with file.open("r+b") as opened:
        with mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as data:
            found = list(redactor.spans(data))
        for start, stop in found:
            opened.seek(start)
            opened.write(b"x" * (stop - start))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
