"""Custom components: search box, crossfader, track list, card, chips.

Their JavaScript sets text with `textContent`, so a title is never interpreted as HTML or Markdown.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from typing import Any, Literal

import streamlit as st

from warehouse.explorer.sound import Feature

ASSETS = files("warehouse.explorer") / "assets"
LONGEST = 300
"""Characters of a text that the page shows; downloads contain the whole text."""

TO_CURRENT = "to current"
"""Chosen in the top bar: leave an earlier release for the current one."""


def _part(name: str) -> Callable[..., Any]:
    read = {kind: (ASSETS / f"{name}.{kind}").read_text() for kind in ("html", "css", "js")}
    css = (ASSETS / "common.css").read_text() + read["css"]
    return st.components.v2.component(
        f"crossfade_{name}", html=read["html"], css=css, js=read["js"]
    )


_topbar, _finder, _crossfader, _tracklist, _card, _chips, _answers = map(
    _part, ("topbar", "finder", "crossfader", "tracklist", "card", "chips", "answers")
)


@dataclass(frozen=True)
class Chip:
    """A short text on a pill."""

    id: str
    text: str
    is_pressed: bool | None = None
    """On or off, for one that is a button; None: plain text."""


@dataclass(frozen=True)
class Link:
    """A text that leads to another page."""

    text: str
    href: str


@dataclass(frozen=True)
class Line:
    """One line below an answer: a label, a word on how it is, a figure."""

    label: str
    value: str
    state: str = ""


@dataclass(frozen=True)
class Answer:
    """A question, and its answer in one sentence; text between backticks is shown as code."""

    question: str
    answer: str
    state: Literal["good", "bad", "open", "plain"] = "plain"
    more: tuple[str, ...] = ()
    lines: tuple[Line, ...] = ()


def short(text: object) -> str:
    """Return a text for the page, truncated to LONGEST characters."""
    written = str(text)
    return written if len(written) <= LONGEST else written[: LONGEST - 1] + "…"


def topbar(
    views: dict[str, str],
    current: str,
    link: Callable[[str], str],
    release_id: str,
    earlier: str,
) -> str | None:
    """Show the views (name and title); return a name in the run after it was chosen.

    ``release_id`` is what a permalink names; ``earlier`` is shown unless empty, with a link to the
    current release, for which TO_CURRENT is returned.
    """
    data = {
        "views": [{"name": n, "title": title, "link": link(n)} for n, title in views.items()],
        "current": current,
        "release": release_id,
        "earlier": earlier,
        "to_current": TO_CURRENT,
    }
    result = _topbar(key="topbar", data=data, on_chosen_change=_nothing)
    return None if result.chosen is None else str(result.chosen)


def finder(
    key: str, label: str, placeholder: str, search: Callable[[str], Sequence[dict[str, Any]]]
) -> str | None:
    """Show a search box; return the track id in the run after one was picked."""
    text = str(_sent(key, "text") or "")[:200]
    rows = [
        {
            "track_id": row["track_id"],
            "name": short(row["name"] or row["track_id"]),
            "artist": short(row["artist"] or ""),
        }
        for row in (search(text) if text else [])
    ]
    data = {"label": label, "placeholder": placeholder, "text": text, "rows": rows}
    result = _finder(key=key, data=data, on_text_change=_nothing, on_picked_change=_nothing)
    return None if result.picked is None else str(result.picked)


def crossfader(
    key: str,
    weight: float,
    suggested: float,
    presets: Sequence[dict[str, Any]],
    moved: Callable[[], None],
) -> None:
    """Show the slider at ``weight`` with a mark at ``suggested``; ``moved`` is its callback."""
    data = {
        "weight": weight,
        "suggested": suggested,
        "presets": list(presets),
        "echo": st.session_state.get(f"{key}-echo"),
    }
    _crossfader(key=key, data=data, on_moved_change=moved)


def move(key: str) -> tuple[float | None, bool] | None:
    """Return the slider's new weight (None: the suggested one) and whether it was released."""
    moved = _sent(key, "moved")
    if not isinstance(moved, dict):
        return None
    st.session_state[f"{key}-echo"] = moved.get("key")
    share = moved.get("share")
    weight = float(share) if isinstance(share, int | float) else None
    return weight, bool(moved.get("settled"))


def tracklist(key: str, data: dict[str, Any]) -> Any:
    """Show a list; the result's ``opened`` and ``explained`` name a track id once."""
    return _tracklist(
        key=key,
        data=data,
        on_opened_change=_nothing,
        on_explained_change=_nothing,
    )


def card(
    key: str,
    title: str,
    subtitle: str = "",
    links: Sequence[Link] = (),
    text: str = "",
    facts: Sequence[tuple[str, str]] = (),
    chips: Sequence[Chip] = (),
    preview: str | None = None,
    cover: str | None = None,
    sound: Sequence[Feature] = (),
    pressed: Callable[[], None] | None = None,
) -> str | None:
    """Show a heading; return the text of a link in the run after it was followed.

    ``links`` replace the subtitle if there are any; ``pressed`` is the callback of chips that are
    buttons (`chip_of`).
    """
    data = _heading(title) | {
        "subtitle": "" if links else short(subtitle),
        "links": [{"id": x.text, "text": short(x.text), "href": x.href} for x in links],
        "text": text,
        "facts": [[label, short(value)] for label, value in facts],
        "chips": [_chip(chip) for chip in chips],
        "preview": preview,
        "cover": cover,
        "sound": [
            {"label": short(one.label), "share": one.share, "words": short(one.words)}
            for one in sound
        ],
    }
    result = _card(
        key=key, data=data, on_pressed_change=pressed or _nothing, on_followed_change=_nothing
    )
    return None if result.followed is None else str(result.followed)


def removable_chips(
    key: str, label: str, chips: Sequence[Chip], removed: Callable[[], None]
) -> None:
    """Show chips that can be removed; ``removed`` is the callback (`chip_of`)."""
    data = {"label": label, "chips": [_chip(chip) for chip in chips]}
    _chips(key=key, data=data, on_removed_change=removed)


def chip_of(key: str, trigger: Literal["pressed", "removed"]) -> str | None:
    """Return the id of the chip that was pressed or removed, in the callback."""
    name = _sent(key, trigger)
    return None if name is None else str(name)


def _chip(chip: Chip) -> dict[str, Any]:
    return {"id": chip.id, "text": short(chip.text), "pressed": chip.is_pressed}


def answers(key: str, given: Sequence[Answer]) -> None:
    """Show questions with their answers, side by side where there is room."""
    _answers(key=key, data={"answers": [asdict(one) for one in given]})


def notice(key: str, title: str, text: str = "", command: str = "") -> None:
    """Show a message: what is wrong and what to do about it."""
    data = _heading(title) | {"text": short(text), "command": command, "notice": True}
    _card(key=key, data=data, on_pressed_change=_nothing, on_followed_change=_nothing)


def _heading(title: str) -> dict[str, Any]:
    """Return a card with a title alone."""
    return {
        "title": short(title),
        "subtitle": "",
        "links": [],
        "text": "",
        "command": "",
        "notice": False,
        "facts": [],
        "chips": [],
        "preview": None,
        "cover": None,
        "sound": [],
    }


def _sent(key: str, name: str) -> Any:
    """Return what a component has sent under a name; None: nothing."""
    return (st.session_state.get(key) or {}).get(name)


def _nothing() -> None:
    """Do nothing: Streamlit reports a value only if a callback is registered."""
