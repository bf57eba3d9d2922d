"""When the rows of a history happened: which column says so, and how it is written."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

import duckdb

from tasks.dataset.detect.decision import Decision
from tasks.dataset.detect.names import TIME, YEAR, has, word_set
from tasks.dataset.detect.sureness import Sureness
from tasks.dataset.detect.values import EPOCHS, LOOKED_AT, Column, Kind
from tasks.dataset.times import TimeSpec

_UNITS = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}
_OF_OTHERS = YEAR | word_set(
    "birth birthday updated modified signup registered registration expires expiry joined"
)
_ENDS = word_set("end ended ends stop stopped finish finished")
_READABLE = 0.98
"""Share of the values that a way of writing must fit."""

_ISO = re.compile(
    r"\d{4}[-/]\d{1,2}[-/]\d{1,2}([Tt ]\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?)?"
    r"\s*(Z|z|UTC|GMT|[+-]\d{2}(:?\d{2})?)?"
    r"|(19|20)\d{6}([Tt]\d{4}(\d{2})?(Z|z)?)?"
)
_COMPACT = re.compile(r"(19[7-9]|20\d)\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])")

_DATES = (
    "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y.%m.%d", "%d %b %Y", "%d %B %Y",
    "%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%m/%d/%y", "%d/%m/%y", "%d.%m.%y",
)  # fmt: skip
_CLOCKS = (
    "", " %H:%M", " %H:%M:%S", ", %H:%M", ", %H:%M:%S", " %I:%M %p", " %I:%M:%S %p", ", %I:%M %p",
    " %H:%M:%S.%f", " %H:%M:%S %z", " %H:%M %z",
)  # fmt: skip
_FORMATS = (
    "%a %b %d %H:%M:%S %z %Y",
    "%a %b %d %H:%M:%S %Y",
    *(date + clock for date in _DATES for clock in _CLOCKS),
)


def time_decision(columns: Sequence[Column], chosen: str | None = None) -> Decision | None:
    """Propose ``plays.at`` from the columns that are nothing else; ``chosen`` is the user's."""
    scored = [(_score(column), column) for column in columns if column.name == chosen or not chosen]
    times = sorted((one for one in scored if one[0] > 0), key=lambda one: -one[0])
    for score, column in times:
        written = how_written(column)
        if written is None:
            continue
        value, sure = written
        rivals = [other for other_score, other in times if other is not column]
        close = any(score - other < 0.2 for other, rival in times if rival is not column)
        sure &= Sureness.GUESS if close else Sureness.SURE
        reason = f"{_said(value)}, such as {column.examples[0]}"
        if column.filled < 1:
            reason += f"; {1 - column.filled:.0%} of the rows have none"
        return Decision("plays.at", value, sure, reason, tuple(one.name for one in rivals))
    return None


def _score(column: Column) -> float:
    if not column.is_time and not _is_compact(column):
        return 0.0
    score = 1.0 if has(column.name, TIME) else 0.5
    if has(column.name, _OF_OTHERS):
        score -= 0.7
    if has(column.name, _ENDS):
        score -= 0.3
    return score * column.filled


def _is_compact(column: Column) -> bool:
    """Tell whether whole numbers are dates such as 20170228."""
    if column.kind is not Kind.INTEGER or not has(column.name, TIME):
        return False
    return all(_COMPACT.fullmatch(value) for value in _values(column))


def _values(column: Column) -> list[str]:
    known = [value.strip() for value in column.values if value and value.strip()]
    return known[:: -(-len(known) // LOOKED_AT)] if known else []


def how_written(column: Column) -> tuple[Any, Sureness] | None:
    """Return what ``plays.at`` must be for a column of times; None if no known way fits."""
    if unit := EPOCHS.get(column.kind):
        return {"column": column.name, "unit": unit}, Sureness.SURE
    values = _values(column)
    if (
        column.is_native_time
        or _share(bool(_ISO.fullmatch(value)) for value in values) >= _READABLE
    ):
        return column.name, Sureness.SURE
    fitting = _fitting(values)
    if not fitting:
        return None
    # 03/04/2020 may be in March or in April.
    sure = Sureness.LIKELY if len(fitting) == 1 else Sureness.GUESS
    return {"column": column.name, "format": fitting[0]}, sure


def _share(flags: Iterable[bool]) -> float:
    found = list(flags)
    return sum(found) / len(found) if found else 0.0


def _fitting(values: Sequence[str]) -> list[str]:
    """Return the formats that read nearly all values, the likeliest first."""
    if not values:
        return []
    counts = ", ".join(f"count(try_strptime(given, '{one}'))" for one in _FORMATS)
    with duckdb.connect() as con:
        found = con.execute(f"SELECT {counts} FROM (SELECT unnest(?) AS given)", [list(values)])
        read = found.fetchall()[0]
    most = max(read)
    if most < _READABLE * len(values):
        return []
    return [one for one, count in zip(_FORMATS, read, strict=True) if count == most]


def _said(value: Any) -> str:
    if isinstance(value, str):
        return "times; those without a zone are taken for UTC"
    if unit := value.get("unit"):
        return f"{_UNITS[unit]} since 1970"
    return "times in this format, taken for UTC where they have no zone"


def time_mistake(spec: TimeSpec, column: Column) -> str | None:
    """Say what is wrong with ``plays.at`` by the look of the column, if anything is."""
    if not column.is_time and not _is_compact(column):
        shown = ", ".join(column.examples)
        return f"`plays.at` names `{column.name}`, which holds no times ({shown})"
    written = how_written(column)
    if written is None or spec.format:
        return None
    given = {"column": column.name, **({"unit": spec.unit} if spec.unit else {})}
    value = written[0]
    said = {"column": value} if isinstance(value, str) else dict(value)
    if given == said or (spec.unit is None and said.get("unit") == "s"):
        return None
    way = "unit" if "unit" in said else "format" if "format" in said else ""
    fix = f'at = {{ column = "{column.name}", {way} = "{said[way]}" }}' if way else (
        f'at = "{column.name}"'
    )  # fmt: skip
    return f"`plays.at` reads `{column.name}` otherwise than it is written; write {fix}"
