"""Tell for every line of a text whether it is a record, part of one, or damaged.

Lines without trouble are recognised with whole-array operations; only lines whose quotes are not
plainly right (one in thousands of a usual file) are read character by character.
"""

import re
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tasks.ingest.dialect import BOM

GOOD, BAD = 1, 2
LONGEST_QUOTED = 1 << 20
"""Bytes that a record with quoted line breaks may have; a longer one is an open quote."""

_LF, _CR = 10, 13

Positions = NDArray[np.int64]


@dataclass(frozen=True)
class Grammar:
    """What a record of the file looks like."""

    delimiter: bytes
    fields: int
    single_line: frozenset[int]
    """Positions of the fields that cannot hold a line break."""
    required: int = 0
    """Fields that a record must have if those after them may be missing; 0: all."""
    quote: bytes = b'"'
    escape: bytes = b""
    comment: bytes = b""
    strip: bool = False
    """Whether spaces may stand around a quoted field."""

    @property
    def least(self) -> int:
        """The least number of fields of a record."""
        return self.required or self.fields

    @cached_property
    def quoted(self) -> re.Pattern[bytes]:
        """A quoted field. The repetitions are possessive: a doubled quote stays one."""
        q, e = re.escape(self.quote), re.escape(self.escape)
        if self.escape:
            return re.compile(rb"%b(?:[^%b%b]++|%b.|%b%b)*+%b" % (q, q, e, e, q, q, q), re.DOTALL)
        return re.compile(rb"%b[^%b]*+(?:%b%b[^%b]*+)*+%b" % (q, q, q, q, q, q))

    @cached_property
    def unquoted(self) -> re.Pattern[bytes]:
        """A field without quotes up to the delimiter after it."""
        d, e = re.escape(self.delimiter), re.escape(self.escape)
        if self.escape:
            return re.compile(rb"(?:[^%b%b]++|%b.|%b\Z)*+" % (d, e, e, e), re.DOTALL)
        return re.compile(rb"[^%b]*+" % d)


@dataclass(frozen=True)
class Lines:
    """The physical lines of a text; ``text[starts[i]:ends[i]]`` is line i without its line end."""

    text: bytes
    starts: Positions
    ends: Positions
    nexts: Positions
    """Where the line after it starts."""
    array: NDArray[np.uint8] = field(repr=False)
    """The text's bytes."""


@dataclass(frozen=True)
class Marked:
    """The lines with a verdict on each."""

    lines: Lines
    state: NDArray[np.int8]
    """GOOD: a record starts here; BAD: a damaged record; 0: blank, or part of a record above."""
    stops: Positions
    """Where the record that starts on the line ends, its line end included."""
    reasons: dict[int, str]
    """Why a line is BAD."""
    short: dict[int, int]
    """Line → the fields at the end that a good record on it lacks."""
    used: int
    """Bytes that are decided; what follows needs more text to tell."""

    @property
    def count(self) -> int:
        """The number of records, good and bad."""
        return int(np.count_nonzero(self.state))


def split_lines(text: bytes) -> Lines:
    """Find the lines of a text whose line ends may be LF, CRLF or CR."""
    array = np.frombuffer(text, np.uint8)
    breaks = array == _LF
    if b"\r" in text:
        breaks[:-1] |= (array[:-1] == _CR) & ~breaks[1:]
        breaks[-1] |= array[-1] == _CR
    at = np.flatnonzero(breaks)
    if not len(at) or at[-1] != len(text) - 1:
        at = np.append(at, len(text))
    starts = np.concatenate([[0], at[:-1] + 1]).astype(np.int64)
    nexts = np.minimum(at + 1, len(text))
    before = array[np.maximum(at - 1, 0)] == _CR
    on_lf = array[np.minimum(at, len(text) - 1)] == _LF
    ends = at - (before & on_lf & (at > starts) & (at < len(text)))
    if BOM in text:
        starts = np.array([_after_marks(text, start) for start in starts.tolist()])
    return Lines(text, starts, ends, nexts, array)


def _after_marks(text: bytes, start: int) -> int:
    while text.startswith(BOM, start):
        start += len(BOM)
    return start


def mark_lines(lines: Lines, grammar: Grammar, last: bool) -> Marked:
    """Give every line its verdict; with ``last`` the text is known to end here."""
    reasons = _unreadable(lines)
    counts, suspicious = _count_fields(lines, grammar)
    state = np.where(lines.ends > lines.starts, GOOD, 0).astype(np.int8)
    for line in _comments(lines, grammar):
        state[line], suspicious[line] = 0, False
        reasons.pop(line, None)
    short: dict[int, int] = {}
    for line in np.flatnonzero((counts < grammar.fields) & (counts >= grammar.least)).tolist():
        short[line] = grammar.fields - int(counts[line])
    for wrong, reason in (
        (counts < grammar.least, "too_few_fields"),
        (counts > grammar.fields, "too_many_fields"),
    ):
        for line in np.flatnonzero(wrong & ~suspicious & (state == GOOD)).tolist():
            reasons.setdefault(line, reason)
    stops = lines.nexts.copy()
    damaged = {line for line, reason in reasons.items() if reason in ("nul_byte", "not_utf8")}
    used, done = len(lines.text), 0
    for line in np.flatnonzero(suspicious).tolist():
        if line < done or line in damaged:
            continue
        short.pop(line, None)
        verdict = _read_one(lines, grammar, line, last)
        if isinstance(verdict, tuple):
            verdict, short[line] = verdict
        if verdict is None:
            used, state[line:] = int(lines.starts[line]), 0
            break
        after = line + 1
        if isinstance(verdict, int):
            after = int(np.searchsorted(lines.nexts, verdict)) + 1
            if any(part in damaged for part in range(line + 1, after)):
                verdict, after = "open_quote", line + 1
        if isinstance(verdict, str):
            reasons[line] = verdict
        else:
            stops[line], state[line + 1 : after] = verdict, 0
        done = after
    kept = {line: reason for line, reason in reasons.items() if state[line] == GOOD}
    state[list(kept)] = BAD
    short = {line: missing for line, missing in short.items() if state[line] == GOOD}
    return Marked(lines, state, stops, kept, short, used)


def _comments(lines: Lines, grammar: Grammar) -> list[int]:
    """Return the lines that begin like a comment."""
    if not grammar.comment or grammar.comment not in lines.text:
        return []
    first = lines.array[np.minimum(lines.starts, len(lines.array) - 1)]
    return [
        line
        for line in np.flatnonzero(first == grammar.comment[0]).tolist()
        if lines.text.startswith(grammar.comment, int(lines.starts[line]))
    ]


def _unreadable(lines: Lines) -> dict[int, str]:
    """Find the lines with bytes that no text has: line → reason."""
    reasons: dict[int, str] = {}
    text = lines.text
    if b"\0" in text:
        zeros = np.searchsorted(lines.nexts, np.flatnonzero(lines.array == 0), side="right")
        reasons.update(dict.fromkeys(np.unique(zeros).tolist(), "nul_byte"))
    if text.isascii() or _is_utf8(text):
        return reasons
    high = np.searchsorted(lines.nexts, np.flatnonzero(lines.array >= 128), side="right")
    for line in np.unique(high).tolist():
        if not _is_utf8(text[lines.starts[line] : lines.ends[line]]):
            reasons.setdefault(line, "not_utf8")
    return reasons


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _count_fields(lines: Lines, grammar: Grammar) -> tuple[Positions, NDArray[np.bool_]]:
    """Count the fields of every line; tell which lines have quotes that need a closer look."""
    array = lines.array
    is_mark = array == grammar.delimiter[0]
    is_quote = array == grammar.quote[0] if grammar.quote else np.zeros(len(array), np.bool_)
    quotes = np.flatnonzero(is_quote)
    suspicious = np.zeros(len(lines.starts), np.bool_)
    if len(quotes):
        # Delimiters count where the number of quotes before them in their line is even.
        odd = np.bitwise_and(np.cumsum(is_quote, dtype=np.uint8), 1).view(np.bool_)
        first = np.searchsorted(quotes, lines.starts)
        stop = np.searchsorted(quotes, lines.ends)
        is_mark &= odd == np.repeat(first % 2 == 1, _lengths(lines))
        suspicious = _has_odd_quotes(lines, grammar, quotes, first, stop)
    if grammar.escape and grammar.escape in lines.text:
        escapes = np.flatnonzero(array == grammar.escape[0])
        suspicious = suspicious.copy()
        suspicious[np.searchsorted(lines.nexts, escapes, side="right")] = True
    marks = np.flatnonzero(is_mark)
    counts = np.searchsorted(marks, lines.ends) - np.searchsorted(marks, lines.starts) + 1
    return counts, suspicious


def _lengths(lines: Lines) -> Positions:
    """Return the length of every line, its line end included; in all, that of the text."""
    return np.diff(lines.nexts, prepend=0)


def _has_odd_quotes(
    lines: Lines, grammar: Grammar, quotes: Positions, first: Positions, stop: Positions
) -> NDArray[np.bool_]:
    """Tell which lines have a quote that does not plainly open or close a field.

    A quote opens at the start of a field and closes at its end; a doubled one does both. Line i
    has ``quotes[first[i]:stop[i]]``.
    """
    edges = np.zeros(256, np.bool_)
    edges[[grammar.quote[0], _LF, _CR, grammar.delimiter[0]]] = True
    counts = stop - first
    opens = (np.arange(len(quotes)) - np.repeat(first, counts)) % 2 == 0
    at_start = quotes == np.repeat(lines.starts, counts)
    padded = np.append(lines.array, np.full(2, _LF, np.uint8))
    fits = edges[padded[quotes + np.where(opens, -1, 1)]] | (opens & at_start)
    odd: NDArray[np.bool_] = counts % 2 == 1
    odd[np.repeat(np.arange(len(counts)), counts)[~fits]] = True
    return odd


def _read_one(
    lines: Lines, grammar: Grammar, line: int, last: bool
) -> int | tuple[int, int] | str | None:
    """Read the record that starts on a line, field by field.

    Returns where the next record starts (and, for a short record, how many fields it lacks), or
    the reason why this line is none, or None where the text ends before that can be known.
    """
    text, start = lines.text, int(lines.starts[line])
    limit = start + LONGEST_QUOTED
    position, end, fields = start, int(lines.ends[line]), 0
    while True:
        position = _after_spaces(text, position, end, grammar)
        if grammar.quote and text.startswith(grammar.quote, position):
            match = grammar.quoted.match(text, position, limit)
            if match is None:
                return None if limit > len(text) and not last else "open_quote"
            broken = match.end() > end
            position = match.end()
            if broken:
                if fields in grammar.single_line:
                    return "open_quote"
                inside = int(np.searchsorted(lines.nexts, position, side="right"))
                end = int(lines.ends[min(inside, len(lines.ends) - 1)])
            position = _after_spaces(text, position, end, grammar)
            at_mark = text.startswith(grammar.delimiter, position)
            if position != end and not at_mark:
                return "open_quote" if end > lines.ends[line] else "text_after_quote"
        fields += 1
        found = grammar.unquoted.match(text, position, end)
        mark = found.end() if found else position
        if mark >= end:
            break
        position = mark + 1
    missing = grammar.fields - fields
    on_one_line = end <= lines.ends[line]  # a short record over several lines is an open quote
    if missing == 0 or (on_one_line and 0 < missing <= grammar.fields - grammar.least):
        after = int(lines.nexts[np.searchsorted(lines.ends, end)])
        return (after, missing) if missing else after
    if end > lines.ends[line]:
        return "open_quote"
    return "too_few_fields" if missing > 0 else "too_many_fields"


def _after_spaces(text: bytes, position: int, end: int, grammar: Grammar) -> int:
    if grammar.strip:
        while position < end and text[position : position + 1] == b" ":
            position += 1
    return position
