"""Read and write the page's state in its address, so that a view can be shared by its URL."""

from collections.abc import Sequence
from typing import NoReturn
from urllib.parse import urlencode

import streamlit as st

LIKED = 50
"""Maximum number of liked songs in an address."""
OF_A_VIEW = ("view", "track", "artist", "liked", "list", "weight")
"""Parameters of a single view; widgets remove their own."""


def text(name: str) -> str | None:
    """Return a parameter of the address, or None."""
    return st.query_params.get(name) or None


def texts(name: str) -> list[str]:
    """Return the distinct values of a repeated parameter, in order."""
    return list(dict.fromkeys(value for value in st.query_params.get_all(name) if value))[:LIKED]


def weight() -> float | None:
    """Return the requested collaborative share, 0 to 1; None: the suggested one."""
    try:
        asked = float(st.query_params.get("weight", ""))
    except ValueError:
        return None
    return round(min(1.0, max(0.0, asked)), 4) if asked == asked else None


def put(name: str, value: str | Sequence[str] | None) -> None:
    """Set a parameter, or remove it."""
    if value:
        st.query_params[name] = value if isinstance(value, str) else list(value)
    elif name in st.query_params:
        del st.query_params[name]


def put_weight(value: float | None) -> None:
    """Set the weight, or remove it."""
    put("weight", None if value is None else f"{value:g}")


def go(view: str | None, **parameters: str) -> NoReturn:
    """Open a view (None: Discover); filters are kept, the previous view's subject is not."""
    st.session_state["why"] = st.session_state["held"] = None
    for name in OF_A_VIEW:
        put(name, None)
    for name, value in {"view": view, **parameters}.items():
        put(name, value)
    st.rerun()


def open_track(track_id: str) -> NoReturn:
    """Open a track in the Discover view; the weight is kept."""
    weight = text("weight")
    go(None, track=track_id, **({"weight": weight} if weight else {}))


def open_artist(name: str) -> NoReturn:
    """Open the page of an artist; the weight is kept."""
    weight = text("weight")
    go("artist", artist=name, **({"weight": weight} if weight else {}))


def link(**parameters: str) -> str:
    """Return the address of a view, on the release that this page names."""
    named = {"release": release} if (release := text("release")) else {}
    whole = parameters | named
    return f"/?{urlencode(whole)}" if whole else "/"
