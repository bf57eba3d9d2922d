"""One table as a bounded sample shows it: its files, dialect and columns."""

import datetime
import glob
import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.dataset.detect.content import (
    ByteSample,
    Compression,
    refuse_sections,
    sample_bytes,
)
from tasks.dataset.detect.dialect import Dialect, detect_dialect, name_columns_of, parse
from tasks.dataset.detect.encoding import ALL_ASCII, Encoding, detect_encoding
from tasks.dataset.detect.sureness import Sureness
from tasks.dataset.detect.values import Column, Kind, describe_column
from tasks.dataset.folders import data_files, partitions_of
from warehouse.errors import InputError

MOST_ROWS = 150_000
"""Rows of a sample."""
_PARTS = 60
"""Files of a folder with partitions that are looked into."""
_GROUPS = 5
"""Row groups of a Parquet file that are looked into."""


@dataclass(frozen=True, eq=False)  # compared by identity: samples are large
class Table:
    """One input table: one file, or several of the same columns and dialect."""

    paths: tuple[str, ...]
    """As they were given."""
    format: Literal["csv", "json", "parquet"]
    columns: tuple[Column, ...]
    share: float
    """Share of the rows that the sample holds."""
    rows: int
    """Rows of the sample."""
    compression: Compression | None = None
    encoding: Encoding | None = None
    dialect: Dialect | None = None
    notes: tuple[str, ...] = ()
    """What a user should know about the file."""
    files: tuple[Path, ...] = field(default=(), repr=False)

    @property
    def label(self) -> str:
        """What messages call it."""
        return self.paths[0] + (f" and {len(self.paths) - 1} more" if self.paths[1:] else "")

    @property
    def whole_rows(self) -> int:
        """About how many rows there are in all."""
        return round(self.rows / self.share) if self.share else self.rows

    def column(self, name: str) -> Column:
        """Return a column by name."""
        return next(column for column in self.columns if column.name == name)


def look(
    path: str, adjust: Callable[[Dialect], Dialect] | None = None, encoding: str = ""
) -> Table:
    """Look at one file, a folder of Parquet parts, or a glob.

    ``adjust`` changes the dialect that was found, for a text that is described; ``encoding`` is
    the described one. Raises InputError for what is missing, empty or no table.
    """
    files = _files(path)
    filled = [file for file in files if file.stat().st_size > 0]
    if not filled:
        raise InputError(f"{path} is empty; give a file with rows in it")
    table = _look_at_file(filled[0], path, adjust, encoding)
    if partitions_of(filled[0]):
        some = filled[1 :: -(-len(filled) // _PARTS)]
        parts = [table, *(_look_at_file(file, path, adjust, encoding) for file in some)]
        table = _with_partitions(parts, [filled[0], *some], len(filled))
    else:
        table = replace(table, share=table.share / len(filled))
    empty = len(files) - len(filled)
    if empty:
        table = replace(table, notes=(*table.notes, f"{empty} of its files are empty"))
    return replace(table, files=tuple(files))


def _with_partitions(parts: Sequence[Table], files: Sequence[Path], of: int) -> Table:
    """Return some ``of`` a folder's files as one table, with the columns that the folders name."""
    first = parts[0]
    alike = [
        (part, dict(partitions_of(file))) for part, file in zip(parts, files, strict=True)
        if {column.name for column in part.columns} == {column.name for column in first.columns}
    ]  # fmt: skip
    columns = []
    for column in first.columns:
        same = [part.column(column.name) for part, _ in alike]
        values = [value for one in same for value in one.values][:MOST_ROWS]
        columns.append(describe_column(column.name, values, _native(column)))
    known = {column.name for column in columns}
    for name, _ in partitions_of(files[0]):
        if name not in known:
            values = [folders.get(name) for part, folders in alike for _ in range(part.rows)]
            columns.append(describe_column(name, values[:MOST_ROWS]))
    rows = sum(part.rows for part, _ in alike)
    whole = sum(part.whole_rows for part, _ in alike) * of / len(alike)
    kept = min(rows, MOST_ROWS)
    return replace(first, columns=tuple(columns), rows=kept, share=kept / whole if whole else 1.0)


def _native(column: Column) -> str:
    """Return the native type to describe a column by."""
    if column.is_native_time:
        return "time"
    if column.kind is Kind.LIST and column.list_syntax == "native":
        return "list"
    return "object" if column.kind is Kind.OBJECT else ""


def _files(path: str) -> list[Path]:
    if "://" in path:
        raise InputError(f"{path} is a remote address, which is not read; download the file first")
    place = Path(path)
    if place.is_dir():
        found = [one for one in data_files(place) if one.is_file()]
    elif place.exists():
        found = [place]
    else:
        found = [
            Path(one)
            for one in sorted(glob.glob(path, recursive=True))  # noqa: PTH207 - absolute ones too
            if Path(one).is_file()
        ]
    if not found:
        raise InputError(f"there is no file {path}; check the path")
    return found


def _look_at_file(
    file: Path, path: str, adjust: Callable[[Dialect], Dialect] | None, given: str
) -> Table:
    try:
        with file.open("rb") as opened:
            start = opened.read(4)
    except OSError as error:
        raise InputError(f"{file} cannot be read ({error.strerror})") from None
    if start == b"PAR1":
        return _look_at_parquet(file, path)
    sample = sample_bytes(file)
    if sample.blocks and sample.blocks[0][:4] == b"PAR1":
        raise InputError(f"{file} is a compressed Parquet file; decompress it")
    if not sample.blocks or not any(block.strip() for block in sample.blocks):
        raise InputError(f"{file} is empty; give a file with rows in it")
    encoding = (
        Encoding(given, Sureness.SURE, "as described") if given else detect_encoding(sample.blocks)
    )
    pieces = _decode(sample, encoding)
    head = pieces[0].lstrip()
    if head[:1] in "[{" and _is_json(file, head):
        return _look_at_json(path, sample, encoding, pieces)
    refuse_sections(file, pieces[0])
    dialect = detect_dialect(pieces)
    if adjust:
        dialect = name_columns_of(pieces[0], adjust(dialect))
    return _look_at_text(file, path, sample, encoding, pieces, dialect)


def _decode(sample: ByteSample, encoding: Encoding) -> list[str]:
    name = "utf-8-sig" if encoding.name == "utf-8" else encoding.name
    wide = encoding.name.startswith(("utf-16", "utf-32"))
    blocks = sample.blocks[:1] if wide else sample.blocks
    if wide:
        blocks = tuple(block[: len(block) // 4 * 4] for block in blocks)
    return [block.decode(name, errors="replace") for block in blocks]


def _look_at_text(
    file: Path, path: str, sample: ByteSample, encoding: Encoding, pieces: Sequence[str],
    dialect: Dialect,
) -> Table:  # fmt: skip
    if dialect.delimiter == "" and dialect.consistency < 1:
        raise InputError(f"{file} is text, but no table of rows and columns; give a CSV")
    records: list[list[str]] = []
    for number, piece in enumerate(pieces):
        rows = parse(_without_preamble(piece, dialect) if number == 0 else piece, dialect)
        if number == 0 and dialect.header:
            rows = rows[1:]
        records += rows if number == 0 else rows[1:]
        if len(records) > MOST_ROWS:
            break
    share = sample.share
    if len(records) > MOST_ROWS:
        share *= MOST_ROWS / len(records)
        records = records[:MOST_ROWS]
    width = len(dialect.columns)
    fitting = [row + [""] * (width - len(row)) for row in records if len(row) <= width]
    lines = zip(*fitting, strict=True) if fitting else [() for _ in range(width)]
    hint = "," if dialect.delimiter == ";" else ""
    columns = tuple(
        describe_column(name, [value.strip() if dialect.strip else value for value in values],
                        decimal_hint=hint)
        for name, values in zip(_unique(dialect.columns), lines, strict=True)
    )  # fmt: skip
    notes: list[str] = []
    odd = len(records) - sum(len(row) == dialect.width for row in records)
    if odd:
        notes.append(f"{odd:,} of {len(records):,} sampled rows have another number of fields")
    if encoding.is_damaged:
        notes.append("some bytes are not UTF-8; those rows will be rejected")
    return Table(
        (path,), "csv", columns, share, len(fitting), sample.compression, encoding, dialect,
        tuple(notes),
    )  # fmt: skip


def _unique(names: Sequence[str]) -> list[str]:
    seen: dict[str, int] = {}
    found = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        found.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return found


def _without_preamble(text: str, dialect: Dialect) -> str:
    for _ in range(dialect.skip):
        text = text.partition("\n")[2]
    return text


def _is_json(file: Path, head: str) -> bool:
    """Tell whether text is JSON rows; raises InputError for other JSON."""
    decoder = json.JSONDecoder()
    if head[0] == "{":
        first = head.partition("\n")[0]
        try:
            value, end = decoder.raw_decode(head)
        except ValueError:
            if first.startswith(("{'", "{u'")):
                raise InputError(
                    f"{file} holds Python literals, not JSON; write its rows with json.dumps"
                ) from None
            if first.startswith('{"') and first.rstrip().endswith("}"):
                return True  # the first line is damaged, others may do
            if len(head) > 100_000 and first.startswith('{"'):
                raise InputError(_NESTED.format(file=file, what="")) from None
            return first.rstrip() == "{" and _refuse_object(file, {})
        rest = head[end:].lstrip()
        if rest[:1] == "{" or (isinstance(value, dict) and not rest and _is_flat(value)):
            return True
        return _refuse_object(file, value)
    _refuse_arrays(file, head)
    try:
        value, _ = decoder.raw_decode(head[1:].lstrip())
    except ValueError:
        return False
    return isinstance(value, dict)


def _refuse_arrays(file: Path, head: str) -> None:
    """Raise InputError for JSON arrays of plain values: nothing names the columns."""
    first = head.partition("\n")[0].strip().removesuffix(",")
    for text in (first, first.removeprefix("[")):  # a line each, or an array of arrays
        try:
            value = json.loads(text)
        except ValueError:
            continue
        rows = value if isinstance(value, list) else []
        if rows and not any(isinstance(one, dict) for one in rows):
            raise InputError(
                f"{file} holds JSON arrays, whose values have no names; write one object per play "
                "or track, a line each"
            )


_NESTED = (
    "{file} is one JSON object{what}, not rows; write one object per play or track, a line each"
)


def _refuse_object(file: Path, value: object) -> bool:
    lists = (
        [key for key, inner in value.items() if isinstance(inner, list)]
        if isinstance(value, dict)
        else []
    )
    what = f" with a list in `{lists[0]}`" if lists else ""
    raise InputError(_NESTED.format(file=file, what=what))


def _is_flat(value: Mapping[str, Any]) -> bool:
    return not any(isinstance(inner, dict | list) for inner in value.values())


def _look_at_json(
    path: str, sample: ByteSample, encoding: Encoding, pieces: Sequence[str]
) -> Table:
    rows: list[Mapping[str, Any]] = []
    damaged = 0
    if pieces[0].lstrip()[0] == "[":
        rows, seen = _array_rows(pieces[0].lstrip())
        share = sample.share * seen * len(pieces[0]) / sum(map(len, pieces))
    else:
        share = sample.share
        decoder = json.JSONDecoder()
        for line in (line for piece in pieces for line in piece.split("\n") if line.strip()):
            try:
                row = decoder.decode(line)
            except ValueError:
                damaged += 1
                continue
            if isinstance(row, dict):
                rows.append(row)
            if len(rows) >= MOST_ROWS:
                break
    if not rows:
        raise InputError(f"{path} begins like JSON but no row of it can be read; check the file")
    names = list(dict.fromkeys(name for row in rows[:2000] for name in row))
    columns = tuple(_from_objects(name, [row.get(name) for row in rows]) for name in names)
    notes = (f"{damaged:,} sampled lines are not JSON",) if damaged else ()
    return Table(
        (path,), "json", columns, share, len(rows), sample.compression, encoding, None, notes
    )


def _array_rows(text: str) -> tuple[list[Mapping[str, Any]], float]:
    """Read the objects of a JSON array as far as the text goes, and the share that was read."""
    decoder, position = json.JSONDecoder(), 1
    rows: list[Mapping[str, Any]] = []
    while len(rows) < MOST_ROWS:
        while position < len(text) and text[position] in " \t\r\n,":
            position += 1
        try:
            value, position = decoder.raw_decode(text, position)
        except ValueError:
            break
        if isinstance(value, dict):
            rows.append(value)
    return rows, min(1.0, (position + 2) / len(text))


def _from_objects(name: str, values: Sequence[Any]) -> Column:
    present = [value for value in values if value is not None]
    kinds = {type(value) for value in present}
    native = "value"
    if present and kinds <= {list, tuple}:
        native = "list"
    elif present and kinds <= {dict, list} and dict in kinds:
        native = "object"
    elif present and kinds <= {datetime.date, datetime.datetime}:
        native = "time"
    return describe_column(name, [_as_text(value) for value in values], native)


def _as_text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple | dict):
        return json.dumps(value, ensure_ascii=False, default=str) if value else None
    if isinstance(value, float) and value != value:
        return None
    if isinstance(value, bytes):
        return str(uuid.UUID(bytes=value)) if len(value) == 16 else value.decode("utf-8", "replace")
    return str(value)


def _look_at_parquet(file: Path, path: str) -> Table:
    try:
        opened = pq.ParquetFile(file)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{file} is a damaged Parquet file ({error})") from None
    total = opened.metadata.num_rows
    groups = opened.num_row_groups
    step = max(1, groups // _GROUPS)
    tables: list[pa.Table] = []
    for group in range(0, groups, step):
        each = MOST_ROWS // _GROUPS if groups > 1 else MOST_ROWS
        batches = opened.iter_batches(batch_size=each, row_groups=[group])
        first = next(batches, None)
        if first is not None:
            tables.append(pa.Table.from_batches([first]))
    if not tables or not total:
        raise InputError(f"{path} is a Parquet file without rows; give a file with rows in it")
    rows = pa.concat_tables(tables).slice(0, MOST_ROWS)
    columns = tuple(_from_arrow(name, rows[name]) for name in rows.column_names)
    return Table((path,), "parquet", columns, rows.num_rows / total, rows.num_rows)


def _from_arrow(name: str, column: pa.ChunkedArray) -> Column:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    values = column.to_pylist()
    if pa.types.is_floating(column.type):
        values = [_without_fraction(value) for value in values]
    return _from_objects(name, values)


def _without_fraction(value: float | None) -> float | int | None:
    """Read 17.0 as 17, as a run does: missing values make whole numbers floating-point ones."""
    if value is None or not value.is_integer() or abs(value) >= 2**53:
        return value
    return int(value)


def group_tables(tables: Sequence[Table]) -> list[Table]:
    """Join files of the same columns whose names differ in numbers, in the order given.

    A file that repeats the first one's rows stays apart.
    """
    grouped: dict[object, Table] = {}
    for table in tables:
        key: object = (table.format, _names(table), _shared_stem(table.paths[0]))
        if table.dialect and table.dialect.names_are_made_up:
            key = (key, tuple(column.kind for column in table.columns))
        if key in grouped and repeats(grouped[key], table):
            grouped[key, table.paths[0]] = table
        elif key in grouped:
            _refuse_other_dialect(grouped[key], table)
            grouped[key] = joined(grouped[key], table)
        else:
            grouped[key] = table
    return list(grouped.values())


def _names(table: Table) -> tuple[str, ...]:
    """Return the columns, in the order of the file only where nothing else tells them apart."""
    names = tuple(column.name for column in table.columns)
    ordered = table.dialect is not None and not table.dialect.header
    return names if ordered else tuple(sorted(names))


def _refuse_other_dialect(table: Table, part: Table) -> None:
    """Raise InputError for parts of one table that no single description reads."""
    one, other = table.dialect, part.dialect
    if one is None or other is None:
        return
    for what, mine, theirs in (
        ("delimiter", one.delimiter, other.delimiter),
        ("encoding", _encoding_of(table), _encoding_of(part)),
    ):
        if mine and theirs and mine != theirs:
            raise InputError(
                f"{table.label} and {part.label} have the same columns, but the {what} of one is "
                f"{mine!r} and of the other {theirs!r}; write both in the same way"
            )


def _encoding_of(table: Table) -> str:
    """Return the encoding, "" where the text does not show it."""
    given = table.encoding
    return "" if given is None or given.reason == ALL_ASCII else given.name


def joined(first: Table, more: Table) -> Table:
    """Return two tables as one, with the sample of the first."""
    return replace(
        first,
        encoding=first.encoding if _encoding_of(first) else more.encoding,
        paths=first.paths + more.paths,
        files=first.files + more.files,
        share=first.share * first.whole_rows / (first.whole_rows + more.whole_rows),
    )


def have_same_columns(table: Table, other: Table) -> bool:
    """Tell whether another table has the same columns and dialect."""
    if _names(table) != _names(other):
        return False
    if (table.format, _layout(table)) != (other.format, _layout(other)):
        return False
    made_up = table.dialect is not None and table.dialect.names_are_made_up
    return not made_up or [c.kind for c in table.columns] == [c.kind for c in other.columns]


def repeats(table: Table, other: Table) -> bool:
    """Tell whether most rows of another table of the same columns seem to be in a table too."""
    names = [column.name for column in table.columns]
    rows = {*zip(*(table.column(name).values for name in names), strict=True)}
    found = [*zip(*(other.column(name).values for name in names), strict=True)]
    shared = sum(row in rows for row in found) / max(1, len(found))
    return shared >= 0.5 * table.share


def _layout(table: Table) -> object:
    encoding = _encoding_of(table)
    one = table.dialect
    return one and (
        encoding, one.delimiter, one.quote, one.escape, one.comment, one.skip, one.header, one.strip
    )  # fmt: skip


def _shared_stem(path: str) -> str:
    """Return a file's name without the numbers that tell parts apart."""
    stem = Path(path).name.split(".", 1)[0]
    return "".join(char for char in stem.lower() if not char.isdigit()).strip("-_ ")
