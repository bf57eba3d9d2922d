"""A list's query as text that any DuckDB client runs: values written where the page binds them."""

import re
from collections.abc import Mapping

from warehouse.explorer.snapshot import query_text
from warehouse.statements import text_literal

Value = str | int | float | bool | list[str] | None


def as_sql(query: str, values: Mapping[str, Value]) -> str:
    """Return the named file of ``sql/`` with its values as literals."""
    return re.sub(r"\$(\w+)", lambda name: literal(values[name[1]]), query_text(query))


def literal(value: Value) -> str:
    """Write a value as SQL."""
    if value is None:
        return "NULL"
    if isinstance(value, list):
        return f"[{', '.join(map(text_literal, value))}]"
    if isinstance(value, str):
        return text_literal(value)
    return str(value).lower() if isinstance(value, bool) else repr(value)
