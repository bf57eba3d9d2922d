"""The Build tab: time by stage, peak memory and size by table."""

import json
from typing import Any

import pyarrow as pa
import streamlit as st

from warehouse.explorer.charts import bars
from warehouse.explorer.expander import expander
from warehouse.explorer.snapshot import Snapshot
from warehouse.explorer.tables import show


@st.cache_data(max_entries=4, show_spinner=False)
def _table_sizes(release_id: str, _snapshot: Snapshot) -> list[dict[str, Any]]:  # noqa: ARG001 - the key
    tables = _snapshot.rows("stored_tables")
    for table in tables:
        size = _snapshot.row("stored_bytes", stored=table["stored"]) or {"bytes": 0}
        table["megabytes"] = size["bytes"] / 1e6
    return sorted(tables, key=lambda table: -table["megabytes"])


def build(snapshot: Snapshot, release: dict[str, Any]) -> None:
    """Show the tab."""
    stages = [{"stage": name, "seconds": s} for name, s in dict(release["stage_seconds"]).items()]
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("Time by stage", anchor=False)
        if stages:
            st.altair_chart(bars(stages, "stage", "seconds", "seconds", ",.1f"))
        total = sum(stage["seconds"] for stage in stages)
        st.caption(
            f"{total:,.1f} s in total. Stages overlap; those with 0 s were reused. "
            f"Peak memory {release['peak_memory_bytes'] / 1e9:.2f} GB."
        )
    stored = _table_sizes(snapshot.release_id, snapshot)
    with right:
        st.subheader("Size by table", anchor=False)
        large = [table for table in stored if table["megabytes"] >= 1] or stored[:5]
        st.altair_chart(bars(large, "stored", "megabytes", "MB", ",.1f"))
        st.caption("Tables of at least 1 MB. Small tables share blocks.")
    counts = dict(release["row_counts"])

    def tables(_: Snapshot) -> None:
        show(pa.table({"relation": list(counts), "rows": list(counts.values())}), "rows", rows=13)
        show(pa.Table.from_pylist(stored), "sizes", {"megabytes": "%.1f"})
        if stages:
            show(pa.Table.from_pylist(stages), "stages", {"seconds": "%.2f"})

    def parameters(_: Snapshot) -> None:
        flat = flatten(json.loads(release["parameters"] or "{}"))
        show(pa.table({"parameter": list(flat), "value": list(flat.values())}), "parameters")

    expander(snapshot, "build", "Tables", tables)
    expander(snapshot, "parameters", "Parameters", parameters)


def flatten(tree: Any, path: str = "") -> dict[str, str]:
    """Return nested parameters as a flat mapping from dotted name to JSON."""
    if not isinstance(tree, dict):
        return {path: json.dumps(tree)}
    found: dict[str, str] = {}
    for name, value in tree.items():
        found |= flatten(value, f"{path}.{name}" if path else str(name))
    return found
