"""Find the input files, see what they are, and find the columns the dataset names in them."""

import csv
import difflib
import glob
import gzip
import shutil
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.errors import InputError
from warehouse.files import resolved

BOM = b"\xef\xbb\xbf"
HEAD = 1 << 16
_DELIMITERS = (",", "\t", ";", "|")
_MAGIC = {
    b"PAR1": "parquet",
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
}
_NOT_TEXT = {
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a zip archive or a spreadsheet",
    b"SQLite format 3": "an SQLite database",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
}


class MissingColumnError(InputError):
    """A file lacks a column that the dataset names."""


@dataclass(frozen=True)
class InputFile:
    """One input file, before it is opened."""

    path: Path
    name: str
    """How reports call it, see `tell_apart`."""
    kind: str
    """csv, gzip, zstd or parquet, by the first bytes and not by the name."""


@dataclass(frozen=True)
class OpenedFile:
    """One input file with its header understood."""

    file: InputFile
    text: Path
    """Where its plain bytes are: the file itself, or its inflated copy."""
    columns: tuple[str, ...]
    """The header."""
    delimiter: str
    """The character between fields; meaningless for Parquet."""
    positions: Mapping[str, int]
    """Column name → position, for the columns that the dataset names and the file has."""

    @property
    def is_parquet(self) -> bool:
        """Tell whether the file is Parquet (CSV otherwise)."""
        return self.file.kind == "parquet"


def find_files(paths: Sequence[str], field: str) -> list[InputFile]:
    """Resolve paths and globs to files, no file twice.

    ``field`` is the TOML field or the flag that the paths were given by, for messages. Raises
    InputError when a path leads to no file or to something that is not CSV or Parquet.
    """
    return [recognise(path, field) for path in matching_paths(paths, field)]


def matching_paths(paths: Sequence[str], field: str) -> list[Path]:
    """Resolve paths and globs, no file twice. Raises InputError when a glob matches nothing."""
    found: dict[Path, Path] = {}
    for path in paths:
        literal = Path(path)
        matches = [literal]
        if not literal.exists() and glob.has_magic(path):
            root = literal.anchor
            below = Path(root or ".").glob(str(literal.relative_to(root)))
            matches = [match for match in below if match.is_file()]
            if not matches:
                raise InputError(f"no file matches {path} (`{field}`); check the pattern")
        for match in matches:
            found.setdefault(resolved(match), match)
    return list(found.values())


def tell_apart(*groups: Sequence[InputFile]) -> list[list[InputFile]]:
    """Give files that share a name their whole path for one, and sort each group by name."""
    paths: dict[str, set[Path]] = {}
    for file in chain(*groups):
        paths.setdefault(file.name, set()).add(file.path)
    named = (
        [
            file if len(paths[file.name]) == 1 else replace(file, name=str(file.path))
            for file in group
        ]
        for group in groups
    )
    return [sorted(group, key=lambda file: file.name) for group in named]


def recognise(path: Path, field: str) -> InputFile:
    """See what a file is by its first bytes; raises InputError if neither CSV nor Parquet."""
    if path.is_dir():
        raise InputError(
            f"{path} is a folder; give a file in `{field}`, or a glob like {path}/*.csv"
        )
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except FileNotFoundError:
        raise InputError(f"there is no file {path}; check `{field}`") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); check `{field}`") from None
    if not head:
        raise InputError(f"{path} is empty; give a file with a header and rows in `{field}`")
    for magic, what in _NOT_TEXT.items():
        if head.startswith(magic):
            raise InputError(f"{path} is {what}, not a CSV; give UTF-8 CSV or Parquet in `{field}`")
    kinds = (kind for magic, kind in _MAGIC.items() if head.startswith(magic))
    return InputFile(path=path, name=path.name, kind=next(kinds, "csv"))


def open_file(
    file: InputFile,
    columns: Mapping[str, str],
    inflate_to: Path,
    delimiter: str | None = None,
    optional: frozenset[str] = frozenset(),
    given_by: str | None = None,
) -> OpenedFile:
    """Inflate the file if need be (to ``inflate_to``), read its header, find the named columns.

    ``columns`` maps the TOML's fields to column names, ``optional`` holds the fields whose column
    may be absent, ``given_by`` is the flag the file was given by if there is no TOML. Raises
    MissingColumnError for a header without a named column.
    """
    if file.kind == "parquet":
        header = _parquet_columns(file, columns)
        opened = OpenedFile(file, file.path, header, ",", {})
    else:
        text = file.path if file.kind == "csv" else _inflated(file, inflate_to)
        header, found = _csv_header(file, text, columns, delimiter)
        opened = OpenedFile(file, text, header, found, {})
    positions = _positions(opened, columns, optional, given_by)
    return replace(opened, positions=positions)


def _parquet_columns(file: InputFile, columns: Mapping[str, str]) -> tuple[str, ...]:
    try:
        metadata = pq.read_metadata(file.path)
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(
            f"{file.path} is a damaged Parquet file ({error}); write it again"
        ) from None
    if metadata.num_rows == 0:
        raise InputError(f"{file.path} has no rows; give a file with at least one")
    schema = metadata.schema.to_arrow_schema()
    for field in schema:
        may_be_lists = columns.get("tracks.tags.column") == field.name
        if field.name in columns.values() and pa.types.is_nested(field.type) and not may_be_lists:
            raise InputError(
                f"{file.path}: column `{field.name}` holds {field.type}; write text or numbers"
            )
    return tuple(schema.names)


def _inflated(file: InputFile, target: Path) -> Path:
    """Write the plain bytes of a compressed file to ``target`` and return where they are."""
    opener = gzip.open if file.kind == "gzip" else _open_zstd
    try:
        with opener(file.path) as source, target.open("wb") as plain:
            shutil.copyfileobj(source, plain, 1 << 22)
    except (OSError, EOFError, zlib.error, pa.ArrowInvalid) as error:
        raise InputError(
            f"{file.path} is damaged {file.kind} data ({error}); compress or copy it again"
        ) from None
    return target


def _open_zstd(path: Path) -> IO[bytes]:
    stream: IO[bytes] = pa.input_stream(str(path), compression="zstd")
    return stream


def _csv_header(
    file: InputFile, text: Path, columns: Mapping[str, str], delimiter: str | None
) -> tuple[tuple[str, ...], str]:
    """Return the header's names and the delimiter that finds most of the named columns in it."""
    with text.open("rb") as source:
        head = source.read(HEAD)
    lines = head.removeprefix(BOM).lstrip(b"\r\n").splitlines()
    if not lines:
        raise InputError(f"{file.path} is empty; give a file with a header and rows")
    try:
        line = lines[0].decode("utf-8")
    except UnicodeDecodeError:
        line = "\0"
    if "\0" in line:
        raise InputError(f"{file.path} is not UTF-8 text; give a UTF-8 CSV or Parquet")
    wanted = set(columns.values())

    def split(mark: str) -> tuple[str, ...]:
        return tuple(name.strip() for name in next(csv.reader([line], delimiter=mark)))

    if delimiter is None:
        delimiter = max(
            _DELIMITERS, key=lambda mark: (len(wanted & {*split(mark)}), len(split(mark)))
        )
    return split(delimiter), delimiter


def _positions(
    opened: OpenedFile,
    columns: Mapping[str, str],
    optional: frozenset[str],
    given_by: str | None,
) -> dict[str, int]:
    file, header = opened.file, opened.columns
    positions = {}
    for field, column in columns.items():
        if header.count(column) > 1:
            raise InputError(f"{file.name} has two columns `{column}`; rename one")
        if column in header:
            positions[column] = header.index(column)
        elif field not in optional:
            raise MissingColumnError(_missing(opened, field, column, given_by))
    return positions


def _missing(opened: OpenedFile, field: str, column: str, given_by: str | None) -> str:
    """Say which column is not there, which are, and what the mend may be."""
    header = opened.columns
    names = ", ".join(header[:30])[:400]
    by_lower = {name.lower(): name for name in reversed(header)}
    close = [by_lower[name] for name in difflib.get_close_matches(column.lower(), by_lower, n=1)]
    if given_by:
        said = f"there is no column `{column}`"
        right = f"give the right file, with a header, in `{given_by}`"
        mend = f"rename `{close[0]}` to `{column}`" if close else right
        mend += ", or describe the file in a dataset TOML (docs/dataset.md)"
    else:
        said = f"`{field}` names column `{column}`"
        mend = f"name `{close[0]}`" if close else "name the right one or give the right file"
    if len(header) == 1 and not opened.is_parquet:
        table = field.split(".", 1)[0]
        said += f", and nothing separates columns by {opened.delimiter!r}"
        mend = f"say what does in `{table}.delimiter` of a dataset TOML"
    return f"{opened.file.path}: {said}; the file has {names}; {mend}"
