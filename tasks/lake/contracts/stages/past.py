"""The datasets of the past stage: the data as of a cut, and what was played first after it."""

import pyarrow as pa

from tasks.lake.contracts.contract import Column, Contract, StageContract
from tasks.lake.contracts.stages.holdout import HELD_OUT
from tasks.lake.contracts.stages.ingest import INTERACTIONS, TRACKS, USERS

POPULARITY = Contract(
    rows="track of the catalogue, in the order of `track_key`",
    key=("track_key",),
    columns=(
        Column("track_key", pa.int32(), "the track", 0),
        Column("listeners", pa.int32(), "listeners before the cut, held-out ones left out", 0),
        Column(
            "recent_listeners",
            pa.int32(),
            "of these, the ones who first played it in the last months before the cut",
            0,
        ),
    ),
)

ASKED = Contract(
    rows="listener with a history before the cut who played something new after it",
    key=("user_key",),
    ascending=("user_id",),
    columns=(
        Column("user_key", pa.int32(), "the listener", 0),
        Column("user_id", pa.string(), "the id, byte for byte"),
        Column("hash", pa.uint64(), "keyed hash of the id"),
        Column("is_held_out", pa.bool_(), "the models have seen none of the listener's plays"),
        Column("tracks", pa.list_(pa.int32()), "tracks to be found, then the history", 0),
        Column(
            "days",
            pa.list_(pa.int32()),
            "day of the first play of each, in days since 1970; 0 for what is to be found",
            0,
        ),
        Column("targets", pa.int64(), "how many of them are to be found", 1),
    ),
    parallel=(("tracks", "days"),),
)

STAGE = StageContract(
    "past",
    {
        "tracks": TRACKS,
        "users": USERS,
        "interactions": INTERACTIONS,
        "held_out": HELD_OUT,
        "popularity": POPULARITY,
        "asked": ASKED,
    },
)
