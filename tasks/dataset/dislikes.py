"""Negative signals: which rows of a history are no plays but dislikes."""

from typing import Annotated

from pydantic import AfterValidator, Field

from tasks.dataset.files import Column, Spec
from tasks.dataset.filters import RowFilter


def _condition(text: str) -> str:
    try:
        RowFilter.parse(text)
    except ValueError as error:
        raise ValueError(str(error).replace("`where`", "`plays.dislikes.where`")) from None
    return text


class DislikesSpec(Spec):
    """Rows that say that a listener does not want a track: skips, dislikes, low ratings."""

    where: Annotated[Column, AfterValidator(_condition)]
    """A condition on a row's columns, as in `FilesSpec.where`; rows that meet it are dislikes."""
    days: int | None = Field(default=None, ge=1)
    """Days for which a dislike holds, up to the listener's newest play; without it for good."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the condition."""
        return RowFilter.parse(self.where).columns
