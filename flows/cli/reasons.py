"""Why a track is in a list, in words: its signals, the track that led to it, what they share."""

from collections.abc import Mapping, Sequence
from typing import Any

from warehouse.releases.reader import Reader

FILLERS = {
    "popular": "popular with all listeners",
    "same_artist": "more by an artist of the history",
    "catalogue": "from the rest of the catalogue",
}
"""What is said of a row without a track that led to it, by its `source`."""

SIGNALS = {
    "hybrid": "played by the same people and alike",
    "collaborative": "played by the same people",
    "content": "alike",
}
"""What the source of a row says."""

TAGS_SHOWN = 3


def reasons(rows: Sequence[Mapping[str, Any]], reader: Reader, did: str) -> list[str]:
    """Return a phrase for each row of a list macro.

    ``did`` is what was done with the tracks that the list is made from ("played", "liked"), empty
    for the neighbours of one track.
    """
    because = {row["because_track_id"] for row in rows if row["because_track_id"] is not None}
    ids = [*because, *(row["track_id"] for row in rows)]
    found = reader.rows(
        "SELECT track_id, name, artist, tags FROM tracks "
        "WHERE track_id IN (SELECT unnest(?::VARCHAR[]))",
        [ids],
    )
    tracks = {row["track_id"]: row for row in found}
    return [_reason(row, tracks, did) for row in rows]


def _reason(row: Mapping[str, Any], tracks: Mapping[str, Mapping[str, Any]], did: str) -> str:
    source, because = row["source"], tracks.get(row["because_track_id"] or "")
    if source not in SIGNALS or because is None:
        return str(FILLERS.get(source, SIGNALS.get(source, source)))
    shared = _shared(because, tracks.get(row["track_id"], {}))
    words = "; ".join(filter(None, (SIGNALS[source], shared)))
    return f"because you {did} {because['name'] or because['track_id']}: {words}" if did else words


def _shared(a: Mapping[str, Any], b: Mapping[str, Any]) -> str:
    """Return what two tracks have in common by their data; empty if nothing."""
    if a["artist"] and a["artist"] == b.get("artist"):
        return "same artist"
    tags = [tag for tag in a["tags"] or [] if tag in (b.get("tags") or [])]
    return "tags " + ", ".join(tags[:TAGS_SHOWN]) if tags else ""
