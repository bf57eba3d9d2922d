"""A ranked list for one subject (a track, a listener, liked songs), ready for the page."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from warehouse.explorer import address
from warehouse.explorer.as_sql import as_sql
from warehouse.explorer.components import short
from warehouse.explorer.covers import covers, web_address
from warehouse.explorer.filters import BEST_FIRST, ORDERS, Filters
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
    is_unknown: bool = False
    """Nothing is known of the listener, who gets the popular list at any weight."""

    @property
    def did(self) -> str:
        """What the listener did with the track that a reason names; empty for one track's list."""
        return {"recommended": "played", "liked": "chose"}.get(self.query, "")


@dataclass(frozen=True)
class Question:
    """What a list asks: a file of ``sql/`` and its values."""

    query: str
    values: dict[str, Any]

    def ask(self, snapshot: Snapshot) -> pa.Table:
        """Return the rows: ``k`` of them while that many tracks match the filters."""
        return snapshot.table(self.query, **self.values)

    @property
    def sql(self) -> str:
        """The same as text, to be run anywhere."""
        return as_sql(self.query, self.values)


def question(subject: Subject, k: int, weight: float | None, filters: Filters) -> Question:
    """Return the question for ``k`` rows at a weight (None: the suggested one)."""
    values: dict[str, Any] = {"subject": subject.of, "k": k, "weight": weight}
    if subject.query == "recommended":
        values["heard"] = subject.heard
    if filters:
        return Question(f"{subject.query}_filtered", values | filters.values())
    if filters.order != BEST_FIRST:
        return Question(f"{subject.query}_varied", values | ORDERS[filters.order])
    return Question(subject.query, values)


def known_tracks(snapshot: Snapshot, ids: Iterable[str | None]) -> dict[str, Track]:
    """Return the displayed columns of the given tracks, by id; unknown ids are left out."""
    wanted = sorted({name for name in ids if name is not None})
    pictures = covers(snapshot, wanted)
    return {
        row["track_id"]: row | {"cover": pictures.get(row["track_id"])}
        for row in snapshot.rows("tracks", ids=wanted)
    }


def tracks_of(snapshot: Snapshot, table: pa.Table) -> dict[str, Track]:
    """Return the displayed columns of a list's tracks and of the tracks in their reasons."""
    names = {"track_id", "because_track_id"} & set(table.column_names)
    return known_tracks(snapshot, (one for name in names for one in table[name].to_pylist()))


def display_rows(
    table: pa.Table, tracks: dict[str, Track], weight: float, did: str
) -> list[dict[str, Any]]:
    """Return the rows for the track list; ``weight`` splits the bar of the score.

    ``did`` is `Subject.did`.
    """
    return [_display_row(row, tracks, weight, did) for row in table.to_pylist()]


def _display_row(
    row: dict[str, Any], tracks: dict[str, Track], weight: float, did: str
) -> dict[str, Any]:
    track = tracks[row["track_id"]]
    played = "no listeners yet" if track["is_cold"] else f"{track['listeners']:,} listeners"
    if "plays" in row:
        played = f"{row['plays']:,} plays"
    line: dict[str, Any] = {
        "rank": row["rank"],
        "track_id": row["track_id"],
        "name": title(track),
        "artist": " · ".join(
            short(part) for part in (track["artist"], track["genre"], track["year"]) if part
        ),
        "link": address.link(track=row["track_id"]),
        "preview": web_address(track["preview"]),
        "cover": track["cover"],
        "genre": short(track["genre"] or ""),
        "badge": "unplayed" if track["is_cold"] else "",
        "because": row.get("because_track_id"),
        "reason": in_words(row["reason"]) if "reason" in row else reason(row, tracks, did, weight),
        "count": played,
        "score": None,
    }
    if row.get("collaborative_score") is not None:
        line |= parts(row, weight)
    return line


def in_words(text: str) -> dict[str, str]:
    """Return a reason that names no played track."""
    return {"before": short(text[:1].upper() + text[1:]), "track": "", "after": ""}


def parts(row: dict[str, Any], weight: float) -> dict[str, float]:
    """Return the score, its two parts, and their shares of it for its bar."""
    collaborative = weight * row["collaborative_score"]
    content = (1 - weight) * row["content_score"]
    blend = collaborative + content
    stretch = row["score"] / blend if blend > 0 else 0.0  # below 1 where the artist factor applied
    return {
        "score": row["score"],
        "collaborative_score": row["collaborative_score"],
        "content_score": row["content_score"],
        "collaborative_part": collaborative * stretch,
        "content_part": content * stretch,
    }
