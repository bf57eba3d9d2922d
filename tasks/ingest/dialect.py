"""How a text file is laid out: what is between fields, around them, and before them."""

import csv
import re
from collections.abc import Collection
from dataclasses import dataclass, replace

from tasks.dataset.files import FilesSpec

BOM = b"\xef\xbb\xbf"
HEAD = 1 << 18
"""Bytes within which a header must end."""

_DELIMITERS = (",", "\t", ";", "|")
_BREAK = re.compile(rb"\r\n|\n|\r")


@dataclass(frozen=True)
class Dialect:
    """The layout of a prepared text (see `plain_text`)."""

    delimiter: str
    """One byte between fields."""
    shown: str = ""
    """What it stands for in the file as it was given, if that is longer."""
    quote: str = '"'
    escape: str = ""
    comment: str = ""
    skip: int = 0
    header: bool = True
    strip: bool = False

    @property
    def can_be_plain(self) -> bool:
        """Tell whether DuckDB can read a file without damage as it is."""
        return not (
            self.escape or self.comment or self.skip or self.strip or self.shown
        ) and self.quote in ("", '"')

    @property
    def first_record(self) -> int:
        """The number of the first record after the header, which is record 1."""
        return 2 if self.header else 1

    def restored(self, text: str) -> str:
        """Return a text of the file with the delimiter it was given with."""
        return text.replace(self.delimiter, self.shown) if self.shown else text


def header_span(head: bytes, dialect: Dialect) -> tuple[int, int]:
    """Return where the header (or, without one, the first record) starts and where it ends.

    Lines to skip, comments and blank lines come before it; the end is that of its line break.
    """
    start = len(BOM) if head.startswith(BOM) else 0
    comment = dialect.comment.encode()
    skipped = 0
    while start < len(head):
        found = _BREAK.search(head, start)
        stop, after = (found.start(), found.end()) if found else (len(head), len(head))
        blank = stop == start
        if skipped < dialect.skip:
            skipped += 1
        elif not blank and not (comment and head.startswith(comment, start)):
            return start, after
        start = after
    return len(head), len(head)


def find_dialect(
    head: bytes, spec: FilesSpec, delimiter: str | None, wanted: Collection[str]
) -> tuple[Dialect, tuple[str, ...]]:
    """Return a text's dialect and the names of its columns, () for a text without a header line.

    ``delimiter`` is the one in the prepared text, None to find the one that parts most of the
    ``wanted`` names. Raises UnicodeDecodeError for a header that is not UTF-8.
    """
    given = spec.delimiter
    dialect = Dialect(
        delimiter or ",",
        given if given is not None and given != delimiter else "",
        '"' if spec.quote is None else spec.quote,
        "" if spec.escape == spec.quote else spec.escape,
        spec.comment,
        spec.skip,
        spec.header,
        spec.strip,
    )
    start, stop = header_span(head, dialect)
    line = head[start:stop].decode("utf-8").rstrip("\r\n")

    def split(mark: str) -> tuple[str, ...]:
        reader = csv.reader(
            [line],
            delimiter=mark,
            quotechar=dialect.quote or None,
            quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
            escapechar=dialect.escape or None,
            skipinitialspace=True,
        )
        return tuple(name.strip() for name in next(reader, []))

    if delimiter is None:
        best = max(_DELIMITERS, key=lambda mark: _rank(split(mark), wanted))
        dialect = replace(dialect, delimiter=best)
    if spec.quote is None and (dialect.shown or dialect.delimiter) == "\t":
        dialect = replace(dialect, quote="")
    return dialect, split(dialect.delimiter) if line else ()


def _rank(names: tuple[str, ...], wanted: Collection[str]) -> tuple[int, int]:
    return len({*wanted} & {*names}), len(names)
