"""What a release has; one of an older version lacks relations and macros of today."""

import streamlit as st

from warehouse.explorer.snapshot import Snapshot


def has_relation(snapshot: Snapshot, name: str) -> bool:
    """Return whether the release has a relation of this name."""
    return name in _relations(snapshot.release_id, snapshot)


@st.cache_data(max_entries=4, show_spinner=False)
def _relations(release_id: str, _snapshot: Snapshot) -> set[str]:  # noqa: ARG001 - the key
    return {row["name"] for row in _snapshot.rows("relations")}


def has_macro(snapshot: Snapshot, name: str) -> bool:
    """Return whether the release has a table macro of this name."""
    return name in _macros(snapshot.release_id, snapshot)


@st.cache_data(max_entries=4, show_spinner=False)
def _macros(release_id: str, _snapshot: Snapshot) -> set[str]:  # noqa: ARG001 - the key
    return {row["name"] for row in _snapshot.rows("macros")}


def has_variety(snapshot: Snapshot) -> bool:
    """Return whether lists of the release can be in another order than that of the scores."""
    return _varies(snapshot.release_id, snapshot)


@st.cache_data(max_entries=4, show_spinner=False)
def _varies(release_id: str, _snapshot: Snapshot) -> bool:  # noqa: ARG001 - the key
    found = _snapshot.row("varies")
    return bool(found and found["present"])
