"""Every table as CSV, whole: what the page cuts for display is not cut here."""

import io
from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st
from pyarrow import csv


def as_csv(table: pa.Table) -> bytes:
    """Write a table as CSV (RFC 4180, UTF-8); lists become one field, joined by commas."""
    columns = []
    for column in table.columns:
        if pa.types.is_list(column.type):
            column = pc.binary_join(column.cast(pa.list_(pa.string())), ", ")
        elif pa.types.is_nested(column.type):
            column = pa.array([str(value) for value in column.to_pylist()])
        columns.append(column)
    sink = io.BytesIO()
    csv.write_csv(pa.table(columns, names=table.column_names), sink)
    return sink.getvalue()


def download(label: str, name: str, table: Callable[[], pa.Table]) -> None:
    """Show a button that makes the CSV when it is pressed, not before."""
    st.download_button(
        label,
        data=lambda: as_csv(table()),
        file_name=f"{name}.csv",
        mime="text/csv",
        key=f"csv-{name}",
        on_click="ignore",
        type="tertiary",
        icon=":material/download:",
    )
