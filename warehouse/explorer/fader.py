"""The crossfader of a list: where it stands, in the page's address once it is at rest."""

from dataclasses import dataclass
from typing import Any

import streamlit as st

from warehouse.explorer import address
from warehouse.explorer.components import crossfader, move


@dataclass(frozen=True)
class Position:
    """Where the slider stands."""

    weight: float | None
    """Collaborative share; None: the suggested one."""
    shown: float
    """The share that this is."""


def position(suggested: float) -> Position:
    """Return the slider's position: while it is dragged, its own; otherwise the address's."""
    held = st.session_state.get("held")
    weight = held if isinstance(held, float) else address.weight()
    return Position(weight, suggested if weight is None else weight)


def fader(suggested: float) -> Position:
    """Show the slider and its presets; ``suggested`` is the learned weight."""
    at = position(suggested)
    crossfader("fader", at.shown, suggested, _presets(at.weight, suggested), _moved)
    return at


def is_at_rest() -> bool:
    """Tell whether the slider is not being dragged."""
    return st.session_state.get("held") is None


def _moved() -> None:
    moved = move("fader")
    if moved is None:
        return
    weight, settled = moved
    st.session_state["held"] = None if settled else weight
    if settled:  # one browser history entry per drag, not fifty
        address.put_weight(weight)


def _presets(weight: float | None, suggested: float) -> list[dict[str, Any]]:
    given = [
        ("Content", 0.0, "Content only: similar sound and tags"),
        ("Balanced", 0.5, "Half and half"),
        ("Collaborative", 1.0, "Collaborative only: played by the same people"),
        (
            "Suggested",
            None,
            f"{round(100 * suggested)} % collaborative: measured best",
        ),
    ]
    return [
        {"label": label, "share": share, "help": help_, "pressed": share == weight}
        for label, share, help_ in given
    ]
