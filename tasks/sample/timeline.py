"""When the plays of the sample were: phases of taste, new releases, sessions, weeks and repeats.

The sample with times has the pairs of listener and track, and the play counts, of the one without.
Times are added to them; how much they say about what is played next is set by `recency`:

- *Phases.* Each taste of a listener has a phase, `PHASE_DAYS` wide, somewhere in the time that the
  listener has been there. A share `recency` of a taste's plays is in its phase, the others are at
  any time, and so are plays of the hits.
- *Releases.* A share `NEW_TRACKS` × `recency` of the tracks is released within the `DAYS`, and
  played mostly in the `FRESH_DAYS` after that. All others were released before the first day.
- *Sessions.* Plays of a listener that are less than `SESSION_DAYS` apart are one session, in the
  evening mostly and more often at the end of the week.
- *Repeats.* A count of n plays is spread over 1 + ⌊log₂ n⌋ rows, on average `REPEAT_DAYS` apart.

With `recency` 0 times say nothing about tastes or tracks: no model should gain by them. These
figures were fixed before any model was tried on the sample.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.sample.listening import Plays
from tasks.sample.living import ALWAYS, dates
from tasks.sample.streams import stream

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

START = np.datetime64("2023-01-01", "s")
"""The first second; it was a Sunday."""
DAYS = 730
"""Days from then on in which there are plays."""
PHASE_DAYS = 45.0
"""Standard deviation of the times of plays in a phase."""
NEW_TRACKS = 0.2
FRESH_DAYS = 60.0
"""Mean time from a release to a play of it."""
SESSION_DAYS = 3
REPEAT_DAYS = 10.0
JOINED = 0.3
"""Share of the listeners who come within the first `DAYS` − `LEAST_DAYS`; the others were there."""
LEAST_DAYS = 90

_WEEK = np.array([1.10, 0.90, 0.85, 0.90, 0.95, 1.15, 1.25])
"""How often sessions are on a Sunday, a Monday, …"""
_EVENING, _HOURS = 19.5, 3.5
"""Mean and standard deviation of the hour at which sessions begin."""
_TRACK_SECONDS = 215
_DAY = 86_400


@dataclass(frozen=True)
class Timeline:
    """What decides the times of all plays."""

    recency: float
    """Share of plays that keep to their phase, 0 to 1."""
    released: Ints
    """Day of each track of the catalogue, or `ALWAYS`."""
    seed: int


@dataclass(frozen=True)
class TimedPlays:
    """The plays of one block by time; a pair has a row for each time it was played again."""

    user: Ints
    """Position of the listener within the block."""
    track: Ints
    """Position of the track in the catalogue."""
    count: Ints
    second: Ints
    """Seconds since `START`."""


def draw_timeline(tracks: int, recency: float, seed: int) -> Timeline:
    """Draw the day of release of each track."""
    released = dates(tracks, NEW_TRACKS * recency, DAYS, stream(seed, "releases"))
    return Timeline(recency, released, seed)


def timed_plays(timeline: Timeline, plays: Plays, block: int) -> TimedPlays:
    """Give times to the plays of a block of listeners."""
    rng = stream(timeline.seed, "times", block)
    joined = _joined(plays, rng)
    first = _first_times(timeline, plays, joined, rng)
    rows = 1 + np.floor(np.log2(plays.count)).astype(np.int64)
    pair = np.repeat(np.arange(len(rows)), rows)
    number = np.arange(len(pair)) - np.repeat(np.cumsum(rows) - rows, rows)
    day = _repeated(first, pair, number, rng)
    share, rest = np.divmod(plays.count, rows)
    count = share[pair] + (number < rest[pair])
    user, track = plays.user[pair], plays.track[pair]
    second = _in_sessions(user, day, timeline.released[track], rng)
    order = np.lexsort((track, user, second))
    return TimedPlays(user[order], track[order], count[order], second[order])


def _joined(plays: Plays, rng: np.random.Generator) -> Floats:
    """Return the day on which each play's listener came."""
    listeners = len(plays.tastes)
    late = rng.random(listeners) < JOINED
    return np.where(late, rng.uniform(0, DAYS - LEAST_DAYS, listeners), 0.0)[plays.user]


def _first_times(
    timeline: Timeline, plays: Plays, joined: Floats, rng: np.random.Generator
) -> Floats:
    """Return the day, with its fraction, on which each pair was played first."""
    size = len(plays.user)
    any_time = rng.uniform(joined, DAYS)
    first_taste = np.cumsum(plays.tastes) - plays.tastes
    position = rng.random(int(plays.tastes.sum()))  # of each phase in its listener's time
    taste = first_taste[plays.user] + np.maximum(plays.taste, 0)
    centre = joined + position[taste] * (DAYS - joined)
    in_phase = centre + rng.normal(0, PHASE_DAYS, size)
    keeps = (plays.taste >= 0) & (rng.random(size) < timeline.recency)
    keeps &= (in_phase >= joined) & (in_phase < DAYS)
    day = np.where(keeps, in_phase, any_time)
    released = timeline.released[plays.track]
    low = np.maximum(joined, released)
    fresh = released + rng.exponential(FRESH_DAYS, size)
    later = np.where((fresh >= low) & (fresh < DAYS), fresh, rng.uniform(low, DAYS))
    return np.where(released == ALWAYS, day, later)


def _repeated(first: Floats, pair: Ints, number: Ints, rng: np.random.Generator) -> Floats:
    """Return the day of every row: that of the pair's first, then some days after each other."""
    gap = np.where(number > 0, rng.exponential(REPEAT_DAYS, len(pair)), 0.0)
    total = np.cumsum(gap)
    start = np.flatnonzero(number == 0)
    day = first[pair] + total - total[start][pair]
    again = rng.uniform(first[pair], DAYS)
    return np.where(day < DAYS, day, again)


def _in_sessions(user: Ints, day: Floats, released: Ints, rng: np.random.Generator) -> Ints:
    """Return the second of every row: one track after the other in each session."""
    slot = np.floor(day / SESSION_DAYS).astype(np.int64)
    sessions, session = np.unique(user * DAYS + slot, return_inverse=True)
    begin = _session_days(sessions % DAYS, rng)
    hour = np.clip(rng.normal(_EVENING, _HOURS, len(sessions)), 0.0, 23.0)
    # A track that came out within the session's days is played on its first day.
    on = np.maximum(begin[session], released)
    key = session * DAYS + on
    order = np.argsort(key, kind="stable")
    begins = np.flatnonzero(np.diff(key[order], prepend=-1))
    place = np.empty(len(key), np.int64)
    place[order] = np.arange(len(key)) - np.repeat(begins, np.diff(begins, append=len(key)))
    jitter = rng.integers(0, 60, len(key))
    within = (hour[session] * 3600).astype(np.int64) + place * _TRACK_SECONDS + jitter
    second: Ints = np.minimum(on * _DAY + within, DAYS * _DAY - 1)
    return second


def _session_days(slot: Ints, rng: np.random.Generator) -> Ints:
    """Choose the day of each session within its slot, by the weekday."""
    days = slot[:, None] * SESSION_DAYS + np.arange(SESSION_DAYS)
    reach = np.cumsum(np.where(days < DAYS, _WEEK[days % 7], 0.0), axis=1)
    at = rng.random(len(slot)) * reach[:, -1]
    chosen: Ints = slot * SESSION_DAYS + np.count_nonzero(at[:, None] >= reach, axis=1)
    return chosen
