"""Two parts of a page: one above the other, and side by side where there is room (page.css)."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator


def beside() -> tuple[DeltaGenerator, DeltaGenerator]:
    """Return a container for the subject of a page, and one for its list.

    What people wait for is the list: a view fills its container first.
    """
    with st.container(key="beside"):
        return st.container(key="aside"), st.container(key="main")
