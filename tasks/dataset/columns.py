"""Columns that hold more than one text: lists in a cell, and a strength."""

from typing import Self

from pydantic import Field, model_validator

from tasks.dataset.files import Column, Spec


class ListSpec(Spec):
    """A column whose cells hold several values."""

    column: Column
    """Name of the column."""
    list: Column
    """How a cell lists them: "json", "python" (a literal), or the text between two values."""
    key: Column | None = None
    """Key of the value where the list holds objects; `name`, `id` or `uri` when not given."""

    @property
    def way(self) -> str:
        """How a cell lists its values."""
        return self.list


class TagsSpec(Spec):
    """A column that holds several tags in one field."""

    column: Column
    """Name of the column."""
    separator: Column = ","
    """Text between two tags; spaces around a tag are dropped."""
    list: Column | None = None
    """How a cell lists them, in place of a separator: "json" or "python" (a literal)."""
    key: Column | None = None
    """Key of the tag where the list holds objects; `name`, `id` or `uri` when not given."""

    @property
    def way(self) -> str:
        """How a cell lists its tags."""
        return self.list or self.separator


class StrengthSpec(Spec):
    """A column that says how much a row counts: a rating, seconds listened."""

    column: Column
    """Name of the column."""
    min: float | None = None
    """Rows below are left out and counted."""
    scale: float | None = Field(default=None, gt=0)
    """Plays per unit: a row counts as the value times this, rounded, at least 1."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.min is None and self.scale is None:
            raise ValueError(
                "`plays.strength` has neither `min` nor `scale`; write for example "
                f'strength = {{ column = "{self.column}", min = 3.5 }}'
            )
        return self
