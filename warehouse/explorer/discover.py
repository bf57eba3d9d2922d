"""Discover: a song, and what is near it on either side of the crossfader."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from warehouse.explorer import address
from warehouse.explorer.components import card, finder, notice, tracklist
from warehouse.explorer.deck import deck
from warehouse.explorer.downloads import download
from warehouse.explorer.lists import Subject, known_tracks, lines, preview, tracks_of
from warehouse.explorer.reasons import Track, title
from warehouse.explorer.snapshot import Snapshot, follow

SUGGESTIONS = 8
POPULAR = 20


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
            "This release has no such track",
            f"Nothing is known as “{track_id}”. It may belong to another release; search for the "
            "song above, or start from one of these.",
        )
        _popular(snapshot)
        return
    _heading(track)
    deck(snapshot, Subject("similar", track_id), own_weight(snapshot, 1), "Suggested")


def own_weight(snapshot: Snapshot, tracks: int) -> float:
    """Return the weight learned for a history of that many tracks."""
    for segment in snapshot.rows("segments"):
        most = segment["max_tracks"]
        if segment["min_tracks"] <= tracks and (most is None or tracks <= most):
            return float(segment["weight"])
    return 0.5


def suggestions(snapshot: Snapshot) -> Callable[[str], list[dict[str, Any]]]:
    """Return the search behind the search box."""
    return lambda text: snapshot.rows("search", text=text, k=SUGGESTIONS)


@st.fragment
def _search(snapshot: Snapshot) -> None:
    picked = finder(
        "finder", "Find a song", "Song or artist, typos forgiven", suggestions(follow(snapshot))
    )
    if picked:
        address.open_track(picked)


def _popular(snapshot: Snapshot) -> None:
    st.subheader("Most played", anchor=False)
    st.caption(
        "Start from one of these, or search; then slide from what sounds alike to what the "
        "same people play."
    )
    table = snapshot.table("popular", k=POPULAR)
    data = {
        "label": "Most played tracks",
        "rows": lines(table, tracks_of(snapshot, table), 1.0, of_history=False),
        "token": snapshot.release_id,
        "action": "opened",
        "action_label": "Find alike",
        "explained": None,
        "empty": "This catalogue has no track that anybody played.",
    }
    result = tracklist("popular", data)
    if result.opened:
        address.open_track(str(result.opened))
    download("Download as CSV", "most-played", lambda: table)


def _heading(track: Track) -> None:
    listeners = "Nobody yet" if track["is_cold"] else f"{track['listeners']:,}"
    facts = [("Listeners", listeners), ("Plays", f"{track['plays']:,}")]
    facts += [
        (label, str(track[field]))
        for label, field in (("Genre", "genre"), ("Year", "year"))
        if track[field] is not None
    ]
    card(
        "track",
        title(track),
        subtitle=track["artist"] or "",
        text="Not played by anybody yet: content alone places it." if track["is_cold"] else "",
        facts=[*facts, ("Track id", track["track_id"])],
        chips=[(tag, tag) for tag in track["tags"] or []],
        preview=preview(track),
    )
