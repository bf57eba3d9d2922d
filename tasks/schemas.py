"""The one home of column names, keys and the Arrow schemas of every dataset in the lake.

Key spaces. Ids are byte-exact strings; everything computed uses dense int32 keys, given out in
byte order of the ids, so that "ties by id" and "ties by key" are the same order.

* ``track_key``: position of the track in the catalogue (`TRACKS`, row i has key i).
* ``played_key``: position among the catalogue's tracks that have listeners. The map from
  played_key to track_key is increasing. Collaborative data lives in this space, so that unplayed
  tracks coming or going do not change it.
* ``user_key``: position of the listener in `USERS` (row i has key i).
"""

from collections.abc import Iterable

import pyarrow as pa

# Contract columns that exist for every catalogue (empty where the input lacks them).
TRACKS = pa.schema(
    [
        pa.field("track_key", pa.int32(), nullable=False),
        pa.field("track_id", pa.string(), nullable=False),
        pa.field("name", pa.string()),
        pa.field("artist", pa.string()),
        pa.field("artist_key", pa.int32()),  # byte order of the distinct artists; null: no artist
        pa.field("tags", pa.list_(pa.string())),  # NFC, in the order of the file, no repeats
        pa.field("genre", pa.string()),
        pa.field("year", pa.int16()),
        pa.field("spotify_preview_url", pa.string()),
        pa.field("spotify_id", pa.string()),
        pa.field("listeners", pa.int32(), nullable=False),
        pa.field("plays", pa.int64(), nullable=False),
        pa.field("played_key", pa.int32()),  # null: nobody has played it (a cold track)
    ]
)
"""Sorted by track_key. Feature columns follow, see `tracks_schema`."""

USERS = pa.schema(
    [
        pa.field("user_key", pa.int32(), nullable=False),
        pa.field("user_id", pa.string(), nullable=False),
        pa.field("tracks_played", pa.int32(), nullable=False),
        pa.field("plays", pa.int64(), nullable=False),
    ]
)
"""Every listener with at least one accepted play of a catalogue track. Sorted by user_key."""

INTERACTIONS = pa.schema(
    [
        pa.field("user_key", pa.int32(), nullable=False),
        pa.field("played_key", pa.int32(), nullable=False),
        pa.field("plays", pa.int32(), nullable=False),
    ]
)
"""One row per listener and track. Sorted by user_key, played_key."""

REJECTED_ROWS = pa.schema(
    [
        pa.field("file", pa.string(), nullable=False),  # file name, as given
        pa.field("record", pa.int64(), nullable=False),  # 1-based, the header is record 1 of a CSV
        pa.field("reason", pa.string(), nullable=False),
        pa.field("raw", pa.string(), nullable=False),  # undecodable bytes as \xNN
    ]
)

DATA_QUALITY = pa.schema(
    [
        pa.field("check_name", pa.string(), nullable=False),
        pa.field("severity", pa.string(), nullable=False),  # warn | stop
        pa.field("status", pa.string(), nullable=False),  # passed | failed | skipped
        pa.field("observed", pa.float64()),
        pa.field("expected", pa.string(), nullable=False),  # readable: "at most 0.01"
        pa.field("details", pa.string(), nullable=False),
    ]
)

EDGES = pa.schema(
    [
        pa.field("source", pa.int32(), nullable=False),
        pa.field("target", pa.int32(), nullable=False),
        pa.field("weight", pa.int16(), nullable=False),
    ]
)
"""A neighbour table: having ``source`` in the history speaks for ``target`` by ``weight``.

Weights are whole numbers (`WEIGHT_SCALE`), so that sums are exact in any order. Sorted by source,
target; no pair twice, none with itself, no zero weights.
"""

WEIGHT_SCALE = 20_000
"""int16 = round(weight × WEIGHT_SCALE): 5e-5 is the resolution, ±1.638 the range."""

FEATURE_WEIGHTS = pa.schema(
    [
        pa.field("feature", pa.string(), nullable=False),
        pa.field("weight", pa.float64(), nullable=False),
    ]
)

CATALOGUE = pa.schema(
    [
        pa.field("track_key", pa.int32(), nullable=False),
        pa.field("popularity", pa.float64(), nullable=False),  # pop(j) of docs/scoring.md
        pa.field("listener_rank", pa.int32(), nullable=False),  # 0: most listened, ties by key
    ]
)
"""What the blend knows of each track beside TRACKS. Sorted by track_key."""

_LISTS = [
    pa.field("tracks", pa.list_(pa.int32()), nullable=False),  # track keys in rank order
    pa.field("collaborative", pa.list_(pa.int16()), nullable=False),  # c' in ticks
    pa.field("content", pa.list_(pa.int16()), nullable=False),  # d in ticks
    pa.field("repeats", pa.list_(pa.int8()), nullable=False),  # exponent of the artist factor
    pa.field("source", pa.list_(pa.int8()), nullable=False),  # tasks.hybrid.kernel.Source
]

LISTENER_LISTS = pa.schema(
    [
        pa.field("user_id", pa.string(), nullable=False),
        pa.field("segment", pa.string(), nullable=False),
        pa.field("total_plays", pa.int64(), nullable=False),
        pa.field("history", pa.list_(pa.int32()), nullable=False),  # track keys, ascending
        pa.field("history_plays", pa.list_(pa.int32()), nullable=False),
        *_LISTS,
        pa.field("because", pa.list_(pa.int16()), nullable=False),  # position in history, -1: none
    ]
)
"""One row per listener, in user_key order: the history and the ranked list."""

SIMILAR_LISTS = pa.schema([pa.field("track_key", pa.int32(), nullable=False), *_LISTS])
"""One row per track, in track_key order: its ranked neighbours."""


def tracks_schema(numeric: Iterable[str], categorical: Iterable[str]) -> pa.Schema:
    """Return `TRACKS` followed by the declared feature columns it does not hold already.

    Numeric features are float64 and categorical ones strings; null means unknown.
    """
    schema = TRACKS
    for names, kind in ((numeric, pa.float64()), (categorical, pa.string())):
        for name in names:
            if name not in schema.names:
                schema = schema.append(pa.field(name, kind))
    return schema
