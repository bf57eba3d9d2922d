"""A list of tracks or artists as the page shows it where nothing is explained or filtered."""

from dataclasses import dataclass

from warehouse.explorer import address
from warehouse.explorer.artist_rows import artist_rows
from warehouse.explorer.components import tracklist
from warehouse.explorer.downloads import download
from warehouse.explorer.fader import Position, is_at_rest
from warehouse.explorer.lists import Question, display_rows, tracks_of
from warehouse.explorer.snapshot import Snapshot

NO_SLIDER = Position(None, 1.0)
"""For a list that is the same at every weight."""


@dataclass(frozen=True)
class PlainList:
    """What is shown, and what it is called."""

    key: str
    label: str
    asked: Question
    subject: str
    """What the list is for: marks of moves begin anew with another one."""
    empty: str
    download: str
    file: str
    """Name of the downloaded file, without its ending."""
    whole: Question | None = None
    """What the download has, if that is more than the page."""
    did: str = ""
    """`Subject.did`."""
    has_artists: bool = False


def plain_list(snapshot: Snapshot, shown: PlainList, at: Position = NO_SLIDER) -> None:
    """Show the list; its names lead to the pages of tracks, or of artists."""
    table = shown.asked.ask(snapshot)
    rows = (
        artist_rows(table, at.shown)
        if shown.has_artists
        else display_rows(table, tracks_of(snapshot, table), at.shown, shown.did)
    )
    data = {
        "label": shown.label,
        "rows": rows,
        "token": f"{snapshot.release_id} {at.weight}",
        "subject": shown.subject,
        "settled": is_at_rest(),
        "action": None if shown.has_artists else "opened",
        "action_label": "Find similar",
        "explained": None,
        "empty": shown.empty,
        "sql": shown.asked.sql,
    }
    result = tracklist(shown.key, data)
    if result.opened:
        follow_to = address.open_artist if shown.has_artists else address.open_track
        follow_to(str(result.opened))
    whole = shown.whole
    download(shown.download, shown.file, lambda: table if whole is None else whole.ask(snapshot))
