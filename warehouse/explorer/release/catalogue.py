"""The Catalogue tab: over-exposed artists, coverage, concentration and unplayed tracks."""

from typing import Any

import pyarrow as pa
import streamlit as st

from warehouse.explorer.charts import bars, comparison, pairs
from warehouse.explorer.components import Answer, answers, short
from warehouse.explorer.expander import expander
from warehouse.explorer.release.metrics import in_words, label
from warehouse.explorer.release.variants import SERVED, find
from warehouse.explorer.snapshot import Snapshot
from warehouse.explorer.tables import show

SHOWN = 20
"""Length of the lists that the measures are of."""
ARTISTS = 100
"""Maximum number of artists in the table."""
PLOTTED = 10
SHARES = {"share_of_lists": "of all places in lists", "share_of_plays": "of all plays"}
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
    exposure = st.container()  # filled last: it reads all lists
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
    expander(snapshot, "catalogue", "Tables", _tables)
    with exposure:
        _exposure(snapshot)


def _exposure(snapshot: Snapshot) -> None:
    st.subheader("Over-exposed artists", anchor=False)
    table = _artists(snapshot.release_id, snapshot)
    if not len(table):
        st.text("No artist has a larger share of people's lists than of plays.")
        return
    artists = table.slice(0, PLOTTED).to_pylist()
    answers("exposure", [Answer("Which artists are shown more often than they are played?",
                                exposure_sentence(artists[0], len(table)))])  # fmt: skip
    bars_of = [
        {"artist": short(row["artist"]), "side": words, "value": row[field]}
        for row in artists for field, words in SHARES.items()
    ]  # fmt: skip
    st.altair_chart(pairs(bars_of, "artist", "share", tuple(SHARES.values())[::-1], ".1%"))
    expander(snapshot, "artists", "All of these artists", _all_artists)


def exposure_sentence(first: dict[str, Any], artists: int) -> str:
    """Return who is over-exposed most; ``artists`` is how many are, at most ARTISTS."""
    lists, plays = (100 * first[field] for field in SHARES)
    others = f", and {artists - 1} others less so" if 1 < artists < ARTISTS else ""
    return (
        f"Most of all {short(first['artist'])}: {lists:.1f} % of the places in people's lists, "
        f"{plays:.1f} % of the plays{others}."
    )


@st.cache_data(max_entries=4, show_spinner="Reading all lists")
def _artists(release_id: str, _snapshot: Snapshot) -> pa.Table:  # noqa: ARG001 - the key
    return _snapshot.table("artists_shown", most=ARTISTS)


def _all_artists(snapshot: Snapshot) -> None:
    st.caption(f"Shares of all rows of all listeners' lists, and of all plays; at most {ARTISTS}.")
    show(_artists(snapshot.release_id, snapshot), "artists",
         dict.fromkeys(SHARES, "percent"))  # fmt: skip


def _tables(snapshot: Snapshot) -> None:
    show(snapshot.table("catalogue"), "catalogue")
    show(snapshot.table("feature_weights"), "feature-weights", {"weight": "%.4f"})
