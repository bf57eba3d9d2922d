"""The last word on each listener and track: played, or disliked and not to be recommended."""

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tasks.ingest.history import Plays
from tasks.ingest.times import NO_TIME

DAY = 86_400

_UNDATED = np.int64(2**32)
"""In place of a dislike's time that is not known: later than any play."""

_NONE = np.int64(-1)
"""In place of the time of a play or dislike that a pair does not have."""

_CODES = {"user_code": pa.int32(), "track_key": pa.int32()}


@dataclass(frozen=True)
class Settled:
    """A history in which each listener has either played or disliked a track."""

    plays: Plays
    """The plays that count."""
    dislikes: pa.Table
    """user_code, track_key, and last_at if the history has times: the dislikes in force, sorted."""
    dislike_rows: int = 0
    """Rows that were dislikes."""
    disliked_plays: int = 0
    """Rows that were plays of a track that the listener dislikes in the end."""
    lapsed: int = 0
    """Pairs of listener and track whose dislike has lapsed: neither played nor left out."""


def settle(plays: Plays, days: int | None = None) -> Settled:
    """Take the dislikes out of the history, and the plays that they overrule.

    The last row of a listener and track decides. Of the same second the dislike does; one without a
    time overrules every play, and a play without a time overrules none, so without times any
    dislike decides. A dislike lapses once the listener's newest play is ``days`` days after it.
    """
    rows = plays.rows
    timed = plays.are_timed
    user, track, count = (rows[name].to_numpy() for name in ("user_code", "track_key", "plays"))
    is_dislike = count == 0
    if not is_dislike.any():
        return Settled(plays, _table(np.empty(0, np.int32), np.empty(0, np.int32), timed))
    moment = rows["played_at"].to_numpy().astype(np.int64) if timed else np.zeros(len(user), int)
    begins = np.ones(len(user), np.bool_)
    begins[1:] = (user[1:] != user[:-1]) | (track[1:] != track[:-1])
    starts = np.flatnonzero(begins)
    dated = np.where(moment == NO_TIME, _UNDATED, moment)
    dislike_at = np.maximum.reduceat(np.where(is_dislike, dated, _NONE), starts)
    play_at = np.maximum.reduceat(np.where(is_dislike, _NONE, moment), starts)
    is_disliked = (dislike_at != _NONE) & (dislike_at >= play_at)
    in_force = is_disliked & ~_lapsed(user[starts], dislike_at, play_at, days)
    disliked_rows = is_disliked[np.cumsum(begins) - 1]
    at = starts[in_force]
    return Settled(
        replace(plays, rows=rows.filter(pa.array(~is_dislike & ~disliked_rows))),
        _table(user[at], track[at], timed, dislike_at[in_force]),
        int(np.count_nonzero(is_dislike)),
        int(np.count_nonzero(~is_dislike & disliked_rows)),
        int(np.count_nonzero(is_disliked & ~in_force)),
    )


def without_listeners(dislikes: pa.Table, plays: Plays, user_ids: pa.ChunkedArray) -> pa.Table:
    """Return the dislikes of all listeners but those named."""
    if not len(user_ids):
        return dislikes
    theirs = plays.user_ids.take(dislikes["user_code"])
    return dislikes.filter(pc.invert(pc.is_in(theirs, value_set=user_ids.combine_chunks())))


def _lapsed(
    user: NDArray[np.int32],
    dislike_at: NDArray[np.int64],
    play_at: NDArray[np.int64],
    days: int | None,
) -> NDArray[np.bool_]:
    """Tell which pairs' dislikes the newest play of their listener is ``days`` days after."""
    if days is None:
        return np.zeros(len(user), np.bool_)
    first = np.flatnonzero(np.diff(user, prepend=-1))
    newest = np.repeat(np.maximum.reduceat(play_at, first), np.diff(first, append=len(user)))
    return np.asarray(newest - dislike_at >= days * DAY)


def _table(
    user: NDArray[np.int32],
    track: NDArray[np.int32],
    timed: bool,
    at: NDArray[np.int64] | None = None,
) -> pa.Table:
    table = pa.table([user, track], schema=pa.schema(_CODES))
    if not timed:
        return table
    at = np.empty(0, np.int64) if at is None else at
    return table.append_column("last_at", pa.array(at, mask=at == _UNDATED).cast(pa.uint32()))
