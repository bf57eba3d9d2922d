"""Put the keys on: from the catalogue and the ordered plays to tracks, users and interactions."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

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
    records = len(user)
    first = np.ones(records, np.bool_)
    first[1:] = (user[1:] != user[:-1]) | (track[1:] != track[:-1])
    if not first.all():
        at = np.flatnonzero(first)
        # A listener's plays of one track stay within int32; more would be nonsense anyway.
        count = np.minimum(np.add.reduceat(count.astype(np.int64), at), _MOST).astype(np.int32)
        user, track = user[at], track[at]
    listeners = np.bincount(track, minlength=len(catalogue.ids))
    played_key = np.cumsum(listeners > 0, dtype=np.int32) - 1
    tracks_played = np.bincount(user, minlength=len(plays.user_ids))
    is_listener = tracks_played > 0
    user_key = np.cumsum(is_listener, dtype=np.int32) - 1
    user_plays = np.bincount(user, weights=count, minlength=len(plays.user_ids))
    users = pa.table(
        {
            "user_key": np.arange(is_listener.sum(), dtype=np.int32),
            "user_id": plays.user_ids.filter(pa.array(is_listener)),
            "tracks_played": tracks_played[is_listener].astype(np.int32),
            "plays": user_plays[is_listener].astype(np.int64),
        }
    )
    interactions = pa.table(
        {"user_key": user_key[user], "played_key": played_key[track], "plays": count}
    )
    columns = {
        **{name: catalogue.tracks[name] for name in catalogue.tracks.column_names},
        "track_key": np.arange(len(listeners), dtype=np.int32),
        "listeners": listeners.astype(np.int32),
        "plays": np.bincount(track, weights=count, minlength=len(listeners)).astype(np.int64),
        "played_key": pa.array(played_key.astype(np.int32), mask=listeners == 0),
    }
    schema = tracks_schema(spec.numeric, spec.categorical)
    tracks = pa.table({name: columns[name] for name in schema.names})
    return Tables(
        tracks=tracks.cast(schema),
        users=users.cast(USERS),
        interactions=interactions.cast(INTERACTIONS),
        merged_duplicates=records - len(user),
    )
