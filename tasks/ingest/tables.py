"""Put the keys on: from the catalogue and the ordered plays to tracks, users and interactions."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.dataset import TracksSpec
from tasks.ingest.catalogue import Catalogue
from tasks.ingest.history import Plays
from tasks.schemas import INTERACTIONS, USERS, tracks_schema

_MOST = np.iinfo(np.int32).max


@dataclass(frozen=True)
class Tables:
    """The three tables of a dataset, as tasks.schemas describes them."""

    tracks: pa.Table
    users: pa.Table
    interactions: pa.Table
    merged_duplicates: int
    """Play records that were added to another record of the same listener and track."""


def key_tables(catalogue: Catalogue, plays: Plays, spec: TracksSpec) -> Tables:
    """Sum duplicates and number what is really played; the order of the ids stays."""
    user = plays.rows["user_code"].to_numpy()
    track = plays.rows["track_key"].to_numpy()
    count = plays.rows["plays"].to_numpy()
    is_new = np.ones(len(user), np.bool_)  # of a pair other than the row before
    is_new[1:] = (user[1:] != user[:-1]) | (track[1:] != track[:-1])
    duplicates = len(user) - int(np.count_nonzero(is_new))
    if duplicates:
        at = np.flatnonzero(is_new)
        # A listener's plays of one track stay within int32; more would be nonsense anyway.
        count = np.minimum(np.add.reduceat(count.astype(np.int64), at), _MOST).astype(np.int32)
        user, track = user[at], track[at]
    begins = np.ones(len(user), np.bool_)
    begins[1:] = user[1:] != user[:-1]
    listeners = np.bincount(track, minlength=len(catalogue.ids))
    played_key = np.cumsum(listeners > 0, dtype=np.int32) - np.int32(1)
    interactions = pa.table(
        {
            "user_key": np.cumsum(begins, dtype=np.int32) - np.int32(1),
            "played_key": played_key[track],
            "plays": count,
        }
    )
    starts = np.flatnonzero(begins)
    columns = {
        **{name: catalogue.tracks[name] for name in catalogue.tracks.column_names},
        "track_key": np.arange(len(listeners), dtype=np.int32),
        "listeners": listeners.astype(np.int32),
        "plays": np.bincount(track, weights=count, minlength=len(listeners)).astype(np.int64),
        "played_key": pa.array(played_key, mask=listeners == 0),
    }
    schema = tracks_schema(spec.numeric, spec.categorical)
    return Tables(
        tracks=pa.table({name: columns[name] for name in schema.names}).cast(schema),
        users=_users(plays.user_ids.take(pa.array(user[starts])), starts, count),
        interactions=interactions.cast(INTERACTIONS),
        merged_duplicates=duplicates,
    )


def _users(ids: pa.ChunkedArray, starts: NDArray[np.intp], count: NDArray[np.int32]) -> pa.Table:
    """Make one row per listener; a listener's interactions begin at ``starts``."""
    rows = np.diff(np.append(starts, len(count)))
    plays = np.add.reduceat(count, starts, dtype=np.int64) if len(starts) else rows
    return pa.table(
        {
            "user_key": np.arange(len(starts), dtype=np.int32),
            "user_id": ids,
            "tracks_played": rows.astype(np.int32),
            "plays": plays,
        }
    ).cast(USERS)
