"""Experiments: results by variant, segment and metric, if the release holds any."""

from typing import Any

import streamlit as st

from warehouse.explorer.components import card
from warehouse.explorer.snapshot import Snapshot
from warehouse.explorer.tables import show

NUMBERS = {"value": "%.4f", "lift": "%+.4f", "ci_low": "%+.4f", "ci_high": "%+.4f",
           "p_value": "%.4f"}  # fmt: skip


def experiments_there(snapshot: Snapshot) -> bool:
    """Return whether the release has the relation, with rows in it."""
    found = snapshot.row("has_experiments")
    return bool(found and found["present"]) and bool(snapshot.rows("experiment_results"))


def experiments(snapshot: Snapshot) -> None:
    """Show the view."""
    from warehouse.explorer.charts import intervals  # slow to import; only this page needs it

    table = snapshot.table("experiment_results")
    rows = table.to_pylist()
    names = list(dict.fromkeys(str(row.get("experiment")) for row in rows))
    chosen = st.selectbox("Experiment", names, key="experiment", bind="query-params")
    mine = [row for row in rows if str(row.get("experiment")) == chosen]
    notes = dict.fromkeys(str(row["note"]) for row in mine if row.get("note"))
    card("experiment-card", str(chosen), text=" ".join(notes))
    for metric in dict.fromkeys(row.get("metric") for row in mine):
        measured = [_named(row) for row in mine if row.get("metric") == metric]
        effects = [row for row in measured if row.get("lift") is not None]
        if effects:
            st.subheader("Effect", anchor=False)
            st.altair_chart(intervals(effects, f"lift in {metric}"))
    formats = {name: form for name, form in NUMBERS.items() if name in table.column_names}
    show(table, "experiments", formats, rows=15)


def _named(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "name": f"{row.get('variant')}, {row.get('segment')}"}
