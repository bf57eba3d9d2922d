"""Whose lists stay the same between two ingests: those who did nothing new."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tasks.blend.earlier import KEY
from tasks.blend.model import track_of_played
from tasks.lake.record import StageResult

TIMES = ("first_at", "last_at")


def unchanged_listeners(
    before: StageResult,
    now: StageResult,
    keys_now: NDArray[np.int32],
    is_touched: NDArray[np.bool_],
    longest: int,
) -> pa.Table:
    """Return for each listener of today the `user_key` before, -1 if anything is different.

    Compared are the tracks, plays and times of every listen. Whoever dislikes something, then or
    now, counts as different, and so does whoever played one of the touched tracks, or more than
    ``longest``. ``keys_now`` are today's keys of the tracks before, -1 for those that were removed.
    """
    ids_before, ids_now = (one["users"].read(["user_id"])["user_id"] for one in (before, now))
    found = pc.index_in(ids_now, value_set=ids_before.combine_chunks())
    keys = found.fill_null(-1).to_numpy().astype(np.int32)
    starts_before, listens_before = _listens(before)
    listens_before["track"] = keys_now[listens_before["track"]].astype(np.int64)
    starts_now, listens_now = _listens(now)
    lengths = np.diff(starts_now)
    is_known = (keys >= 0) & (lengths <= longest)
    is_known[is_known] = np.diff(starts_before)[keys[is_known]] == lengths[is_known]
    keys[~is_known] = -1
    # Of every listen of today by a known listener the one at the same place of the history before.
    rows = np.flatnonzero(np.repeat(is_known, lengths))
    shift = np.repeat((starts_before[keys] - starts_now[:-1])[is_known], lengths[is_known])
    differs = is_touched[listens_now["track"][rows]]
    for name, column in listens_now.items():
        differs |= column[rows] != listens_before[name][rows + shift]
    owner = np.repeat(np.flatnonzero(is_known), lengths[is_known])
    keys[owner[differs]] = -1
    keys[now["dislikes"].read(["user_key"])["user_key"].to_numpy()] = -1
    disliking = before["dislikes"].read(["user_key"])["user_key"].to_numpy()
    keys[np.isin(keys, disliking)] = -1
    return pa.table({KEY: keys})


def _listens(ingested: StageResult) -> tuple[NDArray[np.int64], dict[str, NDArray[np.int64]]]:
    """Return where the listens of each listener begin, and their columns, tracks by `track_key`."""
    tracks = ingested["tracks"].read(["track_key", "played_key"])
    listens = ingested["interactions"].read()
    users = ingested["users"].rows
    starts = np.searchsorted(listens["user_key"].to_numpy(), np.arange(users + 1))
    columns = {
        "track": track_of_played(tracks)[listens["played_key"].to_numpy()],
        "plays": listens["plays"].to_numpy(),
    }
    for name in TIMES:
        if name in listens.column_names:
            columns[name] = listens[name].cast(pa.int64()).fill_null(-1).to_numpy()
    return starts.astype(np.int64), columns
