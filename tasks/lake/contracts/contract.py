"""What a contract of a dataset says, as values that schemas, checks and docs are made from."""

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa


@dataclass(frozen=True)
class Column:
    """A column: its type, its meaning, and which values it may hold.

    For a column of lists the range is that of the values in them.
    """

    name: str
    type: pa.DataType
    meaning: str
    low: float | None = None
    high: float | None = None
    never: float | None = None
    """A value within the range that no row holds."""
    one_of: tuple[str, ...] = ()
    """All values there are; nothing: any."""
    nullable: bool = False
    optional: bool = False
    """The dataset may lack the column."""


@dataclass(frozen=True)
class Further:
    """Columns after the declared ones, with names that the dataset's owner chose."""

    type: pa.DataType
    meaning: str
    finite: bool = True
    """False: NaN stands for "not measured"."""


@dataclass(frozen=True)
class Contract:
    """A dataset: what a row is, its columns, and what holds between rows and between columns."""

    rows: str
    """What a row stands for, to read after "one row per"."""
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    """No two rows agree in all of these columns."""
    is_sorted: bool = True
    """The rows are in ascending order of the key, in byte order for text."""
    ascending: tuple[str, ...] = ()
    """Columns that increase strictly down the table as well."""
    apart: tuple[str, str] | None = None
    """Two columns that never agree in a row."""
    parallel: tuple[tuple[str, ...], ...] = ()
    """Columns of lists that are equally long in every row."""
    further: tuple[Further, ...] = ()
    in_parts: bool = False
    """Written as numbered files ``name_000``, ``name_001``, …, in the order of the rows."""

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema of the declared columns, optional ones left out."""
        return self.schema_with()

    def schema_with(self, *optional: str) -> pa.Schema:
        """Return the Arrow schema of the declared columns, of the optional ones those named."""
        return pa.schema(
            [
                pa.field(column.name, column.type, nullable=column.nullable)
                for column in self.columns
                if not column.optional or column.name in optional
            ]
        )

    def __getitem__(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)


@dataclass(frozen=True)
class StageContract:
    """What a stage writes."""

    stage: str
    """Its name, under which its results lie in the lake."""
    datasets: Mapping[str, Contract]
