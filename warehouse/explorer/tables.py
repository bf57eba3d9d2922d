"""A table with a CSV download below it; cells are plain text."""

from typing import Any

import pyarrow as pa
import streamlit as st

from warehouse.explorer.downloads import download


def show(
    table: pa.Table,
    name: str,
    formats: dict[str, str] | None = None,
    rows: int = 10,
    original: pa.Table | None = None,
) -> None:
    """Show a table under readable column names, with a download of it, or of ``original``.

    ``formats`` maps columns to formats of ``NumberColumn``.
    """
    columns: dict[str, Any] = {field: field.replace("_", " ") for field in table.column_names}
    for field, form in (formats or {}).items():
        columns[field] = st.column_config.NumberColumn(columns[field], format=form)
    st.dataframe(
        table,
        hide_index=True,
        column_config=columns,
        height=36 * (min(rows, max(len(table), 1)) + 1),
    )
    download("Download as CSV", name, lambda: table if original is None else original)
