"""Every table as CSV, whole: the page shows the first rows, the file has all of them."""

from collections.abc import Callable

import pyarrow as pa
import streamlit as st

from warehouse.spreadsheets import csv_bytes


def download(label: str, name: str, table: Callable[[], pa.Table]) -> None:
    """Show a button that makes the CSV when it is pressed, not before."""
    st.download_button(
        label,
        data=lambda: csv_bytes(table()),
        file_name=f"{name}.csv",
        mime="text/csv",
        key=f"csv-{name}",
        on_click="ignore",
        type="tertiary",
        icon=":material/download:",
    )
