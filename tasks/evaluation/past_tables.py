"""The tables of ingest as they would have been at a cut, and what was played first after it."""

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.evaluation.cut import FirstPlays
from tasks.evaluation.parameters import EvaluationParameters
from tasks.holdout.hashing import Hashes, id_hashes, mixed
from tasks.lake.contracts.stages.holdout import HELD_OUT
from tasks.lake.contracts.stages.ingest import INTERACTIONS, USERS
from tasks.lake.contracts.stages.past import ASKED, POPULARITY

RECENT_DAYS = 91
"""Days before the cut whose new listeners are the popularity of the last months."""

_SAMPLED, _KEPT, _ASKED = 2_000, 2_001, 2_002
"""Streams of hashes: who is in a sample, which unplayed tracks are in it, who is asked."""


@dataclass(frozen=True)
class Listeners:
    """The listeners of ingest; arrays have one entry per user key."""

    ids: pa.Array
    hashes: Hashes
    is_held_out: NDArray[np.bool_]
    share: float
    """Share of them, and of the tracks that these have not played, that is looked at."""

    @classmethod
    def of(cls, ids: pa.Array, held_out: NDArray[np.integer], share: float, seed: int) -> Self:
        """Take ids in key order and the held-out keys."""
        is_held_out = np.zeros(len(ids), np.bool_)
        is_held_out[held_out] = True
        return cls(ids, id_hashes(ids, seed), is_held_out, share)

    @property
    def is_sampled(self) -> NDArray[np.bool_]:
        """Who is looked at."""
        return _drawn(self.hashes, _SAMPLED, self.share)


class _Listens(NamedTuple):
    """Pairs of listener and track, in keys of the past, sorted by listener."""

    user: NDArray[np.int32]
    track: NDArray[np.int32]
    day: NDArray[np.int32]
    """Of the first play; 0: it is after the cut."""


def past_tables(
    tracks: pa.Table,
    listeners: Listeners,
    plays: FirstPlays,
    cut: int,
    parameters: EvaluationParameters,
) -> dict[str, pa.Table]:
    """Return the datasets of the past stage for a cut at the beginning of a day.

    ``tracks`` is `TRACKS` of ingest, ``plays`` are those of the sampled listeners in its keys. A
    track is there if it was played before the cut, or else if its id is drawn. A listener is there
    who played before the cut.
    """
    before, after = plays.until(cut), plays.since(cut)
    track_of = np.flatnonzero(tracks["played_key"].is_valid().to_numpy())
    listened = np.bincount(track_of[before.played], minlength=len(tracks))
    drawn = _drawn(id_hashes(tracks["track_id"], parameters.seed), _KEPT, listeners.share)
    is_kept = (listened > 0) | drawn
    is_there = np.bincount(before.user, minlength=len(listeners.ids)) > 0
    new_track, new_user = _renumbered(is_kept)[track_of], _renumbered(is_there)
    history = _Listens(new_user[before.user], new_track[before.played], before.day)
    user, track = new_user[after.user], new_track[after.played]
    can_be_found = (user >= 0) & (track >= 0)
    user, track = user[can_be_found], track[can_be_found]
    targets = _Listens(user, track, np.zeros(len(user), np.int32))
    ids, hashes = listeners.ids.filter(pa.array(is_there)), listeners.hashes[is_there]
    is_held_out = listeners.is_held_out[is_there]
    listened = listened[is_kept]
    size = np.bincount(history.user, minlength=len(ids))
    played = _renumbered(listened > 0)[history.track]
    is_seen = ~is_held_out[history.user]
    is_recent = is_seen & (before.day >= cut - RECENT_DAYS)
    of_track = [
        np.bincount(history.track[some], minlength=len(listened)) for some in (is_seen, is_recent)
    ]
    return {
        "tracks": _tracks_as_listened(tracks.filter(pa.array(is_kept)), listened),
        "users": _table(USERS.schema, np.arange(len(ids)), ids, size, size),
        "interactions": _table(INTERACTIONS.schema, history.user, played, np.ones(len(played))),
        "held_out": _table(HELD_OUT.schema, np.flatnonzero(is_held_out)),
        "popularity": _table(POPULARITY.schema, np.arange(len(listened)), *of_track),
        "asked": _asked(ids, hashes, is_held_out, history, targets, parameters.temporal_asked),
    }


def _drawn(hashes: Hashes, stream: int, share: float) -> NDArray[np.bool_]:
    """Tell which ids are among a share of all."""
    if share >= 1:
        return np.ones(len(hashes), np.bool_)
    return np.asarray(mixed(hashes, stream=stream) / 2.0**64 < share)


def _renumbered(is_kept: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Return the new key of every old one, -1 for what is not kept."""
    return np.where(is_kept, np.cumsum(is_kept) - 1, -1).astype(np.int32)


def _table(schema: pa.Schema, *columns: NDArray[np.generic] | pa.Array) -> pa.Table:
    """Return a table of the columns, cast to the types of the schema."""
    pairs = zip(columns, schema, strict=True)
    return pa.table([pa.array(column).cast(field.type) for column, field in pairs], schema=schema)


def _tracks_as_listened(tracks: pa.Table, listened: NDArray[np.integer]) -> pa.Table:
    """Return the catalogue with these numbers of listeners, and new keys."""
    columns = {
        "track_key": np.arange(len(tracks)),
        "listeners": listened,
        "plays": listened,
        "played_key": pa.array(_renumbered(listened > 0), mask=listened == 0),
    }
    for name, column in columns.items():
        place = tracks.schema.get_field_index(name)
        field = tracks.schema.field(place)
        tracks = tracks.set_column(place, field, pa.array(column).cast(field.type))
    return tracks


def _asked(
    ids: pa.Array,
    hashes: Hashes,
    is_held_out: NDArray[np.bool_],
    history: _Listens,
    targets: _Listens,
    most: int,
) -> pa.Table:
    """Return `ASKED`: at most as many listeners whom the models have seen, and as many others."""
    wanted = np.bincount(targets.user, minlength=len(ids)) > 0
    is_asked = np.zeros(len(ids), np.bool_)
    for some in (wanted & is_held_out, wanted & ~is_held_out):
        keys = np.flatnonzero(some)
        order = np.argsort(mixed(hashes[keys], stream=_ASKED), kind="stable")
        is_asked[keys[order[:most]]] = True
    user, track, day = (np.concatenate(both) for both in zip(targets, history, strict=True))
    is_history = np.arange(len(user)) >= len(targets.user)
    order = np.lexsort((track, is_history, user))
    order = order[is_asked[user[order]]]
    sizes = np.bincount(user[order], minlength=len(ids))[is_asked]
    starts = pa.array(np.concatenate([[0], np.cumsum(sizes)]), pa.int32())
    return _table(
        ASKED.schema,
        np.flatnonzero(is_asked),
        ids.filter(pa.array(is_asked)),
        hashes[is_asked],
        is_held_out[is_asked],
        *(pa.ListArray.from_arrays(starts, pa.array(of[order])) for of in (track, day)),
        np.bincount(targets.user, minlength=len(ids))[is_asked],
    )
