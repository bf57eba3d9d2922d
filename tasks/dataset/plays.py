"""The listening history as a dataset TOML describes it."""

from typing import Any, Self

from pydantic import model_validator

from tasks.dataset.columns import ListSpec, StrengthSpec
from tasks.dataset.dislikes import DislikesSpec
from tasks.dataset.files import Column, FilesSpec
from tasks.dataset.filters import RowFilter
from tasks.dataset.times import TimeSpec


class PlaysSpec(FilesSpec):
    """The listening history: one row per play, or per listener and track with a count."""

    user: Column
    """Column with the listener's id: a string, kept byte for byte."""
    track: Column | ListSpec
    """Column with the track id, as in the catalogue, or with a list of them: a row per playlist."""
    count: Column | None = None
    """Column with the number of plays, rounded to a whole one; without it every row is one play."""
    strength: StrengthSpec | None = None
    """Column that decides whether a row counts, or how much."""
    at: TimeSpec | None = None
    """Column with the time of the play; a column's name alone is one in ISO 8601 or in seconds."""
    dislikes: DislikesSpec | None = None
    """Which rows are dislikes instead of plays; a text alone is the condition."""
    title: Column | None = None
    """Column with the track's name, where there is no [tracks]."""
    creator: Column | ListSpec | None = None
    """Column with the track's creators, where there is no [tracks]."""

    @model_validator(mode="before")
    @classmethod
    def _in_short(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        whole = {
            field: {main: values[field]}
            for field, main in (("at", "column"), ("dislikes", "where"))
            if isinstance(values.get(field), str)
        }
        return {**values, **whole}

    @model_validator(mode="after")
    def _columns_differ(self) -> Self:
        if self.user == self.track_column:
            raise ValueError(
                f"`plays.user` and `plays.track` both name column `{self.user}`; name the column "
                "with the listener's id in `plays.user`"
            )
        if self.count and self.strength and self.strength.scale:
            raise ValueError(
                "`plays.count` and `plays.strength.scale` both say how much a row counts; keep one"
            )
        if self.dislikes and self.dislikes.days and not self.at:
            raise ValueError(
                "`plays.dislikes.days` needs to know when a row was; name the column with its time "
                "in `plays.at`, or leave `days` out"
            )
        return self

    @property
    def track_column(self) -> str:
        """The column with the track id or the list of them."""
        return self.track if isinstance(self.track, str) else self.track.column

    def describing(self) -> tuple[str, ...]:
        """Return the columns that describe the tracks where there is no [tracks]."""
        named = (self.title, self.creator)
        return tuple(one if isinstance(one, str) else one.column for one in named if one)

    @property
    def number(self) -> str | None:
        """The column that decides how many plays a row is."""
        if self.strength and self.strength.scale:
            return self.strength.column
        return self.count

    def columns(self) -> dict[str, str]:
        """Return which column each TOML field names: field → column."""
        named = {
            "plays.track": self.track_column,
            "plays.user": self.user,
            "plays.count": self.count,
            "plays.strength.column": self.strength.column if self.strength else None,
            "plays.at": self.at.column if self.at else None,
        }
        for name in RowFilter.parse(self.where).columns if self.where else ():
            named.setdefault(f"plays.where ({name})", name)
        for name in self.dislikes.columns if self.dislikes else ():
            named.setdefault(f"plays.dislikes ({name})", name)
        return {field: column for field, column in named.items() if column is not None}
