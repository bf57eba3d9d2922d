"""Discover: a song and its neighbours at any weight."""

from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from warehouse.explorer import address
from warehouse.explorer.artist import artist_links
from warehouse.explorer.components import card, finder, notice
from warehouse.explorer.covers import web_address
from warehouse.explorer.filters import tag_chips, toggle_tag
from warehouse.explorer.layout import beside
from warehouse.explorer.list_panel import list_panel
from warehouse.explorer.lists import Question, Subject, known_tracks
from warehouse.explorer.older import has_macro
from warehouse.explorer.plain_list import PlainList, plain_list
from warehouse.explorer.reasons import Track, title
from warehouse.explorer.snapshot import Snapshot, follow
from warehouse.explorer.sound import sound

SUGGESTIONS = 8
POPULAR = 20
MOST_PLAYED, RISING = "Most played", "Rising"


def discover(snapshot: Snapshot) -> None:
    """Show the view."""
    _search(snapshot)
    track_id = address.text("track")
    if track_id is None:
        _popular(snapshot)
        return
    track = known_tracks(snapshot, [track_id]).get(track_id)
    if track is None:
        notice(
            "unknown-track",
            "No such track in this release",
            f"There is no track with the id “{track_id}”. It may belong to another release. Search "
            "above, or start from one of these.",
        )
        _popular(snapshot)
        return
    aside, main = beside()
    with main:
        list_panel(snapshot, Subject("similar", track_id), suggested_weight(snapshot, 1))
    with aside:
        _heading(snapshot, track)


def suggested_weight(snapshot: Snapshot, tracks: int) -> float:
    """Return the weight learned for histories of that many tracks."""
    for segment in snapshot.rows("segments"):
        most = segment["max_tracks"]
        if segment["min_tracks"] <= tracks and (most is None or tracks <= most):
            return float(segment["weight"])
    return 0.5


def suggestions(snapshot: Snapshot) -> Callable[[str], list[dict[str, Any]]]:
    """Return the function that fills the search box."""
    return lambda text: snapshot.rows("search", text=text, k=SUGGESTIONS)


@st.fragment
def _search(snapshot: Snapshot) -> None:
    picked = finder(
        "finder", "Find a song", "Song or artist; typos are fine", suggestions(follow(snapshot))
    )
    if picked:
        address.open_track(picked)


def _popular(snapshot: Snapshot) -> None:
    chosen = MOST_PLAYED
    if _rises(snapshot.release_id, snapshot):
        chosen = str(st.segmented_control(
            "Start from", [MOST_PLAYED, RISING], default=MOST_PLAYED, key="start",
            label_visibility="collapsed", required=True,
        ))  # fmt: skip
    else:
        st.subheader(MOST_PLAYED, anchor=False)
    st.caption(
        "Pick a song or search for one. Then move the slider between songs that sound alike and "
        "songs that the same people play."
    )
    asked = Question("trending" if chosen == RISING else "popular", {"k": POPULAR})
    plain_list(
        snapshot,
        PlainList(
            "popular", f"{chosen} tracks", asked, chosen,
            empty="No track of this catalogue has any plays.",
            download="Download as CSV", file=chosen.lower().replace(" ", "-"),
        ),
    )  # fmt: skip


@st.cache_data(max_entries=4, show_spinner=False)
def _rises(release_id: str, _snapshot: Snapshot) -> bool:  # noqa: ARG001 - the key
    """Return whether any track wins listeners beyond its usual level."""
    return has_macro(_snapshot, "trending") and bool(_snapshot.rows("trending", k=1))


def _heading(snapshot: Snapshot, track: Track) -> None:
    listeners = "None yet" if track["is_cold"] else f"{track['listeners']:,}"
    facts = [("Listeners", listeners), ("Plays", f"{track['plays']:,}")]
    facts += [
        (label, str(track[field]))
        for label, field in (("Genre", "genre"), ("Year", "year"))
        if track[field] is not None
    ]
    followed = card(
        "track",
        title(track),
        subtitle=track["artist"] or "",
        links=artist_links(snapshot, track["track_id"]),
        text="No plays yet: recommended by content only." if track["is_cold"] else "",
        facts=[*facts, ("Track id", track["track_id"])],
        chips=tag_chips(snapshot, track["tags"] or []),
        preview=web_address(track["preview"]),
        cover=track["cover"],
        sound=sound(snapshot, "track", track["track_id"]),
        pressed=partial(toggle_tag, "track"),
    )
    if followed:
        address.open_artist(followed)
