"""Listener: a listener of the release, or a new one with a few liked songs."""

from collections import Counter
from statistics import median_low
from typing import Any

import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from warehouse.explorer import address
from warehouse.explorer.components import (
    Chip,
    card,
    chip_of,
    finder,
    notice,
    removable_chips,
    short,
)
from warehouse.explorer.discover import suggested_weight, suggestions
from warehouse.explorer.downloads import download
from warehouse.explorer.expander import expander
from warehouse.explorer.layout import beside
from warehouse.explorer.list_panel import list_panel
from warehouse.explorer.lists import Subject, known_tracks
from warehouse.explorer.reasons import title
from warehouse.explorer.snapshot import Snapshot, follow
from warehouse.explorer.sound import sound

GLANCE = 3
"""Artists and genres named."""
KNOWN, NEW = "Known listener", "New listener"
CHOSEN = "liked-chips"


def listener(snapshot: Snapshot) -> None:
    """Show the view."""
    kind = st.segmented_control(
        "Who", [KNOWN, NEW], default=NEW if address.texts("liked") else KNOWN, key="kind",
        label_visibility="collapsed", required=True,
    )  # fmt: skip
    if kind == NEW:
        _new(snapshot)
    else:
        _known(snapshot)


def _known(snapshot: Snapshot) -> None:
    chosen = str(st.session_state.get("user") or address.text("user") or "").strip()
    with st.expander("Choose another listener") if chosen else st.container():
        _pick(snapshot)
    user_id = address.text("user") or ""
    if not user_id.strip():
        notice(
            "no-listener",
            "Choose a listener",
            "Paste a listener id, or pick a random listener by length of history.",
        )
        return
    found = snapshot.row("listener", user_id=user_id)
    if found is None and user_id != user_id.strip():  # pasted with surrounding spaces
        user_id = user_id.strip()
        found = snapshot.row("listener", user_id=user_id)
    if found is None:
        notice(
            "unknown-listener",
            "No such listener in this release",
            f"“{user_id}” has no plays. Unknown listeners get the most popular tracks:",
        )
        subject = Subject("recommended", user_id, is_unknown=True)
        list_panel(snapshot, subject, suggested_weight(snapshot, 0))
        return
    aside, main = beside()
    with main:
        list_panel(snapshot, Subject("recommended", user_id), float(found["weight"]))
    with aside:
        _about(snapshot, user_id, found)


def _about(snapshot: Snapshot, user_id: str, found: dict[str, Any]) -> None:
    history = snapshot.rows("history", user_id=user_id)
    card(
        "listener",
        f"Listener {user_id}",
        facts=[
            ("Tracks played", f"{found['tracks_played']:,}"),
            ("Plays", f"{found['plays']:,}"),
            ("Segment", f"{found['segment']} tracks"),
            ("Suggested weight", f"{round(100 * found['weight'])} % collaborative"),
            *glance(history),
        ],
        sound=sound(snapshot, "listener", user_id),
    )
    _history(snapshot, user_id, found["tracks_played"])


def glance(history: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return the artists and genres played most, and the years of the tracks, as facts."""
    facts = []
    for label, field in (("Artists played most", "artist"), ("Genres played most", "genre")):
        plays: Counter[str] = Counter()
        for row in history:
            if row[field] is not None:
                plays[row[field]] += row["plays"]
        most = sorted(plays.items(), key=lambda pair: (-pair[1], pair[0]))[:GLANCE]
        if most:
            facts.append((label, ", ".join(f"{short(name)} ({n:,})" for name, n in most)))
    years = sorted(row["year"] for row in history if row["year"] is not None)
    if years:
        middle = int(median_low(years))
        facts.append(("Years", f"{years[0]} to {years[-1]}, half of them by {middle}"))
    return facts


def _pick(snapshot: Snapshot) -> None:
    st.text_input("Listener id", key="user", placeholder="Paste a listener id", bind="query-params")
    segments = [s for s in snapshot.rows("segments") if s["users"] and s["min_tracks"] > 0]
    with st.container(horizontal=True, gap="small"):
        for segment in segments:
            st.button(
                f"Random listener with {_tracks(segment['min_tracks'], segment['max_tracks'])}",
                key=f"random-{segment['min_tracks']}",
                on_click=_pick_random,
                args=(snapshot, segment["segment"]),
            )


def _tracks(fewest: int, most: int | None) -> str:
    if most is None:
        return f"{fewest} tracks or more"
    return f"{fewest}\N{EN DASH}{most} tracks" if most > fewest else f"{fewest} track"


def _pick_random(snapshot: Snapshot, segment: str) -> None:
    found = follow(snapshot).row("random_listener", segment=segment)
    if found is not None:
        st.session_state["user"] = found["user_id"]
        st.session_state["why"] = None


def _history(snapshot: Snapshot, user_id: str, tracks: int) -> None:
    def content(snapshot: Snapshot) -> None:
        table = snapshot.table("history", user_id=user_id)
        st.dataframe(
            table,
            hide_index=True,
            height=min(320, 36 * (tracks + 1)),
            column_config={"track_id": "Track id", "name": "Song", "artist": "Artist",
                           "plays": "Plays", "genre": "Genre", "year": _plain_number("Year")},
        )  # fmt: skip
        download("Download the history as CSV", "history", lambda: table)

    expander(snapshot, f"history-{user_id}", f"History: {tracks:,} tracks", content)


def _plain_number(label: str) -> ColumnConfig:
    return st.column_config.NumberColumn(label, format="plain")


def _new(snapshot: Snapshot) -> None:
    liked = address.texts("liked")
    tracks = known_tracks(snapshot, liked)
    _add(snapshot, liked)
    chosen = [track_id for track_id in liked if track_id in tracks]
    if liked != chosen:
        notice("unknown-liked", "Some of these songs are not in this release",
               f"{len(liked) - len(chosen)} of {len(liked)} are ignored.")  # fmt: skip
    aside, main = beside()
    with main:
        subject = Subject("liked", chosen, is_unknown=not chosen)
        list_panel(snapshot, subject, suggested_weight(snapshot, len(chosen)))
    with aside:
        card(
            "liked",
            "A new listener" if chosen else "Which songs does the new listener like?",
            text=""
            if chosen
            else "Add one or more: the list updates at once, without any "
            "training. Until then it shows the most popular tracks.",
        )
        if chosen:
            chips = [Chip(name, _named(tracks[name])) for name in chosen]
            removable_chips(CHOSEN, "Songs that the new listener likes", chips, _unlike)


def _unlike() -> None:
    removed = chip_of(CHOSEN, "removed")
    address.put("liked", [name for name in address.texts("liked") if name != removed])


def _named(track: dict[str, object]) -> str:
    return f"{title(track)} · {track['artist']}" if track["artist"] else title(track)


@st.fragment
def _add(snapshot: Snapshot, liked: list[str]) -> None:
    picked = finder(
        "liked-finder", "Songs this listener likes", "Add a song", suggestions(follow(snapshot))
    )
    if picked and picked not in liked:
        address.put("liked", [*liked, picked])
        st.rerun()
