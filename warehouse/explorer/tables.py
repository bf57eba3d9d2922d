"""A table on the page with its CSV below; cells are drawn as plain text."""

from typing import Any

import pyarrow as pa
import streamlit as st

from warehouse.explorer.downloads import download


def show(table: pa.Table, name: str, formats: dict[str, str] | None = None, rows: int = 10) -> None:
    """Show a table under its readable column names; ``formats`` are of ``NumberColumn``."""
    columns: dict[str, Any] = {field: field.replace("_", " ") for field in table.column_names}
    for field, form in (formats or {}).items():
        columns[field] = st.column_config.NumberColumn(columns[field], format=form)
    st.dataframe(
        table,
        hide_index=True,
        column_config=columns,
        height=36 * (min(rows, max(len(table), 1)) + 1),
    )
    download("Download as CSV", name, lambda: table)
