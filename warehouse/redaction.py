"""Find ids of listeners in texts that people read: logs, pages, rows that were set aside."""

import html
import json
import re
from collections.abc import Collection, Iterator
from mmap import mmap
from urllib.parse import quote

PLACEHOLDER = "(forgotten)"

_DISTINCTIVE = 6
"""Characters from which on a text that equals an id is that id. Shorter ones may be a number or a
word, and count where the text speaks of a listener."""

_NAMED = re.compile(rb"(listener|user|user_id)[^0-9A-Za-z]{0,4}$", re.IGNORECASE)
_REACH = 16
_WORD = rb"0-9A-Za-z\x80-\xff"
_IS_WORD = re.compile(rb"[" + _WORD + rb"]")


class Redactor:
    """Finds the given ids in texts, as whole words, also as JSON, SQL, HTML and URLs write them."""

    def __init__(self, ids: Collection[str]) -> None:
        """``ids``: without white space around them."""
        spellings = {one for listener in ids for one in _spellings(listener) if one}
        self._spellings = spellings
        self._lengths: dict[int, list[int]] = {}
        for one in spellings:
            lengths = self._lengths.setdefault(one[0], [])
            if len(one) not in lengths:
                lengths.append(len(one))
        for lengths in self._lengths.values():
            lengths.sort(reverse=True)
        self._starts = _starts(self._lengths)

    def spans(self, data: bytes | mmap, everywhere: bool = False) -> Iterator[tuple[int, int]]:
        """Yield where ids are in a text of bytes, none overlapping.

        With ``everywhere`` short ids count wherever they are a whole word.
        """
        if self._starts is None:
            return
        done = 0
        for match in self._starts.finditer(data):
            start = match.start()
            if start < done:
                continue
            for length in self._lengths[data[start]]:
                stop = start + length
                if data[start:stop] not in self._spellings or not _ends(data, stop):
                    continue
                named = length >= _DISTINCTIVE or everywhere or _speaks_of_one(data, start)
                if named:
                    yield start, stop
                    done = stop
                    break

    def names(self, text: str, everywhere: bool = False) -> bool:
        """Tell whether a text names one of the listeners."""
        return next(self.spans(_bytes(text), everywhere), None) is not None

    def redact(self, text: str) -> str:
        """Return the text with a placeholder for each id."""
        data = _bytes(text)
        pieces, done = [], 0
        for start, stop in self.spans(data):
            pieces += [data[done:start], PLACEHOLDER.encode()]
            done = stop
        if not pieces:
            return text
        return b"".join([*pieces, data[done:]]).decode("utf-8", "surrogatepass")


def _spellings(listener: str) -> Iterator[bytes]:
    yield _bytes(listener)
    yield _bytes(json.dumps(listener)[1:-1])
    yield _bytes(json.dumps(listener, ensure_ascii=False)[1:-1])
    yield _bytes(listener.replace("'", "''"))
    yield _bytes(repr(listener)[1:-1])
    yield _bytes(html.escape(listener))
    yield _bytes(quote(listener, safe=""))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _starts(lengths: Collection[int]) -> "re.Pattern[bytes] | None":
    """Return what matches before each place at which one may begin."""
    first = [bytes([one]) for one in lengths]
    words = b"".join(re.escape(one) for one in first if _IS_WORD.match(one))
    marks = b"".join(re.escape(one) for one in first if not _IS_WORD.match(one))
    ways = [rb"(?<![" + _WORD + rb"])(?=[" + words + rb"])"] if words else []
    ways += [rb"(?=[" + marks + rb"])"] if marks else []
    return re.compile(rb"|".join(ways)) if ways else None


def _ends(data: bytes | mmap, stop: int) -> bool:
    """Tell whether a word that goes on until ``stop`` ends there."""
    return not (_IS_WORD.match(data, stop) and _IS_WORD.match(data, stop - 1))


def _speaks_of_one(data: bytes | mmap, start: int) -> bool:
    return _NAMED.search(data[max(0, start - _REACH) : start]) is not None
