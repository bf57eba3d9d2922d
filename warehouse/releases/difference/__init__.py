"""What changed from one release to the next: lists, coverage, quality."""

from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

from warehouse.contract.versions import SCHEMA_VERSION
from warehouse.releases.release import Release
from warehouse.statements import statement

SAMPLED_LISTENERS = 10_000
"""Listeners whose lists are compared; their mean overlap is then known to within a percent."""


@dataclass(frozen=True)
class Side:
    """One of the two releases, in figures."""

    release_id: str
    tracks: int
    listeners: int
    shown: int
    """Tracks that are in anybody's list."""
    quality: dict[str, float]
    """Metric (``ndcg@100``) → the hybrid's value over all held-out listeners."""

    @property
    def coverage(self) -> float:
        """Share of the catalogue that is shown to anyone."""
        return self.shown / self.tracks


@dataclass(frozen=True)
class Difference:
    """A release beside the one before it."""

    old: Side
    new: Side
    compared: int
    """Listeners whose lists were compared: those of a sample that both releases have."""
    average_overlap: float
    """Mean over depths 1 … k of the share of tracks that both lists have in common."""
    shared: float
    """Mean share of tracks that are in both lists."""
    same_first: float
    """Share of listeners whose first recommendation is the same."""


def compare_releases(old: Release, new: Release) -> Difference | None:
    """Compare two releases; None if they are of two contracts and cannot be compared."""
    if {old.manifest.schema_version, new.manifest.schema_version} != {SCHEMA_VERSION}:
        return None
    every = max(1, new.manifest.row_counts["users"] // SAMPLED_LISTENERS)
    before, old_lists = _read(old, every)
    after, new_lists = _read(new, every)
    overlap = overlap_of(old_lists, new_lists)
    return Difference(
        before,
        after,
        compared=overlap["listeners"],
        average_overlap=overlap["average_overlap"] or 0.0,
        shared=overlap["shared"] or 0.0,
        same_first=overlap["same_first"] or 0.0,
    )


def _read(release: Release, every: int) -> tuple[Side, pa.Table]:
    with duckdb.connect(str(release.database), read_only=True) as connection:
        reach = reach_of(connection)
        quality = connection.sql(
            "SELECT metric || '@' || k, value FROM evaluation "
            "WHERE model = 'hybrid' AND segment = 'all' ORDER BY ALL"
        ).fetchall()
        lists = connection.sql(
            statement(__name__, "lists"), params={"every": every}
        ).to_arrow_table()
    return Side(release.manifest.release_id, **reach, quality=dict(quality)), lists


def reach_of(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """Count a release's tracks and listeners, and the tracks in anybody's list."""
    return _row(connection, statement(__name__, "reach"))


def overlap_of(old_lists: pa.Table, new_lists: pa.Table) -> dict[str, Any]:
    """Compare lists (user_id, rank, track_id); see overlap.sql for what is returned."""
    with duckdb.connect() as connection:
        connection.register("old_lists", old_lists)
        connection.register("new_lists", new_lists)
        return _row(connection, statement(__name__, "overlap"))


def _row(
    connection: duckdb.DuckDBPyConnection, query: str, parameters: dict[str, Any] | None = None
) -> dict[str, Any]:
    row: dict[str, Any] = (
        connection.sql(query, params=parameters or {}).to_arrow_table().to_pylist()[0]
    )
    return row
