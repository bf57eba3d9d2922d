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

from tasks.contracts import feedback, lake
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

EXPOSURES = feedback.EXPOSURES.schema
EVENTS = feedback.EVENTS.schema
EXPERIMENT_RESULTS = feedback.EXPERIMENT_RESULTS.schema
MEASURED_WEIGHTS = feedback.MEASURED_WEIGHTS.schema
CLICK_RATES = feedback.CLICK_RATES.schema
POSITION_BIAS = feedback.POSITION_BIAS.schema


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
