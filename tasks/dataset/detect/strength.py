"""Which rows of a history count as plays, and how much: counts, ratings, events and flags."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import pairwise

from tasks.dataset.detect.decision import Decision
from tasks.dataset.detect.names import (
    COUNT,
    DURATION,
    EVENT,
    ITEM,
    NEGATIVE_FLAGS,
    POSITIVE_FLAGS,
    RATING,
    YEAR,
    has,
    is_id_name,
    word_set,
    words,
)
from tasks.dataset.detect.sureness import Sureness
from tasks.dataset.detect.table import Table
from tasks.dataset.detect.values import Column, Kind, to_number
from tasks.lake.contracts.inputs import ID_NULLS

_PLAYED = word_set(
    "play played plays listen listened listening stream streamed watch watched read finish "
    "finished complete completed scrobble trackdone playback song_played nextsong"
)
_BOUGHT = word_set(
    "purchase purchased buy bought order ordered transaction sale checkout subscribe download "
    "install borrow rent own"
)
_LIKED = word_set(
    "like liked love loved favorite favourite fav save saved add added addtocart add_to_cart "
    "cart upvote upvoted share bookmark follow recommend rated rate thumbs_up thumbsup thumbup up"
)
_SEEN = word_set("click clicked view viewed pv pageview open visit detail")
_NOT = word_set(
    "skip skipped impression dislike remove removed delete deleted ban unlike hide refund "
    "return returned dismiss search pause seek hate hated error login logout disliked downvote "
    "downvoted thumbs_down thumbsdown thumbdown down"
)
_LEVELS = (_PLAYED, _BOUGHT, _LIKED, _SEEN)

_SCALES = ((1.0, 1.0), (3.0, 2.0), (4.0, 3.0), (5.0, 4.0), (6.0, 4.0), (7.0, 5.0), (10.0, 7.0),
           (20.0, 14.0), (100.0, 70.0))  # fmt: skip
"""Upper end of a rating scale and the rating from which somebody liked it."""

MANY = 0.02
"""Share of rows without id or count from which they are left out; a run stops at 0.05."""

_LISTENED_MS = 30_000
"""From half a minute on a stream counts, for the music industry."""


@dataclass(frozen=True)
class Scale:
    """A scale of ratings."""

    low: float
    high: float
    threshold: float
    has_placeholder: bool
    """Whether 0 or −1 seems to mean seen, but not rated."""


def strength_decisions(table: Table, ids: Sequence[Column]) -> list[Decision]:
    """Propose ``count``, ``strength`` and ``where``; ``ids`` are listener and track."""
    taken = [column.name for column in ids]
    columns = [column for column in table.columns if column.name not in taken]
    named = not (table.dialect and table.dialect.names_are_made_up)
    decisions: list[Decision] = []
    where = _event(columns) or _flag(columns)
    rating = _rating_column(columns, named)
    count = None if rating else _count_column(columns, named)
    if rating:
        decisions.append(_rated(rating, named))
    elif count:
        decisions.append(count)
    if where is None:
        where = _duration(columns) if not rating and not count else None
    left_out = [*map(_without_id, ids)]
    if count:
        left_out.append(_not_counted(table.column(count.value)))
    where = reduce(_both, filter(None, left_out), where)
    if where:
        decisions.append(where)
    return decisions


def _both(first: Decision | None, more: Decision | None) -> Decision | None:
    """Join two row filters."""
    if first is None or more is None:
        return first or more
    return replace(
        first, value=f"{first.value} AND {more.value}", sureness=first.sureness & more.sureness,
        reason=f"{first.reason}; {more.reason}",
    )  # fmt: skip


def _without_id(column: Column) -> Decision | None:
    """Leave out rows without an id if they are more than a few, which a run would refuse."""
    missing = sum(is_missing_id(value) for value in column.values)
    if column.kind is Kind.LIST or missing <= MANY * column.rows:
        return None
    return Decision(
        "plays.where", f"{quoted(column.name)} IS NOT NULL", Sureness.LIKELY,
        f"{missing / column.rows:.0%} of the rows have no `{column.name}` and are left out",
    )  # fmt: skip


def _not_counted(column: Column) -> Decision | None:
    """Leave out counts of nothing, and returns, if they are more than a few."""
    numbers = _counted(column)
    none = sum(rows for number, rows in numbers.items() if number <= 0)
    if none <= MANY * column.rows:
        return None
    # A negative number may be a return or a code: that is for a person to know.
    sure = Sureness.LIKELY if min(numbers) == 0 else Sureness.GUESS
    return Decision(
        "plays.where", f"{quoted(column.name)} > 0", sure,
        f"{none / column.rows:.0%} of the rows have a `{column.name}` of 0 or less",
    )  # fmt: skip


def is_missing_id(value: str | None) -> bool:
    """Tell whether a run takes a value for a missing id."""
    return value is None or not value.strip() or value in ID_NULLS


def quoted(name: str) -> str:
    """Write a column's name as a row filter takes it."""
    plain = name.isidentifier() and name.isascii() and name.upper() not in _KEYWORDS
    return name if plain else '"' + name.replace('"', '""') + '"'


_KEYWORDS = frozenset(("ORDER", "GROUP", "SELECT", "WHERE", "FROM", "CASE", "END", "TABLE", "USER"))


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _event(columns: Sequence[Column]) -> Decision | None:
    """Find a column with kinds of events, and the kinds that are plays."""
    for column in sorted(columns, key=lambda c: -has(c.name, EVENT)):
        if column.kind is not Kind.TEXT or not 1 < column.distinct <= 30:
            continue
        counted = Counter(value for value in column.values if value)
        levels = {value: _level(value) for value in counted}
        known = [value for value, level in levels.items() if level is not None]
        if len(known) < 0.5 * len(counted) and not (known and has(column.name, EVENT)):
            continue
        best = min((level for level in levels.values() if level is not None and level >= 0),
                   default=None)  # fmt: skip
        if best is None:
            continue
        # Events of the best kind: plays before purchases before likes before views.
        kept = [value for value, level in levels.items() if level == best]
        if best == 1:
            kept = [v for v, level in levels.items() if level in (1, 2)] if len(kept) < 1 else kept
        name = quoted(column.name)
        condition = (
            f"{name} = {_literal(kept[0])}" if len(kept) == 1
            else f"{name} IN ({', '.join(map(_literal, kept))})"
        )  # fmt: skip
        others = ", ".join(value for value in counted if value not in kept)
        sure = Sureness.LIKELY if best == 0 and len(known) == len(counted) else Sureness.GUESS
        return Decision(
            "plays.where", condition, sure,
            f"`{column.name}` tells kinds of events; {others} would not count as plays",
        )  # fmt: skip
    return None


def _level(value: str) -> int | None:
    """Return the place of an event among the levels, −1 for what is no play, None if unknown."""
    found = set(words(value)) | {value.strip().lower()}
    if found & _NOT:
        return -1
    return next((number for number, level in enumerate(_LEVELS) if found & level), None)


def _counted(column: Column) -> Counter[float]:
    """Count the numbers of a column."""
    found: Counter[float] = Counter()
    for value, count in Counter(value for value in column.values if value).items():
        number = to_number(value, column.decimal, column.thousands)
        if number is not None and number == number:
            found[number] += count
    return found


def _is_flag(column: Column) -> bool:
    return column.kind is Kind.BOOLEAN or (
        column.kind is Kind.INTEGER and column.low == 0 and column.high == 1
    )


def _flag(columns: Sequence[Column]) -> Decision | None:
    for column in columns:
        if _is_flag(column) and has(column.name, NEGATIVE_FLAGS):
            return Decision(
                "plays.where", f"NOT {quoted(column.name)}", Sureness.LIKELY,
                f"rows with `{column.name}` are no plays",
            )  # fmt: skip
    for column in columns:
        if _is_flag(column) and has(column.name, POSITIVE_FLAGS):
            return Decision(
                "plays.where", quoted(column.name), Sureness.GUESS,
                f"`{column.name}` says whether the row was one",
            )  # fmt: skip
    for column in columns:
        numbers = () if has(column.name, RATING) or not column.is_number else _counted(column)
        if {*numbers} in ({-1.0, 1.0}, {-1.0, 0.0, 1.0}):
            return Decision(
                "plays.where", f"{quoted(column.name)} > 0", Sureness.GUESS,
                f"`{column.name}` is 1 or -1, as for likes and dislikes",
            )  # fmt: skip
    return None


def _rating_column(columns: Sequence[Column], named: bool) -> Column | None:
    numbers = [column for column in columns if column.is_number and column.distinct > 1]
    by_name = [c for c in numbers if has(c.name, RATING) and c.high <= 100 and c.low >= -10]
    exact = [c for c in by_name if c.name.lower() in ("rating", "stars", "score", "overall")]
    if by_name:
        return (exact or by_name)[0]
    constant = [c for c in columns if c.is_number and has(c.name, RATING)]
    if constant and 1 < constant[0].high <= 10:
        return constant[0]
    return None if named else next(filter(_looks_rated, numbers), None)


def _looks_rated(column: Column) -> bool:
    """Tell whether numbers without a name look like ratings: few values, the upper ones common."""
    steps = {value for value in column.values if value}
    if not (len(steps) <= 11 and column.low >= -1 and column.high in (5, 10)):
        return False
    numbers = _counted(column)
    ordered = [numbers[key] for key in sorted(numbers)]
    falling = all(one >= other for one, other in pairwise(ordered))
    return not falling  # counts fall from one play on


def scale_of(column: Column) -> Scale:
    """Read the scale of a column of ratings, and where liking begins on it."""
    numbers = _counted(column)
    values = sorted(numbers)
    positive = [value for value in values if value > 0] or [0.0]
    high = next((top for top, _ in _SCALES if top >= values[-1]), values[-1])
    if (
        high in (3.0, 4.0)
        and values[-1] >= 3
        and has(column.name, frozenset(("star", "stars", "rating")))
    ):
        high = 5.0
    threshold = next((least for top, least in _SCALES if top == high), 0.7 * high)
    if any(not value.is_integer() for value in values) and high == 5.0:
        threshold = 3.5
    if values[0] < -1:  # a scale around zero
        return Scale(values[0], high, round(values[0] + 0.7 * (high - values[0]), 1), False)
    lowest = positive[0]
    zeros = numbers[0.0] + numbers[-1.0]
    placeholder = values[0] <= 0 and high >= 5 and (values[0] == -1 or zeros > 0.05 * column.count)
    if high == 1.0:
        threshold = 1.0
    return Scale(lowest if placeholder else values[0], high, threshold, placeholder)


def _rated(column: Column, named: bool) -> Decision:
    scale = scale_of(column)
    numbers = _counted(column)
    rows = max(1, sum(numbers.values()))
    kept = sum(n for value, n in numbers.items() if value >= scale.threshold) / rows
    reason = (
        f"ratings from {scale.low:g} to {scale.high:g}; from {scale.threshold:g} on they count as "
        f"plays ({kept:.0%} of the rows): this is a choice"
    )
    if scale.has_placeholder:
        reason += "; 0 or -1 seems to mean seen, but not rated, and is left out"
    if kept in (0.0, 1.0):
        reason += "; the sample has no other ratings" if kept else ""
    sure = Sureness.LIKELY if named and scale.high in (5, 10, 100) else Sureness.GUESS
    value = {"column": column.name, "min": scale.threshold}
    return Decision("plays.strength", value, sure, reason)


def _count_column(columns: Sequence[Column], named: bool) -> Decision | None:
    numbers = [
        c for c in columns
        if c.is_number and c.high > 0 and c.filled > 0.5 and not is_id_name(c.name)
        and not has(c.name, YEAR)
    ]  # fmt: skip
    by_name = [c for c in numbers if has(c.name, COUNT) and not has(c.name, DURATION)]
    by_name.sort(key=lambda c: -has(c.name, frozenset(("plays", "playcount", "count"))))
    if by_name:
        column = by_name[0]
        if has(column.name, frozenset(("minutes", "mins", "total", "amount", "num", "n"))):
            sure = Sureness.GUESS
        else:
            sure = Sureness.SURE if has(column.name, _SURE_COUNTS) else Sureness.LIKELY
        if column.high > 1_000_000:
            return None
        whole = "" if column.kind is Kind.INTEGER else ", not whole ones"
        reason = f"numbers from {column.low:g} to {column.high:g}{whole}"
        return Decision(
            "plays.count", column.name, sure, reason, tuple(c.name for c in by_name[1:])
        )
    if named:
        return None
    unnamed = [c for c in numbers if c.low >= 0 and c.distinct > 1 and c.high <= 1_000_000]
    if not unnamed:
        return None
    column = unnamed[0]
    return Decision(
        "plays.count", column.name, Sureness.GUESS,
        f"numbers from {column.low:g} to {column.high:g}, the small ones most common",
    )  # fmt: skip


_SURE_COUNTS = word_set("playcount playcounts plays play_count listens listencount count")


def _duration(columns: Sequence[Column]) -> Decision | None:
    """Propose the industry's half minute where the history says how long a track was heard."""
    for column in columns:
        if not column.is_number or not has(column.name, DURATION) or has(column.name, ITEM):
            continue
        in_ms = column.high > 100_000 or has(column.name, frozenset(("ms", "millis", "msplayed")))
        least = _LISTENED_MS if in_ms else 30
        unit = "milliseconds" if in_ms else "seconds"
        return Decision(
            "plays.where", f"{quoted(column.name)} >= {least}", Sureness.GUESS,
            f"`{column.name}` seems to be {unit} listened; half a minute counts as a play",
        )  # fmt: skip
    return None
