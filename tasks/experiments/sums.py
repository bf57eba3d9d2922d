"""Sum exposures and events: by listener, and by track and rank."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.dataset.experiments import Experiment, naive
from tasks.experiments.positions import Cells
from tasks.experiments.results import Listeners
from tasks.ingest.queries import files_literal, query
from tasks.lake.contracts.stages.feedback import EVENTS, EXPOSURES

SQL = Path(__file__).parent / "sql"

LAST_RANK = 50
"""Ranks from here on are combined: they have few exposures."""

_NOT_SUMMED = ("variant", "crossed", "segment", "first_at")


def open_feedback(
    con: duckdb.DuckDBPyConnection,
    exposures: Sequence[Path],
    events: Sequence[Path],
    users: Path,
    segment_starts: Sequence[int],
) -> None:
    """Create the tables that the other functions sum.

    ``exposures`` and ``events`` are the lake's, ``users`` the ingest's, ``segment_starts`` the
    fewest tracks of every history segment, ascending.
    """
    con.execute("SET preserve_insertion_order = false")
    for name, files, schema in (
        ("exposures", exposures, EXPOSURES.schema), ("events", events, EVENTS.schema)
    ):  # fmt: skip
        if files:
            con.execute(f"CREATE TEMP VIEW {name} AS FROM read_parquet({files_literal(files)})")
        else:
            con.register(name, schema.empty_table())
    con.execute("SET VARIABLE users = ?", [str(users)])
    con.execute("SET VARIABLE segment_starts = ?", [list(segment_starts)])
    con.execute(query("prepare", SQL))


def latest_moment(con: duckdb.DuckDBPyConnection) -> np.datetime64 | None:
    """Return the time of the latest exposure or event (UTC); None without feedback."""
    moment = con.execute("SELECT as_of.occurred FROM as_of").fetchall()[0][0]
    return None if moment is None else np.datetime64(moment, "us")


def listeners_of(
    con: duckdb.DuckDBPyConnection,
    experiment: Experiment,
    as_of: np.datetime64,
    days_before: int,
) -> tuple[Listeners, int]:
    """Return an experiment's listeners, and how many are excluded because they saw two variants."""
    start, stop = (_in_python(naive(moment)) for moment in (experiment.start, experiment.end))
    found = _table(
        con,
        "listeners",
        start=start,
        stop=stop,
        before=start - timedelta(days=days_before),
        as_of=_in_python(as_of),
        experiment=experiment.name,
        variants=[variant.name for variant in experiment.variants],
    )
    crossed = found["crossed"].to_numpy(zero_copy_only=False)
    kept = found.filter(pa.array(~crossed)) if crossed.any() else found
    listeners = Listeners(
        variant=kept["variant"].to_numpy(),
        segment=kept["segment"].to_numpy(),
        first_at=kept["first_at"].to_numpy(),
        columns={
            name: kept[name].to_numpy() for name in kept.column_names if name not in _NOT_SUMMED
        },
    )
    return listeners, int(crossed.sum())


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
