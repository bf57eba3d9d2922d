"""The Catalogue tab: coverage, concentration and unplayed tracks."""

from typing import Any

import streamlit as st

from warehouse.explorer.charts import bars, comparison
from warehouse.explorer.expander import expander
from warehouse.explorer.release.quality import SERVED
from warehouse.explorer.snapshot import Snapshot
from warehouse.explorer.tables import show

MEASURES = {
    "coverage": "Coverage: share of the catalogue in any listener's top 20",
    "unplayed_share": "Unplayed tracks: share of the top 20",
    "gini": "Concentration (Gini): 0 all tracks shown equally, 1 only one track shown",
    "novelty": "Novelty in bits: higher is less well known",
    "popularity_lift": "Popularity lift: popularity of the list minus that of the history",
    "artist_diversity": "Artist diversity within a list",
    "tag_diversity": "Tag diversity within a list",
}


def catalogue(snapshot: Snapshot, evaluation: list[dict[str, Any]]) -> None:
    """Show the tab."""
    st.subheader("Catalogue coverage", anchor=False)
    measured = [
        measure
        for measure in MEASURES
        if any(r["metric"] == measure and r["segment"] == "all" for r in evaluation)
    ]
    if measured:
        measure = st.selectbox("Measure", measured, format_func=lambda name: MEASURES[name])
        rows = [
            {**r, "model": r["model"].replace("_", " ")}
            for r in evaluation
            if r["metric"] == measure and r["segment"] == "all"
        ]
        st.altair_chart(comparison(rows, measure.replace("_", " "), SERVED))
    else:
        st.text("This release was not evaluated.")
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("Tracks by listeners", anchor=False)
        st.altair_chart(bars(snapshot.rows("catalogue"), "listeners", "tracks", "tracks"))
        st.caption("Tracks without listeners are recommended by content only.")
    with right:
        st.subheader("Content feature weights", anchor=False)
        features = [f for f in snapshot.rows("feature_weights") if f["weight"] >= 0.001]
        if features:
            st.altair_chart(bars(features, "feature", "weight", "share of similarity", ".0%"))
        else:
            st.text("This catalogue has no content columns.")
    expander(snapshot, "catalogue", "Tables", _tables)


def _tables(snapshot: Snapshot) -> None:
    show(snapshot.table("catalogue"), "catalogue")
    show(snapshot.table("feature_weights"), "feature-weights", {"weight": "%.4f"})
