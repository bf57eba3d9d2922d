"""The other lists of a page's subject: new, on repeat, rediscover, artists, playlist, radio."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import streamlit as st

from warehouse.explorer import address
from warehouse.explorer.fader import fader, position
from warehouse.explorer.lists import Question, Subject
from warehouse.explorer.older import has_macro
from warehouse.explorer.plain_list import PlainList, plain_list
from warehouse.explorer.snapshot import Snapshot

LIST = "list"
"""Parameter of the address; None: the subject's own list."""
OWN = "own"


@dataclass(frozen=True)
class OtherList:
    """A list beside the subject's own; its file of ``sql/`` has the name of its macro."""

    macro: str
    title: str
    empty: str
    needs_times: bool = False
    is_weighted: bool = True
    is_seeded: bool = False
    has_artists: bool = False


TIMES = "This list needs the times of plays, and plays to choose from."
NEW = OtherList("new_for_user", "New", TIMES, needs_times=True)
ON_REPEAT = OtherList("on_repeat", "On repeat", TIMES, needs_times=True, is_weighted=False)
REDISCOVER = OtherList("rediscover", "Rediscover", TIMES, needs_times=True, is_weighted=False)
ARTISTS = OtherList("recommend_artists", "Artists", "No track has an artist.", has_artists=True)
PLAYLIST = OtherList("continue_playlist", "Playlist", "No track of another artist is left.")
RADIO = OtherList("radio", "Radio", "No track of another artist is left.", is_seeded=True)

OWN_TITLES = {"similar": "Similar", "recommended": "Recommended", "liked": "Recommended"}
OTHERS = {
    "similar": (RADIO,),
    "recommended": (NEW, ON_REPEAT, REDISCOVER, ARTISTS),
    "liked": (PLAYLIST, RADIO),
}
"""The other lists by the query of the subject's own."""


def chosen_list(snapshot: Snapshot, subject: Subject) -> OtherList | None:
    """Show which lists there are; return the chosen one, or None for the subject's own.

    Nothing is shown for an unknown listener, or on a release without these macros. A list that
    needs times is left out where there are none, unless the address names it.
    """
    if subject.is_unknown:
        return None
    asked = address.text(LIST) or OWN
    others = {
        one.macro: one
        for one in OTHERS[subject.query]
        if has_macro(snapshot, one.macro) and (one.macro == asked or _is_possible(snapshot, one))
    }
    if not others:
        return None
    titles = {OWN: OWN_TITLES[subject.query]} | {name: x.title for name, x in others.items()}
    key = f"{LIST}-{subject.query}"
    chosen = st.segmented_control(
        "List", list(titles), default=asked if asked in titles else OWN, key=key,
        format_func=titles.__getitem__, label_visibility="collapsed", required=True,
        on_change=partial(_choose, key),
    )  # fmt: skip
    return others.get(str(chosen))


def other_list(
    snapshot: Snapshot, subject: Subject, other: OtherList, k: int, suggested: float
) -> None:
    """Show one of the other lists for ``subject``."""
    of = [subject.of] if subject.query == "similar" else subject.of
    values: dict[str, Any] = {"subject": of, "k": k}
    is_movable = other.is_weighted and _is_possible(snapshot, other)
    at = fader(suggested) if is_movable else position(suggested)
    if other.is_weighted:
        values["weight"] = at.weight
    if other.is_seeded:
        values["seed"] = _seed()
    plain_list(
        snapshot,
        PlainList(
            LIST, f"{other.title}, best first", Question(other.macro, values),
            f"{other.macro} {of} {values.get('seed')}", other.empty,
            download="Download this list as CSV", file=other.macro,
            did=subject.did, has_artists=other.has_artists,
        ),
        at,
    )  # fmt: skip


def _is_possible(snapshot: Snapshot, other: OtherList) -> bool:
    """Return whether a list can have rows: some need the times of plays."""
    return not other.needs_times or _has_times(snapshot.release_id, snapshot)


@st.cache_data(max_entries=4, show_spinner=False)
def _has_times(release_id: str, _snapshot: Snapshot) -> bool:  # noqa: ARG001 - the key
    return bool((_snapshot.row("has_times") or {}).get("present"))


def _choose(key: str) -> None:
    chosen = st.session_state[key]
    address.put(LIST, None if chosen == OWN else chosen)
    st.session_state["why"] = None


def _seed() -> int:
    """Show the button for another radio; return the number of this one."""
    st.session_state.setdefault("seed", 0)
    if st.button("Another radio", icon=":material/shuffle:"):
        st.session_state["seed"] += 1
    return int(st.session_state["seed"])
