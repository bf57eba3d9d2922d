"""Sum exposures and events: by listener and day, and by track and rank."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.dataset.experiments import DAY, Experiment, naive
from tasks.experiments.activity import Activity, Listeners
from tasks.experiments.metrics import USERS, WAITS
from tasks.experiments.positions import Cells
from tasks.experiments.reach import Reach
from tasks.ingest.queries import files_literal, query
from tasks.lake.contracts.stages.experiments import FIRST_SEEN
from tasks.lake.contracts.stages.feedback import EVENTS, EXPOSURES

SQL = Path(__file__).parent / "sql"

LAST_RANK = 50
"""Ranks from here on are combined: they have few exposures."""

_BEFORE = "before_"


@dataclass(frozen=True)
class Seen:
    """The listeners of an experiment and what they did."""

    listeners: Listeners
    activity: Activity
    crossed: int
    """Listeners who are left out because they saw two variants."""
    first_seen: pa.Table
    """All of them, as `FIRST_SEEN`."""


def open_feedback(
    con: duckdb.DuckDBPyConnection,
    exposures: Sequence[Path],
    events: Sequence[Path],
    users: Path,
    segment_starts: Sequence[int],
    known: pa.Table,
) -> None:
    """Create the tables that the other functions sum.

    ``exposures`` and ``events`` are the lake's, ``users`` the ingest's, ``segment_starts`` the
    fewest tracks of every history segment, ascending, ``known`` is `FIRST_SEEN` of earlier runs.
    """
    con.execute("SET preserve_insertion_order = false")
    for name, files, schema in (
        ("exposures_given", exposures, EXPOSURES.schema), ("events_given", events, EVENTS.schema)
    ):  # fmt: skip
        if files:
            con.execute(f"CREATE TEMP VIEW {name} AS FROM read_parquet({files_literal(files)})")
        else:
            con.register(name, schema.empty_table())
    con.register("known_histories", known)
    con.execute("SET VARIABLE users = ?", [str(users)])
    con.execute("SET VARIABLE segment_starts = ?", [list(segment_starts)])
    for text in ("once", "as_of", "prepare"):
        con.execute(query(text, SQL))


def reach(con: duckdb.DuckDBPyConnection) -> Reach | None:
    """Return until when the feedback reaches; None without feedback."""
    as_of, events, strays = con.execute("FROM as_of").fetchall()[0]
    if as_of is None:
        return None
    clicks, plays = (
        np.timedelta64(seconds, "s")
        for seconds in con.execute("SELECT clicks, plays FROM delays").fetchall()[0]
    )
    delays = {"clicks": clicks, "plays": plays, "listener": np.timedelta64(0, "s")}
    done = None if events is None else np.datetime64(events, "us")
    return Reach(np.datetime64(as_of, "us"), done, delays, int(strays))


def seen_of(
    con: duckdb.DuckDBPyConnection, experiment: Experiment, until: Reach, days_before: int
) -> Seen:
    """Return an experiment's listeners and what they did."""
    start, stop = (_in_python(naive(moment)) for moment in (experiment.start, experiment.end))
    given = {
        "start": start,
        "stop": stop,
        "experiment": experiment.name,
        "variants": [variant.name for variant in experiment.variants],
    }
    found = _table(con, "listeners", before=start - timedelta(days=days_before), **given)
    crossed = found["crossed"].to_numpy(zero_copy_only=False)
    kept = found.filter(pa.array(~crossed)) if crossed.any() else found
    listeners = Listeners(
        variant=kept["variant"].to_numpy(),
        segment=kept["segment"].to_numpy(),
        first_at=kept["first_at"].to_numpy(),
        before={
            name: kept[name].to_numpy() for name in kept.column_names if name.startswith(_BEFORE)
        },
    )
    numbered = kept.select(["user", "first_at"]).append_column(
        "listener", pa.array(np.arange(len(kept)))
    )
    con.register("counted_listeners", numbered)
    done = _table(con, "activity", **given)
    con.unregister("counted_listeners")
    named = pa.array([experiment.name] * len(found), pa.string())
    first_seen = pa.table([named, found["user"], found["tracks_played"]], schema=FIRST_SEEN.schema)
    activity = by_reading(experiment, until, listeners, kept, done)
    return Seen(listeners, activity, int(crossed.sum()), first_seen)


def by_reading(
    experiment: Experiment, until: Reach, listeners: Listeners, kept: pa.Table, done: pa.Table
) -> Activity:
    """Return what was done in each reading: by day, on arrival, when due, on subscribing."""
    inside = len(experiment.looks())
    looks = experiment.looks(max(WAITS.values()))
    each = max(1, round(float((looks[0] - naive(experiment.start)) / DAY)))
    known = {
        name: done[name].to_numpy() for name in done.column_names if name not in ("listener", "day")
    }
    days = done["day"].to_numpy().astype(np.int64)
    everybody = np.arange(len(listeners.variant))
    ones = np.ones(len(everybody))
    parts = [(done["listener"].to_numpy(), np.minimum(days // each, inside - 1), known)]

    def add(moments: NDArray[np.datetime64], who: NDArray[Any], **values: Any) -> None:
        place = np.searchsorted(looks, moments[who])
        parts.append((everybody[who], place, {name: value[who] for name, value in values.items()}))

    add(listeners.first_at, everybody, **{USERS: ones})
    for day, wait in WAITS.items():
        due_at = listeners.first_at + wait * DAY
        is_due = np.zeros(len(ones), np.bool_) if until.events is None else due_at <= until.events
        returned = kept[f"returned_{day}"].to_numpy(zero_copy_only=False).astype(np.float64)
        add(due_at, is_due, **{f"due_{day}": ones, f"returned_{day}": returned})
    for name in ("subscribed", "cancelled"):
        moments = kept[f"{name}_at"].to_numpy()
        add(moments, ~np.isnat(moments), **{name: ones})
    return _sorted(parts)


def _sorted(
    parts: Sequence[tuple[NDArray[np.int64], NDArray[np.int64], Mapping[str, NDArray[np.float64]]]],
) -> Activity:
    """Join rows of listener, reading and columns; sort them by listener and reading."""
    listener, look = (np.concatenate([part[side] for part in parts]) for side in (0, 1))
    order = np.lexsort((look, listener))
    columns = {}
    for name in dict.fromkeys(name for _, _, values in parts for name in values):
        joined = [values.get(name, np.zeros(len(who))) for who, _, values in parts]
        columns[name] = np.concatenate(joined)[order]
    return Activity(listener[order], look[order], columns)


def cells_of(con: duckdb.DuckDBPyConnection) -> tuple[Cells, NDArray[np.int64], pa.ChunkedArray]:
    """Return exposures and clicks of every track, rank and segment.

    Also the segment of every cell, and the id of every track position. Ranks start at 0.
    """
    found = _table(con, "cells", last_rank=LAST_RANK)
    cells = Cells(
        track=found["track"].to_numpy(),
        rank=found["rank"].to_numpy().astype(np.int64) - 1,
        exposures=found["exposures"].to_numpy(),
        clicks=found["clicks"].to_numpy(),
    )
    first = np.flatnonzero(np.diff(cells.track, prepend=-1))
    return cells, found["segment"].to_numpy(), found["track_id"].take(pa.array(first))


def _table(con: duckdb.DuckDBPyConnection, name: str, **values: Any) -> pa.Table:
    """Run a query of ``sql/`` with its parameters bound."""
    text = (SQL / f"{name}.sql").read_text()
    return con.sql(text, params=values).to_arrow_table()


def _in_python(moment: np.datetime64) -> datetime:
    return moment.astype("datetime64[us]").astype(datetime)  # type: ignore[no-any-return]  # numpy says Any
