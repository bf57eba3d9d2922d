"""Parts of a page that nobody may want to see: made when they are opened, not before."""

from collections.abc import Callable

import streamlit as st

from warehouse.explorer.snapshot import Snapshot, follow


@st.fragment
def folded(snapshot: Snapshot, key: str, label: str, content: Callable[[Snapshot], None]) -> None:
    """Show a closed fold; ``content`` runs while it is open, on the release then current."""
    fold = st.expander(label, key=f"fold-{key}", on_change="rerun")
    if fold.open:
        with fold:
            content(follow(snapshot))
