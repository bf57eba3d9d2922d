"""Is the catalogue being used? Coverage, concentration, and the tracks nobody has played."""

from typing import Any

import streamlit as st

from warehouse.explorer.charts import bars, comparison
from warehouse.explorer.folded import folded
from warehouse.explorer.release.quality import SERVED
from warehouse.explorer.snapshot import Snapshot
from warehouse.explorer.tables import show

MEASURES = {
    "coverage": "Coverage: share of the catalogue in somebody's top 20",
    "unplayed_share": "Unplayed tracks: their share of the top 20",
    "gini": "Concentration (Gini): 0 every track alike, 1 one track takes all",
    "novelty": "Novelty: bits; more is less known",
    "popularity_lift": "Popularity lift: how much more played than the listener's own tracks",
    "artist_diversity": "Artist diversity within a list",
    "tag_diversity": "Tag diversity within a list",
}


def catalogue(snapshot: Snapshot, evaluation: list[dict[str, Any]]) -> None:
    """Show the tab."""
    st.subheader("Use of the catalogue", anchor=False)
    there = [
        measure
        for measure in MEASURES
        if any(r["metric"] == measure and r["segment"] == "all" for r in evaluation)
    ]
    if there:
        measure = st.selectbox("Measure", there, format_func=lambda name: MEASURES[name])
        rows = [
            {**r, "model": r["model"].replace("_", " ")}
            for r in evaluation
            if r["metric"] == measure and r["segment"] == "all"
        ]
        st.altair_chart(comparison(rows, measure.replace("_", " "), SERVED))
    else:
        st.text("Nothing was measured for this release.")
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("Tracks by listeners", anchor=False)
        st.altair_chart(bars(snapshot.rows("catalogue"), "listeners", "tracks", "tracks"))
        st.caption("Tracks with 0 listeners are reached by content alone.")
    with right:
        st.subheader("What content listens to", anchor=False)
        features = [f for f in snapshot.rows("feature_weights") if f["weight"] >= 0.001]
        if features:
            st.altair_chart(bars(features, "feature", "weight", "share of similarity", ".0%"))
        else:
            st.text("This catalogue has no content columns.")
    folded(snapshot, "catalogue", "Tables", _tables)


def _tables(snapshot: Snapshot) -> None:
    show(snapshot.table("catalogue"), "catalogue")
    show(snapshot.table("feature_weights"), "feature-weights", {"weight": "%.4f"})
