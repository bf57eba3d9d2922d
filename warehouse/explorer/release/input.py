"""The Input tab: checks, rejected rows and input files."""

from typing import Any

import pyarrow as pa
import streamlit as st

from warehouse.explorer.snapshot import Snapshot
from warehouse.explorer.tables import show

MOST = 10_000
"""Maximum number of rejected rows shown and downloaded."""


def input_data(snapshot: Snapshot, release: dict[str, Any]) -> None:
    """Show the tab."""
    st.subheader("Checks", anchor=False)
    show(snapshot.table("data_quality"), "data-quality", rows=16)
    st.subheader("Rejected rows", anchor=False)
    total = dict(release["row_counts"]).get("rejected_rows", 0)
    if total:
        show(snapshot.table("rejected_reasons"), "rejected-reasons")
        if total > MOST:
            st.text(f"The first {MOST:,} of {total:,}; query rejected_rows for all of them.")
        show(snapshot.table("rejected_rows", most=MOST), "rejected-rows")
    else:
        st.text("None: all input rows were accepted.")
    st.subheader("Files", anchor=False)
    files = dict(release["inputs"])
    show(pa.table({"file": list(files), "digest": list(files.values())}), "inputs")
