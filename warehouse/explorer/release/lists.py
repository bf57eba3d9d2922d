"""What changed in people's lists from one release to another: a sample of listeners."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import streamlit as st

from warehouse.explorer.components import Answer, Line, short
from warehouse.explorer.lists import known_tracks
from warehouse.explorer.reasons import title
from warehouse.explorer.snapshot import Snapshot
from warehouse.releases.difference import overlap_of

QUESTION = "What changed in people's lists?"
MOVERS = 3
"""Tracks named that entered or left most lists."""

SAME = 1e-9
"""An overlap this close to 1 is one of equal lists: it is a sum of fractions."""

Lists = dict[str, set[str]]


@dataclass(frozen=True)
class Mover:
    """A track, and the share of the lists that it entered or left."""

    name: str
    share: float


@dataclass(frozen=True)
class Change:
    """Lists of listeners that both releases have; shares are between 0 and 1."""

    listeners: int
    length: int
    """Tracks in the longest list."""
    shared: float
    average_overlap: float
    """As `shared`, but the top of a list counts most."""
    same_first: float
    entered: tuple[Mover, ...]
    left: tuple[Mover, ...]


@st.cache_data(max_entries=8, show_spinner=False)
def compare_lists(release_id: str, other_id: str, _snapshot: Snapshot, _other: Snapshot) -> Change:  # noqa: ARG001 - the key
    """Compare the lists of a fixed sample of listeners."""
    users = [row["user_id"] for row in _snapshot.rows("sampled_listeners")]
    new, old = _snapshot.table("lists", users=users), _other.table("lists", users=users)
    overlap = overlap_of(old, new)
    after, before = _sets(new), _sets(old)
    both = sorted(after.keys() & before.keys())
    entered = Counter(track for user in both for track in after[user] - before[user])
    left = Counter(track for user in both for track in before[user] - after[user])
    return Change(
        listeners=overlap["listeners"],
        length=max((len(after[user]) for user in both), default=0),
        shared=overlap["shared"] or 0.0,
        average_overlap=overlap["average_overlap"] or 0.0,
        same_first=overlap["same_first"] or 0.0,
        entered=_movers(entered, len(both), _snapshot),
        left=_movers(left, len(both), _other),
    )


def what_changed(change: Change | None) -> Answer:
    """Answer in one sentence; None: there is nothing to compare with."""
    if change is None:
        return Answer(QUESTION, "There is no other release to compare the lists with.")
    if not change.listeners:
        return Answer(QUESTION, "Unknown: the two releases have no listener in common.", "open")
    if change.average_overlap > 1 - SAME:
        sentence = "Nothing: all lists are the same."
    else:
        kept = change.length * change.shared
        sentence = (
            f"On average, {kept:.1f} of a list's {change.length} tracks are the same, and "
            f"{_share(change.same_first)} of people have the same first track."
        )
    lines = [Line("overlap, the top counting most", _share(change.average_overlap))]
    for word, movers in (("new", change.entered), ("gone", change.left)):
        lines += [Line(f"{word}: {one.name}", f"{_share(one.share)} of lists") for one in movers]
    more = (f"Compared: {change.listeners:,} listeners that both releases have.",)
    return Answer(QUESTION, sentence, "plain", more, tuple(lines))


def _share(share: float) -> str:
    return f"{100 * share:.0f} %"


def _sets(lists: pa.Table) -> Lists:
    found: Lists = {}
    for user, track in zip(
        lists["user_id"].to_pylist(), lists["track_id"].to_pylist(), strict=True
    ):
        found.setdefault(user, set()).add(track)
    return found


def _movers(counts: Counter[str], lists: int, names: Snapshot) -> tuple[Mover, ...]:
    """Return the tracks with the largest counts, ties by id; a single list is no movement."""
    most = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:MOVERS]
    tracks = known_tracks(names, [track for track, _ in most])
    return tuple(Mover(_named(tracks[track]), count / lists) for track, count in most if count > 1)


def _named(track: dict[str, Any]) -> str:
    return f"{title(track)}, {short(track['artist'])}" if track["artist"] else title(track)
