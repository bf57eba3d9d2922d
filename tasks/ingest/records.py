"""Read a CSV record by record, so that damage costs the damaged records and no others.

The grammar is RFC 4180 with a few habits of real files allowed: LF, CRLF and CR may be mixed, a
byte order mark may stand before any record, blank lines are no records, and a quote inside an
unquoted field is an ordinary character. A quoted field may run over several lines, but not in a
column that holds an id or a number: there, and wherever what follows cannot be read, the quote
was never closed, only the line that opens it is set aside, and reading goes on with the next.
"""

import csv
import io
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
from numpy.typing import NDArray

from tasks.ingest.dialect import HEAD, Dialect, header_span
from tasks.ingest.lines import GOOD, Grammar, Marked, mark_lines, split_lines
from warehouse.errors import RunError

CHUNK = 1 << 24
RECORD, START, LENGTH = "#record", "#start", "#length"


@dataclass(frozen=True)
class Rejected:
    """A record that cannot be split into fields."""

    record: int
    reason: str
    raw: str


@dataclass(frozen=True)
class Records:
    """Some consecutive records of a file.

    ``good`` holds the wanted columns as strings (null: empty), then RECORD (its number),
    START (its place in the file) and LENGTH, both in bytes.
    """

    good: pa.Table
    rejected: list[Rejected]


def read_records(
    path: Path,
    fields: int,
    dialect: Dialect,
    wanted: Mapping[str, int],
    single_line: Collection[int],
    required: int = 0,
    chunk: int = CHUNK,
) -> Iterator[Records]:
    """Read all records after the header, in order, about ``chunk`` bytes at a time.

    ``fields`` is the number of fields of the header; ``wanted`` maps the names that the columns
    should have to positions; ``single_line`` are the positions of columns that cannot hold a line
    break; ``required`` is the number of fields that a record must have (0: all), those after them
    being empty where they are missing. A header is record 1, so the first record after it is 2.
    """
    grammar = Grammar(
        dialect.delimiter.encode(),
        fields,
        frozenset(single_line),
        required,
        dialect.quote.encode(),
        dialect.escape.encode(),
        dialect.comment.encode(),
        dialect.strip,
    )
    record, rest = dialect.first_record, b""
    with path.open("rb") as source:
        offset = header_span(source.read(HEAD), dialect)[1 if dialect.header else 0]
        source.seek(offset)
        while True:
            new = source.read(chunk)
            text = rest + new
            if not text:
                return
            last = not new
            if not last and not _whole_lines(text):
                rest = text
                continue
            lines = split_lines(text if last else text[: _whole_lines(text)])
            marked = mark_lines(lines, grammar, last)
            yield _records(marked, record, offset, wanted, grammar, dialect)
            record += marked.count
            offset += marked.used
            rest = text[marked.used :]


def raw_text(record: bytes) -> str:
    r"""Show a record's bytes as text: what is not UTF-8 as ``\xNN``, NUL bytes too."""
    return record.rstrip(b"\r\n").decode("utf-8", "backslashreplace").replace("\0", "\\x00")


def _whole_lines(text: bytes) -> int:
    """Return how many bytes of the text are whole lines."""
    cut = text.rfind(b"\n") + 1
    return cut or text.rfind(b"\r", 0, len(text) - 1) + 1


def _records(
    marked: Marked,
    first: int,
    offset: int,
    wanted: Mapping[str, int],
    grammar: Grammar,
    dialect: Dialect,
) -> Records:
    text = marked.lines.text
    numbers = first + np.cumsum(marked.state > 0) - 1
    good = marked.state == GOOD
    starts, stops = marked.lines.starts[good], marked.stops[good]
    rows = np.cumsum(good) - 1
    short = {int(rows[line]): missing for line, missing in sorted(marked.short.items())}
    columns = _split_fields(_padded(text, starts, stops, short, grammar), wanted, grammar)
    if columns.num_rows != len(starts):
        raise RunError(
            f"records {first} and following were cut into {columns.num_rows} rows instead of "
            f"{len(starts)}; please report this input"
        )
    table = pa.table(
        {
            **{name: _restored(columns[name], dialect) for name in wanted},
            RECORD: numbers[good],
            START: starts + offset,
            LENGTH: (stops - starts).astype(np.int32),
        }
    )
    rejected = [
        Rejected(int(numbers[line]), reason, dialect.restored(raw_text(text[start:stop])))
        for line, reason in sorted(marked.reasons.items())
        for start, stop in [(marked.lines.starts[line], marked.lines.ends[line])]
    ]
    return Records(table, rejected)


def _joined(text: bytes, starts: NDArray[np.int64], stops: NDArray[np.int64]) -> bytes:
    """Join the spans of the text, neighbours in one piece."""
    if len(starts) == 0:
        return b""
    breaks = np.flatnonzero(starts[1:] != stops[:-1])
    begins = starts[np.concatenate([[0], breaks + 1])].tolist()
    ends = stops[np.concatenate([breaks, [len(stops) - 1]])].tolist()
    return b"".join(text[begin:end] for begin, end in zip(begins, ends, strict=True))


def _padded(
    text: bytes,
    starts: NDArray[np.int64],
    stops: NDArray[np.int64],
    short: Mapping[int, int],
    grammar: Grammar,
) -> bytes:
    """Join the records, short ones with empty fields at their end: position → fields to add."""
    pieces, done = [], 0
    for at, missing in short.items():
        pieces.append(_joined(text, starts[done:at], stops[done:at]))
        record = text[starts[at] : stops[at]].rstrip(b"\r\n")
        pieces.append(record + grammar.delimiter * missing + b"\n")
        done = at + 1
    return b"".join([*pieces, _joined(text, starts[done:], stops[done:])])


def _restored(column: pa.ChunkedArray, dialect: Dialect) -> pa.ChunkedArray:
    """Return values as they were given: trimmed if asked for, longer delimiters in them again."""
    if dialect.shown:
        column = pc.replace_substring(column, dialect.delimiter, dialect.shown)
    if dialect.strip:
        column = pc.utf8_trim_whitespace(column)
        column = pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)
    return column


def _split_fields(text: bytes, wanted: Mapping[str, int], grammar: Grammar) -> pa.Table:
    """Split well-formed records into the wanted columns."""
    if not text:
        return pa.table({name: pa.array([], pa.string()) for name in wanted})
    quoted = bool(grammar.quote) and grammar.quote in text
    if grammar.strip and quoted:
        return _split_loosely(text, wanted, grammar)
    if grammar.escape and grammar.escape + b"N" in text:
        text = _without_null_marks(text, grammar)
    names = [str(position) for position in range(grammar.fields)]
    include = list(dict.fromkeys(str(position) for position in wanted.values()))
    table = pa_csv.read_csv(
        pa.BufferReader(text),
        read_options=pa_csv.ReadOptions(column_names=names, block_size=len(text) + 1),
        parse_options=pa_csv.ParseOptions(
            delimiter=grammar.delimiter.decode(),
            quote_char=grammar.quote.decode() or False,
            escape_char=grammar.escape.decode() or False,
            newlines_in_values=quoted,
        ),
        convert_options=pa_csv.ConvertOptions(
            include_columns=include,
            column_types={name: pa.string() for name in include},
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        ),
    )
    return pa.table({name: table[str(position)] for name, position in wanted.items()})


def _split_loosely(text: bytes, wanted: Mapping[str, int], grammar: Grammar) -> pa.Table:
    """Split records whose quoted fields have spaces around them."""
    csv.field_size_limit(1 << 30)
    rows = list(
        csv.reader(
            io.StringIO(text.decode(), newline=""),
            delimiter=grammar.delimiter.decode(),
            quotechar=grammar.quote.decode(),
            escapechar=grammar.escape.decode() or None,
            skipinitialspace=True,
        )
    )
    return pa.table(
        {
            name: pa.array([row[position] or None for row in rows], pa.string())
            for name, position in wanted.items()
        }
    )


def _without_null_marks(text: bytes, grammar: Grammar) -> bytes:
    """Empty the fields that a database wrote as null; elsewhere an escaped N is an N."""
    mark, delimiter = re.escape(grammar.escape), re.escape(grammar.delimiter)
    return re.sub(
        rb"(?m)(?<![^%b\r\n])%bN(?=%b|\r|\n|\Z)" % (delimiter, mark, delimiter), b"", text
    )
