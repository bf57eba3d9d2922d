"""Run one query and return its rows by column."""

from typing import Any

import duckdb

Rows = list[dict[str, Any]]


def rows(connection: duckdb.DuckDBPyConnection, sql: str, values: dict[str, Any]) -> Rows:
    """Run one query and return its rows."""
    result = connection.execute(sql, values or None)
    columns = [column[0] for column in result.description or ()]
    return [dict(zip(columns, row, strict=True)) for row in result.fetchall()]
