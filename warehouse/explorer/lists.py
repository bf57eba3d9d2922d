"""A ranked list for one subject (a track, a listener, liked songs), ready for the page."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from warehouse.explorer import address
from warehouse.explorer.components import short
from warehouse.explorer.filters import Filters
from warehouse.explorer.reasons import Track, reason, title
from warehouse.explorer.snapshot import Snapshot


@dataclass(frozen=True)
class Subject:
    """The track, listener or liked tracks that a list is for."""

    query: str
    """File of ``sql/``: similar, recommended or liked; each has a ``_filtered`` counterpart."""
    of: str | list[str]
    """Track id, listener id or liked track ids."""
    heard: bool = False
    """Include tracks already played (only for a listener's list)."""

    @property
    def of_history(self) -> bool:
        """True if reasons name a played track."""
        return self.query != "similar"


def ranked(
    snapshot: Snapshot, subject: Subject, k: int, weight: float | None, filters: Filters
) -> pa.Table:
    """Return the rows of the macro: ``k`` of them while that many tracks match the filters."""
    values: dict[str, Any] = {"subject": subject.of, "k": k, "weight": weight}
    if subject.query == "recommended":
        values["heard"] = subject.heard
    if filters:
        return snapshot.table(f"{subject.query}_filtered", **values, **filters.values())
    return snapshot.table(subject.query, **values)


def known_tracks(snapshot: Snapshot, ids: Iterable[str | None]) -> dict[str, Track]:
    """Return the displayed columns of the given tracks, by id; unknown ids are left out."""
    wanted = sorted({name for name in ids if name is not None})
    return {row["track_id"]: row for row in snapshot.rows("tracks", ids=wanted)}


def tracks_of(snapshot: Snapshot, table: pa.Table) -> dict[str, Track]:
    """Return the displayed columns of a list's tracks and of the tracks in their reasons."""
    named = [*table["track_id"].to_pylist(), *table["because_track_id"].to_pylist()]
    return known_tracks(snapshot, named)


def display_rows(
    table: pa.Table, tracks: dict[str, Track], weight: float, of_history: bool
) -> list[dict[str, Any]]:
    """Return the rows for the track list; ``weight`` splits the bar of the score."""
    return [_display_row(row, tracks, weight, of_history) for row in table.to_pylist()]


def _display_row(
    row: dict[str, Any], tracks: dict[str, Track], weight: float, of_history: bool
) -> dict[str, Any]:
    track = tracks[row["track_id"]]
    played = "no listeners yet" if track["is_cold"] else f"{track['listeners']:,} listeners"
    line: dict[str, Any] = {
        "rank": row["rank"],
        "track_id": row["track_id"],
        "name": title(track),
        "artist": " · ".join(
            short(part) for part in (track["artist"], track["genre"], track["year"]) if part
        ),
        "link": address.link(track=row["track_id"]),
        "preview": preview(track),
        "badge": "unplayed" if track["is_cold"] else "",
        "because": row["because_track_id"],
        "reason": reason(row, tracks, of_history),
        "count": played,
        "score": row["score"],
    }
    if row["score"] is not None:
        line |= _parts(row, weight)
    return line


def _parts(row: dict[str, Any], weight: float) -> dict[str, float]:
    """Return both scores, and their shares of the blended score for its bar."""
    collaborative = weight * row["collaborative_score"]
    content = (1 - weight) * row["content_score"]
    blend = collaborative + content
    stretch = row["score"] / blend if blend > 0 else 0.0  # below 1 where the artist factor applied
    return {
        "collaborative_score": row["collaborative_score"],
        "content_score": row["content_score"],
        "collaborative_part": collaborative * stretch,
        "content_part": content * stretch,
    }


def preview(track: Track) -> str | None:
    """Return the track's preview if it is a web address."""
    url = str(track.get("preview") or "")
    return url if url.startswith(("https://", "http://")) else None
