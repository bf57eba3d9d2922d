"""Rows of the track list that are artists."""

from typing import Any

import pyarrow as pa

from warehouse.explorer import address
from warehouse.explorer.components import short
from warehouse.explorer.lists import in_words, parts


def artist_rows(table: pa.Table, weight: float) -> list[dict[str, Any]]:
    """Return the rows of `similar_artists` or `recommend_artists` for the track list.

    ``weight`` splits the bar of the score. The id of a row is the artist's name.
    """
    return [_row(row, weight) for row in table.to_pylist()]


def _row(row: dict[str, Any], weight: float) -> dict[str, Any]:
    return {
        "rank": row["rank"],
        "track_id": row["artist"],
        "name": short(row["artist"]),
        "artist": "",
        "link": address.link(view="artist", artist=row["artist"]),
        "preview": None,
        "genre": short(row["artist"]),  # the colour of the tile
        "badge": "",
        "because": None,
        "reason": in_words(row["reason"]),
        "count": "",
        **parts(row, weight),
    }
