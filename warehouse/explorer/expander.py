"""Collapsed parts of a page; their content is computed when they are opened."""

from collections.abc import Callable

import streamlit as st

from warehouse.explorer.snapshot import Snapshot, follow


@st.fragment
def expander(snapshot: Snapshot, key: str, label: str, content: Callable[[Snapshot], None]) -> None:
    """Show a collapsed section; ``content`` runs while it is open, on the release then current."""
    section = st.expander(label, key=f"expander-{key}", on_change="rerun")
    if section.open:
        with section:
            content(follow(snapshot))
