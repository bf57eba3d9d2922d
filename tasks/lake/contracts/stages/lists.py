"""The datasets of the stage that ranks the lists."""

import pyarrow as pa

from tasks.lake.contracts.contract import Column, Contract, StageContract
from tasks.lake.contracts.edges import edges_contract
from warehouse.contract.constants import SOURCES, TICKS, WEIGHT_SCALE

_KEYS = pa.list_(pa.int32())

_SCORES = pa.list_(pa.int16())

_SMALL = pa.list_(pa.int8())

_DAYS = pa.list_(pa.uint16())

_STRENGTHS = pa.list_(pa.uint8())

STRENGTHS = "strengths"
"""Column of `LISTENER_LISTS` where the tracks of a history do not all count the same."""

LISTEN_DAYS = ("last_days", "first_days")
"""Columns of `LISTENER_LISTS` for each track of the history, where the history has times."""

CATALOGUE = Contract(
    rows="track of the catalogue",
    key=("track_key",),
    columns=(
        Column("track_key", pa.int32(), "the track", 0),
        Column("popularity", pa.float64(), "pop(j) of [scoring.md](scoring.md)", 0, 1),
        Column("listener_rank", pa.int32(), "0: the most listened; ties by key", 0),
    ),
)

_LIST = (
    Column("tracks", _KEYS, "track keys in rank order", 0),
    Column("collaborative", _SCORES, f"c', in units of 1/{TICKS}", 0, TICKS),
    Column("content", _SCORES, f"d, in units of 1/{TICKS}", 0, TICKS),
    Column("repeats", _SMALL, "exponent of the artist factor", 0),
    Column("source", _SMALL, f"which signals: {', '.join(SOURCES)}", 0, len(SOURCES) - 1),
)

_RANKED = tuple(column.name for column in _LIST)

LISTENER_LISTS = Contract(
    rows="listener, in the order of `users`",
    key=("user_id",),
    columns=(
        Column("user_id", pa.string(), "the id, byte for byte"),
        Column("segment", pa.string(), "history-length segment"),
        Column("total_plays", pa.int64(), "plays in all", 0),
        Column("history", _KEYS, "track keys, ascending", 0),
        Column("history_plays", _KEYS, "plays of each", 1),
        Column(
            "newest",
            pa.date32(),
            "day of the newest play (UTC); empty: no play has a time; with `plays.at`",
            nullable=True,
            optional=True,
        ),
        Column(
            "last_days",
            _DAYS,
            "days from the last play of each to the newest; an empty one: no play of it has a time",
            0,
            nullable=True,
            optional=True,
        ),
        Column(
            "first_days",
            _DAYS,
            "days from the first play of each to the newest, in the same way",
            0,
            nullable=True,
            optional=True,
        ),
        Column(
            STRENGTHS,
            _STRENGTHS,
            "how much each counts ([scoring.md](scoring.md)); where a half-life was chosen",
            1,
            optional=True,
        ),
        *_LIST,
        Column("because", _SCORES, "position in the history of the best reason; -1: none", -1),
    ),
    parallel=(("history", "history_plays", *LISTEN_DAYS, STRENGTHS), (*_RANKED, "because")),
    in_parts=True,
)

SIMILAR_LISTS = Contract(
    rows="track of the catalogue",
    key=("track_key",),
    columns=(Column("track_key", pa.int32(), "the track", 0), *_LIST),
    parallel=(_RANKED,),
    in_parts=True,
)

STAGE = StageContract(
    "lists",
    {
        "catalogue": CATALOGUE,
        "weights": edges_contract(
            "`track_key`", "learned weight, the largest being 1", -WEIGHT_SCALE
        ),
        "similarity": edges_contract("`track_key`", "cosine similarity", 1),
        "listeners": LISTENER_LISTS,
        "similar": SIMILAR_LISTS,
    },
)


def listener_lists_schema(timed: bool, strong: bool) -> pa.Schema:
    """Return the schema of `LISTENER_LISTS`, with the columns of times and strengths or without."""
    times = ("newest", *LISTEN_DAYS) if timed else ()
    return LISTENER_LISTS.schema_with(*times, *((STRENGTHS,) if strong else ()))
