"""Artist: the songs of one, and the artists close to it at any weight."""

from typing import Any

import streamlit as st

from warehouse.explorer import address
from warehouse.explorer.components import Link, card, notice
from warehouse.explorer.fader import fader
from warehouse.explorer.layout import beside
from warehouse.explorer.lists import Question
from warehouse.explorer.older import has_macro
from warehouse.explorer.plain_list import PlainList, plain_list
from warehouse.explorer.snapshot import Snapshot, follow

SONGS, ALL_SONGS = 10, 10_000
"""Songs on the page, and in the download."""
NEAR = 20
TAGS = 8


def artist(snapshot: Snapshot, suggested: float) -> None:
    """Show the view; ``suggested`` is the weight learned for one track."""
    name = address.text("artist") or ""
    if not has_macro(snapshot, "artist_tracks"):
        notice("no-artists", "This release is older than artist pages",
               "Go to the current release, or make one.", command="crossfade run")  # fmt: skip
        return
    found = snapshot.row("artist", artist=name)
    if found is None or not found["songs"]:
        notice("unknown-artist", "No such artist in this release",
               f"No track of this catalogue is by “{name}”.")  # fmt: skip
        return
    aside, main = beside()
    with aside:
        _about(found)
        st.header("Songs", anchor=False)
        _songs(snapshot, name)
    with main:
        st.header("Similar artists", anchor=False)  # h2, after the name as h1
        _near(snapshot, name, suggested)


def artist_links(snapshot: Snapshot, track_id: str) -> list[Link]:
    """Return a link to the page of each artist of a track; none on an older release."""
    if not has_macro(snapshot, "artist_tracks"):
        return []
    found = snapshot.row("artists_of", track_id=track_id) or {}
    return [
        Link(name, address.link(view="artist", artist=name)) for name in found.get("artists") or []
    ]


def _about(found: dict[str, Any]) -> None:
    facts = [("Songs", f"{found['songs']:,}")]
    if found["unplayed"]:
        facts.append(("Unplayed songs", f"{found['unplayed']:,}"))
    facts.append(("Plays", f"{found['plays']:,}"))
    if found["first_year"] is not None:
        first, last = int(found["first_year"]), int(found["last_year"])
        facts.append(("Years", str(first) if first == last else f"{first} to {last}"))
    for label, field in (("Genres", "genres"), ("Tags", "tags")):
        if found[field]:
            facts.append((label, ", ".join(found[field][:TAGS])))
    card("artist", found["name"], facts=facts)


def _songs(snapshot: Snapshot, name: str) -> None:
    def first(songs: int) -> Question:
        return Question("artist_tracks", {"artist": name, "k": songs})

    plain_list(
        snapshot,
        PlainList(
            "songs", "Songs, the best known and most typical first", first(SONGS), name, empty="",
            download="Download all songs as CSV", file="artist-tracks", whole=first(ALL_SONGS),
        ),
    )  # fmt: skip


@st.fragment
def _near(snapshot: Snapshot, name: str, suggested: float) -> None:
    snapshot = follow(snapshot)
    at = fader(suggested)
    asked = Question("similar_artists", {"artist": name, "k": NEAR, "weight": at.weight})
    plain_list(
        snapshot,
        PlainList(
            "near", "Artists, the closest first", asked, name,
            empty="No artist is close to this one.",
            download="Download the artists as CSV", file="similar-artists", has_artists=True,
        ),
        at,
    )  # fmt: skip
