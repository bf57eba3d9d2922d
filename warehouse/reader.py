"""A small read-only reader for Python: follows the pointer from release to release.

Everybody else opens ``current.duckdb`` with any DuckDB client, read-only, and opens it again to
see the next release.
"""

from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb
import pyarrow as pa

from warehouse.errors import UnknownReleaseError


class Reader:
    """Queries the current release and moves on when a new one is published.

    Opens read-only, so it never holds a writer off; a release that is replaced or pruned stays
    readable until the next query. Not safe to share between threads.
    """

    def __init__(self, pointer: Path, threads: int | None = None) -> None:
        """``pointer`` is ``current.duckdb`` or one release's file; ``threads`` limits DuckDB."""
        self._pointer = pointer
        self._threads = threads
        self._file: Path | None = None
        self._connection: duckdb.DuckDBPyConnection | None = None

    def query(self, sql: str, parameters: list[Any] | None = None) -> pa.Table:
        """Run one query on the current release; raises UnknownReleaseError if there is none."""
        return self.connection().sql(sql, params=parameters or []).to_arrow_table()

    def rows(self, sql: str, parameters: list[Any] | None = None) -> list[dict[str, Any]]:
        """Run one query and return its rows as dictionaries."""
        return list(self.query(sql, parameters).to_pylist())

    def connection(self) -> duckdb.DuckDBPyConnection:
        """Return a connection to the current release, opened again if the pointer has moved."""
        for _ in range(10):  # a release may be pruned between reading the pointer and opening
            file = self._resolve()
            if file == self._file and self._connection is not None:
                return self._connection
            try:
                connection = self._open(file)
            except duckdb.IOException:
                if self._resolve() == file:
                    raise
                continue
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

    def _resolve(self) -> Path:
        try:
            return self._pointer.resolve(strict=True)
        except OSError:
            raise UnknownReleaseError(
                f"nothing is published at {self._pointer}; publish a release with `crossfade run`"
            ) from None

    def _open(self, file: Path) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect(str(file), read_only=True)
        if self._threads is not None:
            connection.execute("SET threads = ?", [self._threads])
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        return connection
