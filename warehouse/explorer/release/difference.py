"""The Changes tab: rows, times, quality, weights and parameters beside another release."""

import json
from typing import Any

import pyarrow as pa
import streamlit as st

from warehouse.explorer.charts import pairs
from warehouse.explorer.components import short
from warehouse.explorer.expander import expander
from warehouse.explorer.release.build import flatten
from warehouse.explorer.release.quality import segment_name
from warehouse.explorer.release.variants import SERVED
from warehouse.explorer.snapshot import Snapshot
from warehouse.explorer.tables import show
from warehouse.explorer.wording import listed, percent
from warehouse.releases.difference import reach_of

OTHER, THIS = "other release", "this release"
COUNTED = {"tracks": "tracks", "users": "listeners", "listens": "listens"}
NAMED = 3
"""Parameters that the sentence names."""


def difference(snapshot: Snapshot, previous: Snapshot | None) -> None:
    """Show the tab."""
    if previous is None:
        st.text("There is no other release to compare with.")
        return
    st.caption(f"Compared with `{previous.release_id}`.")
    now, then = snapshot.row("release") or {}, previous.row("release") or {}
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("Rows", anchor=False)
        show(_rows(now, then), "difference-rows", {"change": "percent"}, rows=13)
    with right:
        st.subheader("Time by stage", anchor=False)
        stages = [
            {"stage": name, "side": side, "value": seconds}
            for side, row in ((OTHER, then), (THIS, now))
            for name, seconds in dict(row["stage_seconds"]).items()
        ]
        if stages:
            st.altair_chart(pairs(stages, "stage", "seconds", (OTHER, THIS)))
    st.subheader("Quality", anchor=False)
    show(_quality(snapshot, previous), "difference-quality",
         {OTHER: "%.4f", THIS: "%.4f", "change": "%+.4f"}, rows=8)  # fmt: skip
    st.subheader("Weights", anchor=False)
    show(_weights(snapshot, previous), "difference-weights")
    st.subheader("Parameters", anchor=False)
    changed = _parameters(now, then)
    if len(changed):
        show(changed, "difference-parameters")
    else:
        st.text("No parameter changed.")
    expander(snapshot, "reach", "Tracks that anybody is shown",
             lambda latest: _reach(latest, previous))  # fmt: skip


def what_differs(now: dict[str, Any], then: dict[str, Any]) -> str:
    """Return in one sentence what may have made the lists of two releases different."""
    old, new = dict(then["row_counts"]), dict(now["row_counts"])
    found = [
        f"{new[name]:,} {words} ({percent(new[name] / old[name] - 1)})"
        for name, words in COUNTED.items()
        if old.get(name) and name in new and new[name] != old[name]
    ]
    changed = _parameters(now, then).to_pylist()
    found += [
        f"`{row['parameter']}` {short(row[OTHER])} → {short(row[THIS])}" for row in changed[:NAMED]
    ]
    if len(changed) > NAMED:
        found.append(f"{len(changed) - NAMED} more parameters")
    if now["code_version"] != then["code_version"]:
        found.append(f"code {short(then['code_version'])} → {short(now['code_version'])}")
    return f"What differs: {listed(found)}." if found else "Data, parameters and code are the same."


def _rows(now: dict[str, Any], then: dict[str, Any]) -> pa.Table:
    old, new = dict(then["row_counts"]), dict(now["row_counts"])
    names = [*new, *(name for name in old if name not in new)]
    change = [new.get(n, 0) / old[n] - 1 if old.get(n) else None for n in names]
    return pa.table({"relation": names, OTHER: [old.get(n) for n in names],
                     THIS: [new.get(n) for n in names],
                     "change": pa.array(change, pa.float64())})  # fmt: skip


def _quality(snapshot: Snapshot, previous: Snapshot) -> pa.Table:
    def hybrid(of: Snapshot) -> dict[tuple[str, str, int], float]:
        rows = (row for row in of.rows("evaluation") if row["model"] == SERVED)
        return {(r["segment"], r["metric"], r["k"]): r["value"] for r in rows}

    new, old = hybrid(snapshot), hybrid(previous)
    keys = [key for key in new if key in old]
    return pa.table(
        {
            "listeners": [segment_name(segment) for segment, _, _ in keys],
            "metric": [f"{metric}@{k}" for _, metric, k in keys],
            OTHER: [old[key] for key in keys],
            THIS: [new[key] for key in keys],
            "change": [new[key] - old[key] for key in keys],
        }
    )


def _weights(snapshot: Snapshot, previous: Snapshot) -> pa.Table:
    old = {row["segment"]: row for row in previous.rows("segments")}
    return pa.Table.from_pylist(
        [
            {
                "segment": row["segment"],
                "other weight": old.get(row["segment"], {}).get("weight"),
                "weight": row["weight"],
                "other popularity": old.get(row["segment"], {}).get("popularity"),
                "popularity": row["popularity"],
            }
            for row in snapshot.rows("segments")
        ]
    )


def _parameters(now: dict[str, Any], then: dict[str, Any]) -> pa.Table:
    new, old = (flatten(json.loads(row["parameters"] or "{}")) for row in (now, then))
    names = [n for n in sorted({*new, *old}) if new.get(n) != old.get(n)]
    return pa.table({"parameter": names, OTHER: [old.get(n) for n in names],
                     THIS: [new.get(n) for n in names]})  # fmt: skip


def _reach(snapshot: Snapshot, previous: Snapshot) -> None:
    sides = [(one.release_id, reach_of(one.connection)) for one in (previous, snapshot)]
    st.dataframe(
        {
            "release": [name for name, _ in sides],
            "tracks in anybody's list": [reach["shown"] for _, reach in sides],
            "share of the catalogue": [reach["shown"] / reach["tracks"] for _, reach in sides],
        },
        hide_index=True,
        column_config={"share of the catalogue": st.column_config.NumberColumn(format="percent")},
    )
