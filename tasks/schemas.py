"""The Arrow schemas of the lake's datasets; names, types and meaning are in `tasks.contracts`.

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

from tasks.contracts import lake
from tasks.contracts.lake import WEIGHT_SCALE

__all__ = ["WEIGHT_SCALE"]

TRACKS = lake.TRACKS.schema
"""Contract columns that exist for every catalogue (empty where the input lacks them), sorted by
track_key. Feature columns follow, see `tracks_schema`."""

USERS = lake.USERS.schema
"""Every listener with at least one accepted play of a catalogue track. Sorted by user_key."""

INTERACTIONS = lake.INTERACTIONS.schema
"""One row per listener and track. Sorted by user_key, played_key."""

REJECTED_ROWS = lake.REJECTED_ROWS.schema
DATA_QUALITY = lake.DATA_QUALITY.schema
HELD_OUT = lake.HELD_OUT.schema

EDGES = lake.WEIGHTS.schema
"""A neighbour table: having ``source`` in the history speaks for ``target`` by ``weight``.

Weights are whole numbers (`WEIGHT_SCALE`), so that sums are exact in any order. Sorted by source,
target; no pair twice, none with itself, no zero weights.
"""

FEATURE_WEIGHTS = lake.FEATURE_WEIGHTS.schema
EVALUATION = lake.EVALUATION.schema
SEGMENT_CURVE = lake.SEGMENT_CURVE.schema
SEGMENTS = lake.SEGMENTS.schema
LISTENERS = lake.LISTENERS.schema

CATALOGUE = lake.CATALOGUE.schema
"""What the blend knows of each track beside TRACKS. Sorted by track_key."""

LISTENER_LISTS = lake.LISTENER_LISTS.schema
"""One row per listener, in user_key order: the history and the ranked list."""

SIMILAR_LISTS = lake.SIMILAR_LISTS.schema
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


EXPOSURES = pa.schema(
    [
        pa.field("exposure", pa.uint64(), nullable=False),  # hash of the exposure id
        pa.field("user", pa.uint64(), nullable=False),  # hash of the user id
        pa.field("track_id", pa.string(), nullable=False),
        pa.field("rank", pa.int32(), nullable=False),
        pa.field("experiment", pa.string()),  # null: outside of any experiment
        pa.field("variant", pa.string()),
        pa.field("occurred", pa.timestamp("us"), nullable=False),  # UTC
    ]
)
"""What was shown to whom, one row per exposure id of a file. Ids are joined on, never shown, so
their hash is kept; DuckDB's version is part of the key under which it lies in the lake."""

EVENTS = pa.schema(
    [
        pa.field("exposure", pa.uint64()),  # null: an event of a listener, not of an exposure
        pa.field("user", pa.uint64()),
        pa.field("kind", pa.string(), nullable=False),  # tasks.feedback.kinds.EVENT_KINDS
        pa.field("occurred", pa.timestamp("us"), nullable=False),  # UTC
        pa.field("value", pa.float64()),  # seconds, for plays
    ]
)
"""What listeners did, no row twice within a file; exposure, user or both are there."""

EXPERIMENT_RESULTS = pa.schema(
    [
        pa.field("experiment", pa.string(), nullable=False),
        pa.field("variant", pa.string(), nullable=False),
        pa.field("segment", pa.string(), nullable=False),
        pa.field("metric", pa.string(), nullable=False),
        pa.field("users", pa.int64(), nullable=False),
        pa.field("exposures", pa.int64(), nullable=False),
        pa.field("value", pa.float64()),
        pa.field("lift", pa.float64()),
        pa.field("ci_low", pa.float64()),
        pa.field("ci_high", pa.float64()),
        pa.field("p_value", pa.float64()),
        pa.field("note", pa.string(), nullable=False),
    ]
)
"""One row per experiment, variant, segment and metric. Nulls: withheld, or not to be had."""

MEASURED_WEIGHTS = pa.schema(
    [
        pa.field("segment", pa.string(), nullable=False),
        pa.field("experiment", pa.string(), nullable=False),
        pa.field("offline_weight", pa.float64(), nullable=False),
        pa.field("measured_weight", pa.float64()),  # null: none is measurably best
        pa.field("metric", pa.string(), nullable=False),
        pa.field("lift", pa.float64()),
        pa.field("ci_low", pa.float64()),
        pa.field("ci_high", pa.float64()),
        pa.field("note", pa.string(), nullable=False),
    ]
)
"""One row per segment and experiment about weights."""

CLICK_RATES = pa.schema(
    [
        pa.field("segment", pa.string(), nullable=False),
        pa.field("track_id", pa.string(), nullable=False),
        pa.field("exposures", pa.int64(), nullable=False),
        pa.field("clicks", pa.int64(), nullable=False),
        pa.field("corrected_click_rate", pa.float64(), nullable=False),
    ]
)
"""One row per segment ('all' among them) and track with enough exposures."""

POSITION_BIAS = pa.schema(
    [
        pa.field("rank", pa.int32(), nullable=False),
        pa.field("exposures", pa.int64(), nullable=False),
        pa.field("clicks", pa.int64(), nullable=False),
        pa.field("examination", pa.float64(), nullable=False),  # 1 at the first rank
    ]
)
"""One row per rank at which something was shown."""
