"""Tables with a column per track, which are no history of rows."""

from tasks.dataset.detect.names import user_strength
from tasks.dataset.detect.table import Table
from warehouse.errors import InputError

_FEWEST = 25
"""Columns of numbers from which on a table may be a matrix."""


def refuse_wide_matrix(table: Table) -> None:
    """Raise InputError for a matrix of listeners × tracks (as Jester's): a row per play is needed.

    A catalogue with many features is distinguished by its text columns and by scales that differ.
    """
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
