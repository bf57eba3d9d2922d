"""Tell for every line of a text whether it is a record, part of one, or damaged.

Lines without trouble are recognised with whole-array operations; only lines whose quotes are not
plainly right (one in thousands of a usual file) are read character by character.
"""

import re
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tasks.ingest.files import BOM

GOOD, BAD = 1, 2
LONGEST_QUOTED = 1 << 20
"""Bytes that a record with quoted line breaks may have; a longer one is an open quote."""

_QUOTE, _LF, _CR = 34, 10, 13
_QUOTED = re.compile(rb'"[^"]*+(?:""[^"]*+)*+"')  # possessive: a doubled quote stays one

Positions = NDArray[np.int64]


@dataclass(frozen=True)
class Grammar:
    """What a record of the file looks like."""

    delimiter: bytes
    fields: int
    single_line: frozenset[int]
    """Positions of the fields that cannot hold a line break."""


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
    for wrong, reason in (
        (counts < grammar.fields, "too_few_fields"),
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
        verdict = _read_one(lines, grammar, line, last)
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
    return Marked(lines, state, stops, kept, used)


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
    is_quote = array == _QUOTE
    quotes = np.flatnonzero(is_quote)
    suspicious = np.zeros(len(lines.starts), np.bool_)
    if len(quotes):
        # Delimiters count where the number of quotes before them in their line is even.
        odd = np.bitwise_and(np.cumsum(is_quote, dtype=np.uint8), 1).view(np.bool_)
        first = np.searchsorted(quotes, lines.starts)
        stop = np.searchsorted(quotes, lines.ends)
        is_mark &= odd == np.repeat(first % 2 == 1, _lengths(lines))
        suspicious = _has_odd_quotes(lines, grammar, quotes, first, stop)
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
    edges[[_QUOTE, _LF, _CR, grammar.delimiter[0]]] = True
    counts = stop - first
    opens = (np.arange(len(quotes)) - np.repeat(first, counts)) % 2 == 0
    at_start = quotes == np.repeat(lines.starts, counts)
    padded = np.append(lines.array, np.full(2, _LF, np.uint8))
    fits = edges[padded[quotes + np.where(opens, -1, 1)]] | (opens & at_start)
    odd: NDArray[np.bool_] = counts % 2 == 1
    odd[np.repeat(np.arange(len(counts)), counts)[~fits]] = True
    return odd


def _read_one(lines: Lines, grammar: Grammar, line: int, last: bool) -> int | str | None:
    """Read the record that starts on a line, character by character.

    Returns where the next record starts, or the reason why this line is none, or None where the
    text ends before that can be told.
    """
    text, start = lines.text, int(lines.starts[line])
    limit = start + LONGEST_QUOTED
    position, end, fields = start, int(lines.ends[line]), 0
    while True:
        if text.startswith(b'"', position):
            match = _QUOTED.match(text, position, limit)
            if match is None:
                return None if limit > len(text) and not last else "open_quote"
            broken = match.end() > end
            position = match.end()
            if broken:
                if fields in grammar.single_line:
                    return "open_quote"
                inside = int(np.searchsorted(lines.nexts, position, side="right"))
                end = int(lines.ends[min(inside, len(lines.ends) - 1)])
            at_mark = text.startswith(grammar.delimiter, position)
            if position != end and not at_mark:
                return "open_quote" if end > lines.ends[line] else "text_after_quote"
        fields += 1
        mark = text.find(grammar.delimiter, position, end)
        if mark < 0:
            break
        position = mark + 1
    if fields == grammar.fields:
        return int(lines.nexts[np.searchsorted(lines.ends, end)])
    if end > lines.ends[line]:
        return "open_quote"
    return "too_few_fields" if fields < grammar.fields else "too_many_fields"
