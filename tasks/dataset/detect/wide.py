"""Tables with a column per track, which are no history of rows."""

from collections.abc import Sequence
from itertools import pairwise

from tasks.dataset.detect.names import user_strength
from tasks.dataset.detect.table import Table
from tasks.dataset.detect.values import Column, Kind, to_number
from warehouse.errors import InputError

_FEWEST = 25
"""Columns of numbers from which on a table may be a matrix."""


_FEWEST_IDS = 6
"""Columns of whole numbers without names from which on a line may list the tracks of a listener."""


def _refuse_lines_of_ids(table: Table) -> None:
    """Raise InputError for lines of a listener and all tracks, as in `17 3 9 44`."""
    dialect = table.dialect
    if dialect is None or not dialect.names_are_made_up or len(table.columns) < _FEWEST_IDS:
        return
    if any(c.kind not in (Kind.INTEGER, Kind.EMPTY) for c in table.columns):
        return
    tracks = [c for c in table.columns[1:] if c.count]
    scales = [c.high - c.low for c in tracks]
    alike = sum(scale > 0.3 * max(scales) for scale in scales) > 0.7 * len(scales)
    first = table.columns[0]
    if (alike or _rise(tracks)) and first.distinct == first.count:
        raise InputError(
            f"{table.label} seems to list a listener and all of the listener's tracks in a line; "
            "write a row per listener and track"
        )


def _rise(columns: Sequence[Column]) -> bool:
    """Tell whether nearly every line holds ascending numbers, as sorted ids are."""
    rows = zip(*(column.values[:500] for column in columns), strict=True)
    lines = [[to_number(value) for value in row if value] for row in rows]
    rising = sum(all((a or 0) < (b or 0) for a, b in pairwise(line)) for line in lines)
    return rising > 0.9 * len(lines)


def refuse_wide_matrix(table: Table) -> None:
    """Raise InputError for a matrix of listeners × tracks (as Jester's): a row per play is needed.

    A catalogue with many features is distinguished by its text columns and by scales that differ.
    """
    _refuse_lines_of_ids(table)
    numbers = [c for c in table.columns if c.is_number or c.count == 0]
    rest = len(table.columns) - len(numbers)
    if len(numbers) < _FEWEST or rest > 2:
        return
    scales = [(c.low, c.high) for c in numbers[1:] if c.count]
    whole = max((high for _, high in scales), default=0) - min(
        (low for low, _ in scales), default=0
    )
    alike = sum(high - low >= 0.3 * whole for low, high in scales)
    named = any(user_strength(column.name) > 0.5 for column in table.columns[1:])
    if scales and alike > 0.9 * len(scales) and not named:
        raise InputError(
            f"{table.label} is a matrix of {len(table.columns)} columns, one per track; write a "
            "row per listener and track, with the value beside them"
        )
