"""Pictures of the catalogue: they come from other hosts, so they are shown only if asked for."""

import sys
from collections.abc import Sequence

import streamlit as st

from warehouse.explorer.snapshot import Snapshot

COVERS = "--covers"
"""What the script is started with if pictures are shown."""

COLUMN = "cover_url"
"""The column of `tracks`, in releases of a dataset that names it."""


def covers(snapshot: Snapshot, ids: Sequence[str]) -> dict[str, str]:
    """Return the links to the pictures of tracks; none if the explorer was started without."""
    if COVERS not in sys.argv[1:] or COLUMN not in _columns(snapshot.release_id, snapshot):
        return {}
    found = {row["track_id"]: web_address(row["cover"]) for row in snapshot.rows("covers", ids=ids)}
    return {track_id: link for track_id, link in found.items() if link}


def web_address(value: object) -> str | None:
    """Return a link if it is a web address."""
    link = str(value or "")
    return link if link.startswith(("https://", "http://")) else None


@st.cache_data(max_entries=4, show_spinner=False)
def _columns(release_id: str, _snapshot: Snapshot) -> set[str]:  # noqa: ARG001 - the key
    return {row["name"] for row in _snapshot.rows("track_columns")}
