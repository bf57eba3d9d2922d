"""Read a CSV record by record, so that damage costs the damaged records and no others.

The grammar is RFC 4180 with a few habits of real files allowed: LF, CRLF and CR may be mixed, a
byte order mark may stand before any record, blank lines are no records, and a quote inside an
unquoted field is an ordinary character. A quoted field may run over several lines, but not in a
column that holds an id or a number: there, and wherever what follows cannot be read, the quote
was never closed, only the line that opens it is set aside, and reading goes on with the next.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
from numpy.typing import NDArray

from tasks.ingest.files import BOM, HEAD
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
    delimiter: str,
    wanted: Mapping[str, int],
    single_line: Collection[int],
    chunk: int = CHUNK,
) -> Iterator[Records]:
    """Read all records after the header, in order, about ``chunk`` bytes at a time.

    ``fields`` is the number of fields of the header; ``wanted`` maps the names that the columns
    shall have to positions; ``single_line`` are the positions of columns that cannot hold a line
    break. The header is record 1, so the first record read is 2.
    """
    grammar = Grammar(delimiter.encode(), fields, frozenset(single_line))
    record, rest = 2, b""
    with path.open("rb") as source:
        offset = _after_header(source.read(HEAD))
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
            yield _records(marked, record, offset, wanted, grammar)
            record += marked.count
            offset += marked.used
            rest = text[marked.used :]


def raw_text(record: bytes) -> str:
    r"""Show a record's bytes as text: what is not UTF-8 as ``\xNN``, NUL bytes too."""
    return record.rstrip(b"\r\n").decode("utf-8", "backslashreplace").replace("\0", "\\x00")


def _after_header(head: bytes) -> int:
    """Return where the first record after the header starts."""
    start = len(BOM) if head.startswith(BOM) else 0
    start += len(head[start:]) - len(head[start:].lstrip(b"\r\n"))
    first = head[start:].splitlines(keepends=True)[0]
    return start + len(first)


def _whole_lines(text: bytes) -> int:
    """Return how many bytes of the text are whole lines."""
    cut = text.rfind(b"\n") + 1
    return cut or text.rfind(b"\r", 0, len(text) - 1) + 1


def _records(
    marked: Marked, first: int, offset: int, wanted: Mapping[str, int], grammar: Grammar
) -> Records:
    text = marked.lines.text
    numbers = first + np.cumsum(marked.state > 0) - 1
    good = marked.state == GOOD
    starts, stops = marked.lines.starts[good], marked.stops[good]
    columns = _split_fields(_joined(text, starts, stops), wanted, grammar)
    if columns.num_rows != len(starts):
        raise RunError(
            f"records {first} and following were cut into {columns.num_rows} rows instead of "
            f"{len(starts)}; please report this input"
        )
    table = pa.table(
        {
            **{name: columns[name] for name in wanted},
            RECORD: numbers[good],
            START: starts + offset,
            LENGTH: (stops - starts).astype(np.int32),
        }
    )
    rejected = [
        Rejected(int(numbers[line]), reason, raw_text(text[start:stop]))
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


def _split_fields(text: bytes, wanted: Mapping[str, int], grammar: Grammar) -> pa.Table:
    """Split well-formed records into the wanted columns."""
    if not text:
        return pa.table({name: pa.array([], pa.string()) for name in wanted})
    names = [str(position) for position in range(grammar.fields)]
    include = list(dict.fromkeys(str(position) for position in wanted.values()))
    table = pa_csv.read_csv(
        pa.BufferReader(text),
        read_options=pa_csv.ReadOptions(column_names=names, block_size=len(text) + 1),
        parse_options=pa_csv.ParseOptions(
            delimiter=grammar.delimiter.decode(), newlines_in_values=b'"' in text
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
