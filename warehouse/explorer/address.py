"""The address carries the state, so that a view can be shared: reading it and writing it."""

from collections.abc import Sequence
from typing import NoReturn
from urllib.parse import urlencode

import streamlit as st

LIKED = 50
"""Liked songs an address may carry."""
OF_A_VIEW = ("view", "track", "liked", "weight")
"""Parameters that belong to the view that set them; widgets take theirs away themselves."""


def text(name: str) -> str | None:
    """Return a parameter of the address, or None."""
    return st.query_params.get(name) or None


def texts(name: str) -> list[str]:
    """Return a repeated parameter's different values, in their order."""
    return list(dict.fromkeys(value for value in st.query_params.get_all(name) if value))[:LIKED]


def weight() -> float | None:
    """Return the collaborative share asked for, 0 to 1; None: the learned one."""
    try:
        asked = float(st.query_params.get("weight", ""))
    except ValueError:
        return None
    return round(min(1.0, max(0.0, asked)), 4) if asked == asked else None


def put(name: str, value: str | Sequence[str] | None) -> None:
    """Set a parameter, or take it away."""
    if value:
        st.query_params[name] = value if isinstance(value, str) else list(value)
    elif name in st.query_params:
        del st.query_params[name]


def put_weight(value: float | None) -> None:
    """Set the weight, or take it away."""
    put("weight", None if value is None else f"{value:g}")


def go(view: str | None, **parameters: str) -> NoReturn:
    """Turn to a view (None: the first); filters stay, what the view before was of goes."""
    st.session_state["why"] = st.session_state["held"] = None
    for name in OF_A_VIEW:
        put(name, None)
    for name, value in {"view": view, **parameters}.items():
        put(name, value)
    st.rerun()


def open_track(track_id: str) -> NoReturn:
    """Make a track the subject of the Discover view, whichever is shown; the weight stays."""
    weight = text("weight")
    go(None, track=track_id, **({"weight": weight} if weight else {}))


def link(**parameters: str) -> str:
    """Return the address of a view."""
    return f"/?{urlencode(parameters)}" if parameters else "/"
