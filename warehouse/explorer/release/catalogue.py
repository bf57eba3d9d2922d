"""The Catalogue tab: coverage, concentration and unplayed tracks."""

from typing import Any

import streamlit as st

from warehouse.explorer.charts import bars, comparison
from warehouse.explorer.expander import expander
from warehouse.explorer.release.metrics import in_words, label
from warehouse.explorer.release.variants import SERVED, find
from warehouse.explorer.snapshot import Snapshot
from warehouse.explorer.tables import show

SHOWN = 20
"""Length of the lists that the measures are of."""
ARTISTS = 100
"""Maximum number of artists shown."""
MEASURES = (
    "coverage",
    "unplayed_share",
    "gini",
    "novelty",
    "popularity_lift",
    "artist_diversity",
    "tag_diversity",
)


def catalogue(snapshot: Snapshot, evaluation: list[dict[str, Any]]) -> None:
    """Show the tab."""
    st.subheader("Catalogue coverage", anchor=False)
    measured = [measure for measure in MEASURES if find(evaluation, SERVED, "all", measure, SHOWN)]
    if measured:
        measure = st.selectbox("Measure", measured, format_func=lambda name: label(name, SHOWN))
        rows = [
            {**r, "model": r["model"].replace("_", " ")}
            for r in evaluation
            if r["metric"] == measure and r["segment"] == "all"
        ]
        served = find(evaluation, SERVED, "all", measure, SHOWN)
        if served:
            st.text(f"{in_words(measure, SHOWN, served['value'])}.")
        st.altair_chart(comparison(rows, label(measure, SHOWN), SERVED))
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
    expander(snapshot, "artists", "Artists shown more often than they are played", _artists)
    expander(snapshot, "catalogue", "Tables", _tables)


def _artists(snapshot: Snapshot) -> None:
    st.caption("Shares of all rows of all listeners' lists, and of all plays.")
    show(snapshot.table("artists_shown", most=ARTISTS), "artists",
         {"share_of_lists": "percent", "share_of_plays": "percent"})  # fmt: skip


def _tables(snapshot: Snapshot) -> None:
    show(snapshot.table("catalogue"), "catalogue")
    show(snapshot.table("feature_weights"), "feature-weights", {"weight": "%.4f"})
