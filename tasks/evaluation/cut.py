"""Where the data are cut in two: what was played before a day, and what was played first after it.

Days are UTC days since 1970. The cut lies at the beginning of a day, one of `WINDOWS` before the
end of the data: at the shortest of them in which enough listeners who were there before played
something that they had not played yet. A short window asks what a release is for, which the next
one replaces, and leaves the models most of the data.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from tasks.evaluation.parameters import EvaluationParameters

WINDOWS = (7, 14, 28, 56, 91, 182, 365)
"""Days between the cut and the end of the data that are tried, the shortest first."""

STRAYS = 0.001
"""Share of the first plays at the end that do not decide where the data end: the clock of one
device may be a year ahead. docs/times.md has the same rule."""


@dataclass(frozen=True)
class FirstPlays:
    """When listeners played tracks for the first time, sorted by listener."""

    user: NDArray[np.int32]
    played: NDArray[np.int32]
    day: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.day)

    @classmethod
    def none(cls) -> Self:
        """Return no plays."""
        return cls(*(np.empty(0, np.int32) for _ in range(3)))

    @classmethod
    def joined(cls, pieces: Sequence[Self]) -> Self:
        """Return the plays of the pieces, one after the other."""
        return cls(
            np.concatenate([piece.user for piece in pieces]),
            np.concatenate([piece.played for piece in pieces]),
            np.concatenate([piece.day for piece in pieces]),
        )

    def until(self, day: int) -> "FirstPlays":
        """Return those before the beginning of a day."""
        return self._those(self.day < day)

    def since(self, day: int) -> "FirstPlays":
        """Return those from the beginning of a day on."""
        return self._those(self.day >= day)

    def _those(self, kept: NDArray[np.bool_]) -> "FirstPlays":
        return FirstPlays(self.user[kept], self.played[kept], self.day[kept])


class Cut(NamedTuple):
    """A cut at the beginning of ``day``."""

    day: int
    window: int
    """Days from the cut to the end of the data."""
    listeners: int
    """Who played before it, and something for the first time after it."""


def last_day(by_day: NDArray[np.int64]) -> int:
    """Return the day on which the data end, given the number of first plays on each day."""
    reached = np.cumsum(by_day)
    return int(np.searchsorted(reached, (1 - STRAYS) * reached[-1], side="right"))


def choose_cut(plays: FirstPlays, end: int, parameters: EvaluationParameters) -> Cut | str:
    """Return the cut for data that end on day ``end``, or in words why there is none.

    The shortest window with ``temporal_listeners``; where none has them, the one with most
    listeners, if they are ``temporal_fewest``. After the cut lie at most the share
    ``temporal_share`` of the first plays.
    """
    if not len(plays):
        return "no play has a time"
    starts = np.flatnonzero(np.diff(plays.user, prepend=-1))
    earliest = np.minimum.reduceat(plays.day, starts)
    latest = np.maximum.reduceat(plays.day, starts)
    best = Cut(end + 1, 0, 0)
    for window in WINDOWS:
        day = end + 1 - window
        if float((plays.day >= day).mean()) > parameters.temporal_share:
            break
        found = Cut(day, window, int(np.count_nonzero((earliest < day) & (latest >= day))))
        if found.listeners > best.listeners:
            best = found
        if best.listeners >= parameters.temporal_listeners:
            break
    if best.listeners >= parameters.temporal_fewest:
        return best
    return (
        f"no days at the end of the data with at most {100 * parameters.temporal_share:g} % of the "
        f"listens have {parameters.temporal_fewest:,} listeners with earlier plays who played "
        f"something new; the most is {best.listeners:,}"
    )
