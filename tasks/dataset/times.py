"""A column of times: how they are written, and the zone of those that do not say one."""

import difflib
from functools import cache
from typing import Annotated, Literal, Self

import duckdb
from pydantic import AfterValidator, model_validator

from tasks.dataset.files import Column, Spec

Unit = Literal["s", "ms", "us", "ns"]

PER_SECOND: dict[Unit, int] = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
"""Units of numbers that count from 1970 on."""


@cache
def zones() -> frozenset[str]:
    """Return the names of the time zones that DuckDB knows, as the IANA writes them."""
    with duckdb.connect() as con:
        return frozenset(
            name for (name,) in con.execute("SELECT name FROM pg_timezone_names()").fetchall()
        )


def _zone(name: str) -> str:
    if name not in zones():
        close = difflib.get_close_matches(name, sorted(zones()), n=1) or ["Europe/Berlin"]
        raise ValueError(
            f'there is no time zone `{name}`; write a name such as zone = "{close[0]}"'
        )
    return name


def _format(text: str) -> str:
    try:
        with duckdb.connect() as con:
            con.execute(f"SELECT try_strptime('', {_literal(text)})")
    except duckdb.Error as error:
        raise ValueError(
            f"the time format {text!r} cannot be read ({str(error).splitlines()[0]}); write it as "
            'for strptime, for example format = "%d %b %Y %H:%M"'
        ) from None
    return text


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


class TimeSpec(Spec):
    """A column that says when a row happened."""

    column: Column
    """Name of the column."""
    unit: Unit | None = None
    """What numbers count since 1970: s, ms, us or ns; without it ISO 8601 or seconds."""
    format: Annotated[Column, AfterValidator(_format)] | None = None
    """How times are written, if not by ISO 8601: the directives of strptime."""
    zone: Annotated[str, AfterValidator(_zone)] = "UTC"
    """The zone of times that do not say theirs, by its IANA name."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.unit and self.format:
            raise ValueError(
                "`plays.at` has both `unit`, for numbers, and `format`, for texts; keep one"
            )
        return self
