"""A small read-only reader for Python: follows the pointer from release to release.

Everybody else opens ``current.duckdb`` with any DuckDB client, read-only, and opens it again to
see the next release.
"""

import re
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb
import pyarrow as pa

from warehouse.contract.versions import SCHEMA_VERSION
from warehouse.errors import BusyReleaseError, UnknownReleaseError
from warehouse.releases.manifest import Manifest
from warehouse.releases.spill import spill_config


class Reader:
    """Queries the current release and moves on when a new one is published.

    Opens read-only, so it never holds a writer off; a release that is replaced or pruned stays
    readable until the next query. Not safe to share between threads: give each its own, with the
    same limits, and they share one cache.
    """

    def __init__(
        self, pointer: Path, threads: int | None = None, memory_limit: str | None = None
    ) -> None:
        """``pointer`` is ``current.duckdb`` or one release's file; the rest limits DuckDB."""
        self._pointer = pointer
        # given on opening, not by SET: a file already open in this process has its settings locked
        self._config: dict[str, str | bool | int | float | list[str]] = {
            "enable_external_access": False,
            "lock_configuration": True,
            **spill_config(),
        }
        if threads is not None:
            self._config["threads"] = threads
        if memory_limit is not None:
            self._config["memory_limit"] = memory_limit
        self._file: Path | None = None
        self._connection: duckdb.DuckDBPyConnection | None = None

    def query(self, sql: str, parameters: list[Any] | None = None) -> pa.Table:
        """Run one query on the current release; raises UnknownReleaseError if there is none."""
        return self.connection().sql(sql, params=parameters or []).to_arrow_table()

    def rows(self, sql: str, parameters: list[Any] | None = None) -> list[dict[str, Any]]:
        """Run one query and return its rows as dictionaries."""
        return list(self.query(sql, parameters).to_pylist())

    def connection(self) -> duckdb.DuckDBPyConnection:
        """Return a connection to the current release, opened again if the pointer has moved.

        Raises UnknownReleaseError if nothing is published, or what is there is not whole.
        """
        for _ in range(20):  # a release may be pruned between reading the pointer and opening
            named = self._named()
            try:
                file = self._pointer.resolve(strict=True)
                if file == self._file and self._connection is not None:
                    return self._connection
                connection = self._open(file)
            except (OSError, duckdb.Error) as error:
                if self._named() != named:
                    continue
                if not self._pointer.is_symlink() and not self._pointer.exists():
                    raise UnknownReleaseError(
                        f"nothing is published at {self._pointer}; publish a release with "
                        "`crossfade run`"
                    ) from None
                raise _unreadable(self._pointer, error) from error
            self.close()
            self._file, self._connection = file, connection
            return connection
        raise UnknownReleaseError(f"{self._pointer} keeps moving; try again")

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            self._connection.close()
        self._file = self._connection = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _named(self) -> Path:
        """Return what the pointer names, whether or not that is still there."""
        try:
            return self._pointer.readlink() if self._pointer.is_symlink() else self._pointer
        except OSError:
            return self._pointer

    def _open(self, file: Path) -> duckdb.DuckDBPyConnection:
        _check_size(file)
        connection = duckdb.connect(str(file), read_only=True, config=self._config)
        try:
            versions = connection.execute("SELECT schema_version FROM release").fetchall()
            if versions != [(SCHEMA_VERSION,)]:
                raise UnknownReleaseError(
                    f"{file} follows another contract than version {SCHEMA_VERSION}; publish a new "
                    "release with `crossfade run`"
                )
        except BaseException:
            connection.close()
            raise
        return connection


def _unreadable(pointer: Path, error: Exception) -> UnknownReleaseError:
    """Return the error for a release that DuckDB does not open."""
    if "Conflicting lock is held" in str(error):
        holder = re.search(r"held in (.+?) \(PID (\d+)\)", str(error))
        who = f"{holder[1]}, process {holder[2]}" if holder else "another program"
        return BusyReleaseError(
            f"{pointer} is open for writing elsewhere ({who}); close it there and open releases "
            "read-only: a published release never changes"
        )
    return UnknownReleaseError(
        f"{pointer} cannot be read as a release ({error}); roll back to another one or publish a "
        "new one with `crossfade run`"
    )


def _check_size(file: Path) -> None:
    """Raise UnknownReleaseError if the file is not as long as the manifest beside it says."""
    try:
        manifest = Manifest.read(file.parent)
    except (OSError, ValueError):
        return  # a copy on its own is fine; its schema version is checked
    if file.name == manifest.file and file.stat().st_size != manifest.bytes:
        raise UnknownReleaseError(f"{file} is cut short; roll back to another release")
