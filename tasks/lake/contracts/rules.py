"""A contract taken apart into rules, each of which counts the rows of a table that break it."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from functools import partial, reduce

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tasks.lake.contracts.contract import Column, Contract


class Reach(Enum):
    """How much of a table must be seen at once to hold it to a rule."""

    ROW = 0
    NEIGHBOURS = 1
    """A row and the one before it."""
    TABLE = 2


@dataclass(frozen=True)
class Footer:
    """The statistics of one row group of a Parquet file."""

    group: pq.RowGroupMetaData
    position: dict[str, int]
    """Place of each column: every column of the lake has one leaf."""

    def entries(self, name: str) -> int:
        """Return the number of values, those in lists included."""
        return int(self.group.column(self.position[name]).num_values)

    def has_no_nulls(self, name: str) -> bool:
        """Tell whether there is neither a missing value nor an empty list."""
        known = self.group.column(self.position[name]).statistics
        return known is not None and known.has_null_count and known.null_count == 0

    def within(self, name: str, low: float, high: float) -> bool:
        """Tell whether the extremes are there and within the range."""
        known = self.group.column(self.position[name]).statistics
        return bool(known and known.has_min_max and low <= known.min and known.max <= high)


@dataclass(frozen=True)
class Rule:
    """One promise of a contract."""

    columns: tuple[str, ...]
    what: str
    """What a table that breaks it is, to read after the columns."""
    count: Callable[[pa.Table], int]
    """Return how many rows of a table of these columns break it."""
    reach: Reach = Reach.ROW
    kept: Callable[[Footer], bool] = lambda _: False
    """Tell whether a row group's footer shows that it is kept, so that nothing need be read."""


def rules(contract: Contract, schema: pa.Schema) -> Iterator[Rule]:
    """Yield the rules for a table of that schema, whose declared columns have their types."""
    for column in contract.columns:
        if column.name in schema.names:
            yield from _column_rules(column)
    declared = {column.name for column in contract.columns}
    finite = {further.type for further in contract.further if further.finite}
    for field in schema:
        if field.name not in declared and pa.types.is_floating(field.type) and field.type in finite:
            yield Rule((field.name,), "is not finite", partial(_not_finite, field.name))
    for name in contract.ascending:
        yield Rule((name,), "does not ascend", partial(_unordered, (name,)), Reach.NEIGHBOURS)
    key = contract.key
    if contract.is_sorted:
        what = "is not in ascending order or repeats a row"
        yield Rule(key, what, partial(_unordered, key), Reach.NEIGHBOURS)
    else:
        yield Rule(key, "repeats a row", partial(_repeated, key), Reach.TABLE)
    if contract.apart:
        a, b = contract.apart
        yield Rule((a, b), "are equal", lambda table: _true(pc.equal(table[a], table[b])))
    for parallel in contract.parallel:
        names = tuple(name for name in parallel if name in schema.names)
        what = "are not equally long"
        yield Rule(names, what, partial(_uneven, names), kept=partial(_as_many, names))


def _column_rules(column: Column) -> Iterator[Rule]:
    name, type_ = column.name, column.type
    if not column.nullable:
        yield Rule(
            (name,),
            "is empty",
            lambda table: _nulls(table[name]),
            kept=lambda footer: footer.has_no_nulls(name),
        )
    low = -math.inf if column.low is None else column.low
    high = math.inf if column.high is None else column.high
    if low > -math.inf or high < math.inf:
        yield Rule(
            (name,),
            "is out of range",
            partial(_outside, name, low, high),
            kept=lambda footer: footer.within(name, low, high),
        )
    if (never := column.never) is not None:
        yield Rule(
            (name,),
            f"is {never:g}",
            lambda table: _true(pc.equal(table[name], never)),
            kept=lambda footer: (
                footer.within(name, math.nextafter(never, math.inf), math.inf)
                or footer.within(name, -math.inf, math.nextafter(never, -math.inf))
            ),
        )
    if column.one_of:
        values = pa.array(column.one_of)
        yield Rule(
            (name,),
            f"is not one of {', '.join(column.one_of)}",
            lambda table: _true(pc.invert(pc.is_in(table[name], value_set=values))),
        )
    if pa.types.is_floating(leaf(type_)):
        yield Rule((name,), "is not finite", partial(_not_finite, name))


def leaf(kind: pa.DataType) -> pa.DataType:
    """Return the type of a column's values, those in its lists if it has lists."""
    return kind.value_type if is_list(kind) else kind


def is_list(kind: pa.DataType) -> bool:
    """Tell whether a column holds lists, of any length or all of one."""
    return bool(pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind))


def _values(table: pa.Table, name: str) -> pa.ChunkedArray:
    column = table[name]
    return pc.list_flatten(column) if is_list(column.type) else column


def _nulls(column: pa.ChunkedArray) -> int:
    """Count the rows without a value; a null in a list is one."""
    inside: int = pc.list_flatten(column).null_count if is_list(column.type) else 0
    return int(column.null_count) + inside


def _outside(name: str, low: float, high: float, table: pa.Table) -> int:
    """Count the values outside the range; looks at them only if the extremes are."""
    values = _values(table, name)
    extremes = pc.min_max(values).as_py()
    if extremes["min"] is None or (extremes["min"] >= low and extremes["max"] <= high):
        return 0
    numbers = values.cast(pa.float64())
    return _true(pc.or_(pc.less(numbers, low), pc.greater(numbers, high)))


def _not_finite(name: str, table: pa.Table) -> int:
    values = _values(table, name).drop_null()
    return len(values) - _true(pc.is_finite(values))


def _as_many(names: tuple[str, ...], footer: Footer) -> bool:
    return len({footer.entries(name) for name in names}) == 1


def _uneven(names: tuple[str, ...], table: pa.Table) -> int:
    lengths = [pc.list_value_length(table[name]) for name in names]
    even = [pc.equal(length, lengths[0]) for length in lengths[1:]]
    return int(table.num_rows) - _true(reduce(pc.and_, even))


def _unordered(key: tuple[str, ...], table: pa.Table) -> int:
    """Count the rows that do not come after the row before them by the key."""
    if table.num_rows < 2:
        return 0
    before, after = table.slice(0, table.num_rows - 1), table.slice(1)
    later = pc.greater(after[key[-1]], before[key[-1]])
    for name in reversed(key[:-1]):
        same = pc.and_(pc.equal(after[name], before[name]), later)
        later = pc.or_(pc.greater(after[name], before[name]), same)
    return int(table.num_rows - 1 - _true(later))


def _repeated(key: tuple[str, ...], table: pa.Table) -> int:
    distinct = table.select(list(key)).group_by(list(key)).aggregate([])
    return int(table.num_rows - distinct.num_rows)


def _true(flags: pa.ChunkedArray) -> int:
    return int(pc.sum(flags).as_py() or 0)
