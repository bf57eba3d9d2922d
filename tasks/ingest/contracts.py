"""What the tables of the lake promise beyond their types, held at every run.

Names, types and what may be empty are in `tasks.schemas`; here are the meaning and range of the
columns and the keys. docs/dataset.md shows both.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tasks.schemas import INTERACTIONS, TRACKS, USERS

_INT32 = 2**31 - 1


@dataclass(frozen=True)
class Column:
    """A column's meaning and, for numbers, its range."""

    meaning: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Contract:
    """A table's schema, columns and key."""

    schema: pa.Schema
    columns: Mapping[str, Column]
    key: tuple[str, ...]
    """The rows are sorted by these columns, and no two rows agree in all of them."""
    ascending: tuple[str, ...] = ()
    """Columns that increase strictly down the table as well, in byte order for text."""


CONTRACTS = {
    "tracks": Contract(
        schema=TRACKS,
        key=("track_key",),
        ascending=("track_id",),
        columns={
            "track_key": Column("position in the catalogue", 0),
            "track_id": Column("the id, byte for byte"),
            "name": Column("name to show"),
            "artist": Column("artist, author, director, brand"),
            "artist_key": Column("position among the distinct artists", 0),
            "tags": Column("tags in the order of the file, without repeats"),
            "genre": Column("genre"),
            "year": Column("year of release", 1901, 2100),
            "spotify_preview_url": Column("link to a preview"),
            "spotify_id": Column("id at Spotify"),
            "listeners": Column("listeners who have played it", 0),
            "plays": Column("plays in all", 0),
            "played_key": Column("position among the tracks with listeners", 0),
        },
    ),
    "users": Contract(
        schema=USERS,
        key=("user_key",),
        ascending=("user_id",),
        columns={
            "user_key": Column("position among the listeners", 0),
            "user_id": Column("the id, byte for byte"),
            "tracks_played": Column("tracks of the catalogue played", 1),
            "plays": Column("plays of them in all", 1),
        },
    ),
    "interactions": Contract(
        schema=INTERACTIONS,
        key=("user_key", "played_key"),
        columns={
            "user_key": Column("the listener", 0),
            "played_key": Column("the track", 0),
            "plays": Column("plays of the track by the listener", 1, _INT32),
        },
    ),
}


def breaches(name: str, table: pa.Table) -> Iterator[tuple[str, int]]:
    """Yield what a table breaks of its contract, with the number of rows."""
    contract = CONTRACTS[name]
    for field in contract.schema:
        if field.name not in table.column_names or table[field.name].type != field.type:
            yield f"{name}.{field.name} is not {field.type}", table.num_rows
            continue
        values, column = table[field.name], contract.columns[field.name]
        if not field.nullable and values.null_count:
            yield f"{name}.{field.name} is empty", values.null_count
        if rows := _outside(values, column):
            yield f"{name}.{field.name} is out of range", rows
    for extra in table.schema:
        if pa.types.is_floating(extra.type):
            values = table[extra.name].drop_null()
            if rows := len(values) - _true(pc.is_finite(values)):
                yield f"{name}.{extra.name} is not finite", rows
    if rows := _out_of_order(table, contract.key):
        yield f"{name} is not sorted by {', '.join(contract.key)} or repeats one", rows
    for key in contract.ascending:
        if rows := _out_of_order(table, (key,)):
            yield f"{name}.{key} does not ascend", rows


def _outside(values: pa.ChunkedArray, column: Column) -> int:
    """Count the values outside the column's range; looks at them only if the extremes are."""
    if column.low is None and column.high is None:
        return 0
    extremes = pc.min_max(values).as_py()
    low = -np.inf if column.low is None else column.low
    high = np.inf if column.high is None else column.high
    if extremes["min"] is None or (extremes["min"] >= low and extremes["max"] <= high):
        return 0
    numbers = values.cast(pa.float64())
    return _true(pc.or_(pc.less(numbers, low), pc.greater(numbers, high)))


def _out_of_order(table: pa.Table, key: tuple[str, ...]) -> int:
    """Count the rows that do not come after the row before them by the key."""
    if table.num_rows < 2:
        return 0
    before, after = table.slice(0, table.num_rows - 1), table.slice(1)
    later = pc.greater(after[key[-1]], before[key[-1]])
    for name in reversed(key[:-1]):
        same = pc.and_(pc.equal(after[name], before[name]), later)
        later = pc.or_(pc.greater(after[name], before[name]), same)
    pairs: int = table.num_rows - 1
    return pairs - _true(later)


def _true(flags: pa.ChunkedArray) -> int:
    return int(pc.sum(flags).as_py() or 0)
