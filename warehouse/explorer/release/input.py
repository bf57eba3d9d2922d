"""What the release was made from: checks, rejected rows, files."""

from typing import Any

import pyarrow as pa
import streamlit as st

from warehouse.explorer.snapshot import Snapshot
from warehouse.explorer.tables import show

MOST = 10_000
"""Rejected rows shown and downloaded at most."""


def input_data(snapshot: Snapshot, release: dict[str, Any]) -> None:
    """Show the tab."""
    st.subheader("Checks", anchor=False)
    show(snapshot.table("data_quality"), "data-quality", rows=16)
    st.subheader("Rejected rows", anchor=False)
    total = dict(release["row_counts"]).get("rejected_rows", 0)
    if total:
        show(snapshot.table("rejected_reasons"), "rejected-reasons")
        if total > MOST:
            st.text(f"The first {MOST:,} of {total:,}; the relation rejected_rows has them all.")
        show(snapshot.table("rejected_rows", most=MOST), "rejected-rows")
    else:
        st.text("None: every input row was taken.")
    st.subheader("Files", anchor=False)
    files = dict(release["inputs"])
    show(pa.table({"file": list(files), "digest": list(files.values())}), "inputs")
