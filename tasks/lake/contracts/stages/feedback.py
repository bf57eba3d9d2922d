"""The datasets that exposures and events are read into, one result per file."""

import pyarrow as pa

from tasks.lake.contracts.contract import Column, Contract, StageContract
from tasks.lake.contracts.quality import REJECTED_ROWS

EVENT_KINDS = ("click", "play", "skip", "save", "return", "subscribe", "cancel")
"""The words that an event's kind can be."""

_MOMENT = pa.timestamp("us")

EXPOSURES = Contract(
    rows="exposure of a file",
    key=("exposure",),
    is_sorted=False,
    columns=(
        Column("exposure", pa.uint64(), "hash of the exposure id"),
        Column("user", pa.uint64(), "hash of the listener's id"),
        Column("track_id", pa.string(), "the track shown"),
        Column("rank", pa.int32(), "its place in the list", 1),
        Column("experiment", pa.string(), "empty: outside of any", nullable=True),
        Column("variant", pa.string(), "the variant that was served", nullable=True),
        Column("occurred", _MOMENT, "when it was shown, UTC"),
    ),
)
"""Ids are joined on and never shown, so their hash is kept; it is DuckDB's own, whose version is
part of the key under which the file lies in the lake."""

EVENTS = Contract(
    rows="event of a file",
    key=("event", "exposure", "user", "kind", "occurred", "value"),
    columns=(
        Column("event", pa.uint64(), "hash of the event's own id", nullable=True),
        Column("exposure", pa.uint64(), "hash of the exposure id that it followed", nullable=True),
        Column("user", pa.uint64(), "hash of the listener's id", nullable=True),
        Column("kind", pa.string(), "what was done", one_of=EVENT_KINDS),
        Column("occurred", _MOMENT, "when, UTC"),
        Column("value", pa.float64(), "of plays the seconds listened", 0, nullable=True),
    ),
)

EXPOSURES_STAGE, EVENTS_STAGE = (
    StageContract(name, {"rows": rows, "rejected_rows": REJECTED_ROWS})
    for name, rows in (("exposures", EXPOSURES), ("events", EVENTS))
)
