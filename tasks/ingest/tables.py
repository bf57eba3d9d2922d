"""Put the keys on: from the catalogue and the ordered plays to the tables of the lake."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.dataset.spec import TracksSpec
from tasks.ingest.catalogue import Catalogue
from tasks.ingest.dislikes import Settled
from tasks.ingest.times import NO_TIME, Times, times_of
from tasks.lake.contracts.stages.ingest import (
    USERS,
    dislikes_schema,
    interactions_schema,
)

_BLOCK = 1 << 20
_MOST = np.iinfo(np.int32).max


@dataclass(frozen=True)
class Tables:
    """The tables of a dataset, see tasks.lake.contracts.stages.ingest."""

    tracks: pa.Table
    users: pa.Table
    interactions: pa.Table
    dislikes: pa.Table
    merged_duplicates: int
    """Play records that were added to another record of the same listener and track."""


def key_tables(catalogue: Catalogue, settled: Settled, spec: TracksSpec) -> Tables:
    """Sum duplicates, number played tracks and the listeners; the order of the ids stays."""
    plays, dislikes = settled.plays, settled.dislikes
    pairs = _pairs(plays.rows)
    duplicates = plays.rows.num_rows - len(pairs.user)
    begins = np.ones(len(pairs.user), np.bool_)  # of a listener's rows
    begins[1:] = pairs.user[1:] != pairs.user[:-1]
    starts = np.flatnonzero(begins)
    listening, disliking = pairs.user[starts], dislikes["user_code"].to_numpy()
    codes = np.union1d(listening, disliking) if len(disliking) else listening
    np.cumsum(begins, dtype=np.int32, out=pairs.user)
    pairs.user[:] -= 1
    if len(codes) > len(listening):  # some listeners have nothing but dislikes
        pairs.user[:] = np.searchsorted(codes, listening).astype(np.int32)[pairs.user]
    listeners, track_plays, user_plays = _totals(pairs, len(catalogue.ids), len(codes))
    played_key = np.cumsum(listeners > 0, dtype=np.int32) - np.int32(1)
    for block in _blocks(pairs):
        pairs.track[block] = played_key[pairs.track[block]]
    users = pa.table(
        {
            "user_key": np.arange(len(codes), dtype=np.int32),
            "user_id": plays.user_ids.take(pa.array(codes)),
            "tracks_played": np.bincount(pairs.user, minlength=len(codes)).astype(np.int32),
            "plays": user_plays,
        }
    )
    columns = {
        **{name: catalogue.tracks[name] for name in catalogue.tracks.column_names},
        "track_key": np.arange(len(listeners), dtype=np.int32),
        "listeners": listeners.astype(np.int32),
        "plays": track_plays,
        "played_key": pa.array(played_key, mask=listeners == 0),
    }
    schema = spec.lake_schema
    interactions: list[NDArray[np.int32] | pa.Array] = [pairs.user, pairs.track, pairs.plays]
    if (times := pairs.times) is not None:
        interactions += [_known(times.first), _known(times.last), times.records]
    return Tables(
        tracks=pa.table({name: columns[name] for name in schema.names}).cast(schema),
        users=users.cast(USERS.schema),
        interactions=pa.table(interactions, schema=interactions_schema(pairs.times is not None)),
        dislikes=pa.table(
            [
                pa.array(np.searchsorted(codes, disliking).astype(np.int32)),
                *dislikes.columns[1:],
            ],
            schema=dislikes_schema("last_at" in dislikes.column_names),
        ),
        merged_duplicates=duplicates,
    )


@dataclass(frozen=True)
class _Pairs:
    """One row per listener and track. The arrays are changed in place and a block at a time:
    at this size fresh memory costs more than arithmetic."""

    user: NDArray[np.int32]
    track: NDArray[np.int32]
    plays: NDArray[np.int32]
    times: "Times | None"


def _blocks(pairs: _Pairs) -> Iterator[slice]:
    for start in range(0, len(pairs.user), _BLOCK):
        yield slice(start, start + _BLOCK)


def _pairs(rows: pa.Table) -> _Pairs:
    """Sum the plays of equal pairs, which stand side by side."""
    user, track, plays = (_own(rows[name]) for name in ("user_code", "track_key", "plays"))
    first = np.ones(len(user), np.bool_)
    first[1:] = (user[1:] != user[:-1]) | (track[1:] != track[:-1])
    at = np.arange(0) if first.all() else np.flatnonzero(first)
    times = _times(rows, at)
    if not len(at):
        return _Pairs(user, track, plays, times)
    # A listener's plays of one track stay within int32; more would be nonsense anyway.
    total = np.minimum(np.add.reduceat(plays.astype(np.int64), at), _MOST)
    return _Pairs(user[at], track[at], total.astype(np.int32), times)


def _times(rows: pa.Table, starts: NDArray[np.int64]) -> Times | None:
    """Return first, last and number of the records of each pair, which begin at ``starts``.

    Without any, every row is a pair of its own. None: the history has no times.
    """
    if (times := times_of(rows)) is None:
        return None
    first, last, records = times
    if not len(starts):
        return Times(first, last, records)
    last = np.maximum.reduceat(last, starts)
    # NO_TIME becomes the largest number and no first time, unless there is no other.
    first = np.minimum.reduceat(first - np.uint32(NO_TIME + 1), starts) + np.uint32(NO_TIME + 1)
    return Times(first, last, np.add.reduceat(records, starts))


def _known(moments: NDArray[np.uint32]) -> pa.Array:
    """Return times with nulls for those that are not known."""
    unknown = moments == NO_TIME
    return pa.array(moments, mask=unknown if unknown.any() else None)


def _own(column: pa.ChunkedArray) -> NDArray[np.int32]:
    """Return the column as an array that may be changed."""
    array: NDArray[np.int32] = column.to_numpy()
    return array if array.flags.writeable else array.copy()


def _totals(
    pairs: _Pairs, tracks: int, users: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return listeners and plays of every track, and plays of every listener."""
    listeners = np.zeros(tracks, np.int64)
    # Whole numbers below 2^53, so these sums are exact.
    track_plays, user_plays = np.zeros(tracks), np.zeros(users)
    for block in _blocks(pairs):
        user, track, plays = pairs.user[block], pairs.track[block], pairs.plays[block]
        listeners += np.bincount(track, minlength=tracks)
        track_plays += np.bincount(track, weights=plays, minlength=tracks)
        sums = np.bincount(user - user[0], weights=plays)
        user_plays[user[0] : user[-1] + 1] += sums
    return listeners, track_plays.astype(np.int64), user_plays.astype(np.int64)
