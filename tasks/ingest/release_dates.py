"""Days of release: from a date, or from the year or month in which it lies."""

import re
from datetime import date

_YEAR = r"(?P<year>\d{4})"
_CLOCK = r"(?:[T ]\d{1,2}:\d{2}.*)?"
_WRITTEN = (
    re.compile(rf"{_YEAR}(?:\.0+)?"),
    re.compile(rf"{_YEAR}[-/.](?P<month>\d{{1,2}})(?:[-/.](?P<day>\d{{1,2}}))?{_CLOCK}"),
    re.compile(rf"{_YEAR}(?P<month>\d{{2}})(?P<day>\d{{2}})(?:\.0+)?"),
    re.compile(rf"(?P<name>[A-Za-z]{{3,9}})\.?(?: (?P<day>\d{{1,2}}),?)?,? {_YEAR}{_CLOCK}"),
    re.compile(rf"(?P<day>\d{{1,2}}) (?P<name>[A-Za-z]{{3,9}})\.?,? {_YEAR}{_CLOCK}"),
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def release_day(text: str) -> date | None:
    """Return the day that a text names, the first one of a month or year; None if it is none.

    Zeros stand for a month or day that is not known, as in ``1999-00-00``.
    """
    for pattern in _WRITTEN:
        if found := pattern.fullmatch(text.strip()):
            parts = found.groupdict()
            break
    else:
        return None
    month = int(parts.get("month") or 0) or 1
    if name := parts.get("name"):
        if name[:3].lower() not in _MONTHS:
            return None
        month = _MONTHS.index(name[:3].lower()) + 1
    try:
        return date(int(parts["year"]), month, int(parts.get("day") or 0) or 1)
    except ValueError:
        return None
