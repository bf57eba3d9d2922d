"""What the last days of the data say of its tracks: which are rising, and which are new.

docs/times.md defines both. Days are UTC days since 1970.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from scipy.special import betaincinv

from tasks.lake.dataset import Dataset
from tasks.lake.record import StageResult

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

DAY = 86_400

WINDOWS = (7, 28, 91)
"""Days that may be "the last days" of `trending`: the shortest with `ENOUGH` new listeners."""

ENOUGH = 1000
"""New listeners of all tracks together that a window must have, unless it is the longest."""

USUAL_WINDOWS = 8
"""The usual level is that of as many windows before."""

FALSE_ALARMS = 0.05
"""Chance that any track of the whole catalogue passes the bound where none is rising."""

STRAYS = 0.001
"""Share of the plays at each end that do not decide where the data begins and ends: were the clock
of one device a year ahead, nothing would be recent any more."""

NEW_DAYS = 365
"""Tracks that are older have no row; and those first played so long after their release were new
to the data alone."""

TRENDING = pa.schema(
    [
        ("track_key", pa.int32()),
        ("score", pa.float64()),
        ("new_listeners", pa.int32()),
        ("usual_listeners", pa.float64()),
        ("days", pa.int32()),
    ]
)

NEW_TRACKS = pa.schema([("id", pa.string()), ("day", pa.date32()), ("age", pa.int16())])

_NEVER = np.int64(1 << 40)
"""Day of what has not happened."""


@dataclass(frozen=True)
class FirstPlays:
    """When listeners played tracks for the first time."""

    interactions: Dataset
    tracks: int
    """Tracks that somebody has played."""

    @classmethod
    def of(cls, interactions: Dataset, tracks: int) -> "FirstPlays | None":
        """Return those of the lake's `interactions`, or None where they have no times."""
        is_timed = "first_at" in pq.read_schema(interactions.path).names
        found = cls(interactions, tracks) if is_timed else None
        return found if found and len(found.by_day) else None

    def pieces(self) -> Iterator[tuple[NDArray[np.int32], Ints]]:
        """Yield played keys and days of the first plays that have a time, piece by piece."""
        for batch in self.interactions.batches(["played_key", "first_at"]):
            first = batch["first_at"].cast(pa.int64())
            played = batch["played_key"].to_numpy()
            if first.null_count:
                played, first = played[first.is_valid().to_numpy(False)], first.drop_null()
            yield played, first.to_numpy() // DAY

    @cached_property
    def by_day(self) -> Ints:
        """How many there were on each day since 1970, to the last."""
        total = np.zeros(0, np.int64)
        for _, day in self.pieces():
            counted = np.bincount(day, minlength=len(total))
            counted[: len(total)] += total
            total = counted
        return total

    @cached_property
    def first_day(self) -> int:
        """The day on which the data begins, its strays left out."""
        return self._day_of(STRAYS)

    @cached_property
    def last_day(self) -> int:
        """The day on which the data ends, its strays left out."""
        return self._day_of(1 - STRAYS)

    def _day_of(self, share: float) -> int:
        """Return the first day by whose end more than the share of all first plays had been."""
        reached = np.cumsum(self.by_day)
        return int(np.searchsorted(reached, share * reached[-1], side="right"))

    def within(self, begin: int, end: int) -> Ints:
        """Count the first plays of each track from day ``begin`` until before day ``end``."""
        total = np.zeros(self.tracks, np.int64)
        for played, day in self.pieces():
            total += np.bincount(played[(day >= begin) & (day < end)], minlength=self.tracks)
        return total

    def earliest(self) -> Ints:
        """Return the day on which each track was played first."""
        found = np.full(self.tracks, _NEVER)
        for played, day in self.pieces():
            np.minimum.at(found, played, day)
        return found


def trending_tracks(plays: FirstPlays, track_keys: NDArray[np.int32]) -> pa.Table:
    """Return the tracks that are rising (TRENDING), best first.

    ``track_keys`` has the key of every played track.
    """
    if (days := _window(plays)) is None:
        return TRENDING.empty_table()
    begin = plays.last_day + 1 - days
    recent = plays.within(begin, int(_NEVER))
    before = plays.within(begin - USUAL_WINDOWS * days, begin)
    share = float(recent.sum() / (recent.sum() + before.sum()))
    lowest = lowest_shares(recent, before, share)
    rising = np.flatnonzero(lowest > share)
    # at least so large a part of the recent listeners is beyond the usual level
    beyond = 1 - share * (1 - lowest[rising]) / (lowest[rising] * (1 - share))
    order = np.lexsort((rising, -beyond))
    usual = before[rising] * (share / (1 - share))
    columns = [
        track_keys[rising][order],
        np.round(beyond, 4)[order],
        recent[rising][order],
        np.round(usual, 1)[order],
        np.full(len(rising), days),
    ]
    arrays = [pa.array(one, field.type) for one, field in zip(columns, TRENDING, strict=True)]
    return pa.table(arrays, schema=TRENDING)


def lowest_shares(recent: Ints, before: Ints, share: float) -> Floats:
    """Return for each track the least share of its listeners that may be recent by nature.

    Each of a track's ``recent`` + ``before`` new listeners is recent with one probability, which is
    ``share`` where the track is not rising. The lower end of its one-sided interval (Clopper and
    Pearson 1934) is beyond ``share`` for any track of a catalogue in which none is rising with a
    probability of at most `FALSE_ALARMS`: the level is divided by the number of tracks, of which
    those with too few listeners to pass at all do not count (Tarone 1990).
    """
    lowest = np.zeros(len(recent))
    total = recent + before
    with np.errstate(divide="ignore"):
        best = np.sort(total * np.log(share))  # log of the least p-value that a track can reach
        level = np.log(FALSE_ALARMS) - np.log(np.arange(1, len(best) + 1))
    able = np.searchsorted(best, level, side="right")  # tracks that can reach each level
    tried = int(np.argmax(able <= np.arange(1, len(best) + 1))) + 1
    found = (total * np.log(share) <= level[tried - 1]) & (recent > 0)
    a, b = recent[found], before[found] + 1.0
    lowest[found] = betaincinv(a, b, FALSE_ALARMS / tried)
    return lowest


def _window(plays: FirstPlays) -> int | None:
    """Return how many days "the last days" are; None: there is no usual level to compare with."""
    reached = np.concatenate([[0], np.cumsum(plays.by_day)])
    fitting = None
    for days in WINDOWS:
        begin = plays.last_day + 1 - days
        if begin <= 0:
            break
        recent = int(reached[-1] - reached[begin])
        before = int(reached[begin] - reached[max(0, begin - USUAL_WINDOWS * days)])
        if not 0 < recent <= before:
            continue
        fitting = days
        if recent >= ENOUGH:
            break
    return fitting


def new_tracks(plays: FirstPlays, tracks: pa.Table) -> pa.Table:
    """Return the tracks that are new (NEW_TRACKS), newest first.

    ``tracks`` is the catalogue, with `released` if days of release are known.
    """
    last = plays.last_day
    played = tracks["played_key"].is_valid().to_numpy()
    seen = np.full(len(tracks), _NEVER)
    seen[played] = plays.earliest()
    # early in the data most tracks are played for the first time, whatever their age
    seen[seen <= (plays.first_day + last) // 2] = _NEVER
    released = np.full(len(tracks), _NEVER)
    if "released" in tracks.column_names:
        known = tracks["released"].cast(pa.int32()).cast(pa.int64()).fill_null(int(_NEVER))
        released = known.to_numpy()
        released = np.where(released > last, _NEVER, released)
    is_old = (released != _NEVER) & (seen != _NEVER) & (seen - released > NEW_DAYS)
    both = (released != _NEVER) & (seen != _NEVER)
    day = np.where(both, np.maximum(released, seen), np.minimum(released, seen))
    age = np.maximum(last - day, 0)
    new = np.flatnonzero((day != _NEVER) & ~is_old & (age <= NEW_DAYS))
    new = new[np.lexsort((new, age[new]))]
    ids = tracks["track_id"].combine_chunks().take(pa.array(new))
    return pa.table(
        [ids, pa.array(day[new], pa.int32()).cast(pa.date32()), pa.array(age[new], pa.int16())],
        schema=NEW_TRACKS,
    )


def recent_tables(ingested: StageResult) -> dict[str, pa.Table]:
    """Return the tables `trending` and `new_tracks`; none where the data has no times."""
    tracks = ingested["tracks"].read()
    played = tracks.filter(tracks["played_key"].is_valid())["track_key"].to_numpy()
    plays = FirstPlays.of(ingested["interactions"], len(played))
    if plays is None:
        return {}
    return {"trending": trending_tracks(plays, played), "new_tracks": new_tracks(plays, tracks)}
