"""Find the input files, see what they are, and find the columns the dataset names in them."""

import glob
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.dataset.files import URL, FilesSpec
from tasks.dataset.folders import data_files, is_hidden, partitions_of
from tasks.ingest.dialect import BOM, HEAD, Dialect, find_dialect, header_span
from tasks.ingest.header import MissingColumnError, missing_column, no_encoding
from tasks.ingest.json_records import json_to_parquet
from tasks.ingest.limits import IngestLimits
from tasks.ingest.plain_text import inflate, transcode
from tasks.ingest.recognise import InputFile, kind_of, recognise
from tasks.ingest.records import Rejected
from warehouse.errors import InputError
from warehouse.files import resolved

__all__ = [
    "InputFile",
    "MissingColumnError",
    "OpenedFile",
    "find_files",
    "is_list",
    "matching_paths",
    "open_file",
    "recognise",
    "tell_apart",
]

COMPRESSED = ("gzip", "zstd", "bzip2", "xz", "zip")


@dataclass(frozen=True)
class OpenedFile:
    """One input file with its header understood."""

    file: InputFile
    text: Path
    """Where its plain bytes are: the file itself, an inflated copy, or the Parquet made of JSON."""
    kind: str
    """csv, parquet, or json (rows in Parquet as text, with their record numbers)."""
    columns: tuple[str, ...]
    """The header."""
    dialect: Dialect
    """The text's layout; meaningless for Parquet."""
    positions: Mapping[str, int]
    """Column name → position, for the columns that the dataset names and the file has."""
    constants: Mapping[str, str] = field(default_factory=dict)
    """Named columns that the folders of the file give, and their values."""
    rows: int | None = None
    """Records in it, if opening it has counted them."""
    rejected: tuple[Rejected, ...] = ()
    """Records that opening it has found to be damaged."""

    @property
    def is_parquet(self) -> bool:
        """Tell whether the rows are in Parquet (CSV otherwise)."""
        return self.kind in ("parquet", "json")

    @property
    def delimiter(self) -> str:
        """The byte between fields."""
        return self.dialect.delimiter


def find_files(paths: Sequence[str], field: str, encoding: str = "utf-8") -> list[InputFile]:
    """Resolve paths, folders and globs to files, no file twice.

    ``field`` is the TOML field or the flag that the paths were given by, for messages. Raises
    InputError when a path leads to no file or to something that cannot be read.
    """
    return [
        replace(recognise(path, field, encoding), partitions=partitions_of(path))
        for path in matching_paths(paths, field)
    ]


def matching_paths(paths: Sequence[str], field: str) -> list[Path]:
    """Resolve paths, folders and globs, no file twice. Raises InputError when nothing matches.

    Hidden files and markers like ``_SUCCESS`` are no data, unless they are named in full.
    """
    found: dict[Path, Path] = {}
    for path in paths:
        if URL.match(path):
            raise InputError(
                f"{path} (`{field}`) is remote, and remote input is not read; fetch it first and "
                "give the local file"
            )
        literal = Path(path)
        resolved(literal)  # raises for a path that cannot exist, on which is_dir() would fail
        matches = [literal]
        if literal.is_dir():
            matches = data_files(literal)
            if not matches:
                raise InputError(f"{path} is a folder without data files; check `{field}`")
        elif not literal.exists() and glob.has_magic(path):
            root = literal.anchor
            below = Path(root or ".").glob(str(literal.relative_to(root)))
            visible = (match for match in below if not is_hidden(match.name))
            matches = []
            for match in visible:
                matches += data_files(match) if _is_dataset(match) else [match]
            matches = [match for match in matches if match.exists() and not match.is_dir()]
            if not matches:
                raise InputError(f"no file matches {path} (`{field}`); check the pattern")
        for match in matches:
            found.setdefault(resolved(match), match)
    return list(found.values())


def _is_dataset(path: Path) -> bool:
    """Tell whether a match of a glob is a folder that stands for a file of parts."""
    return path.is_dir() and (path.suffix != "" or "=" in path.name)


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


def open_file(
    file: InputFile,
    spec: FilesSpec,
    columns: Mapping[str, str],
    scratch: Path,
    limits: IngestLimits | None = None,
    optional: frozenset[str] = frozenset(),
    given_by: str | None = None,
) -> OpenedFile:
    """Make the file's plain bytes, read its header, find the named columns.

    ``columns`` maps the TOML's fields to column names; what must be inflated, transcoded or taken
    out of JSON goes to files whose names begin with ``scratch``; ``optional`` holds the fields
    whose column may be absent, ``given_by`` is the flag the file was given by if there is no TOML.
    Raises MissingColumnError for a header without a named column.
    """
    text, kind = file.path, file.kind
    field = f"{next(iter(columns)).rsplit('.', 1)[0]}.path"
    if kind in COMPRESSED:
        gigabytes = (limits or IngestLimits()).inflated_gigabytes
        text = inflate(file, Path(f"{scratch}.plain"), gigabytes)
        with text.open("rb") as inflated:
            kind = kind_of(file.path, inflated.read(1024), given_by or field, spec.encoding)
        if kind in COMPRESSED:
            raise InputError(f"{file.path} is compressed twice; unpack it once")
    kind = spec.format or kind
    if kind == "parquet":
        opened = _parquet(file, text, columns)
    elif kind == "json":
        opened = _json(file, text, spec, columns, scratch)
    else:
        opened = _csv(file, text, spec, columns, scratch)
    return _with_positions(opened, columns, optional, given_by)


def _parquet(file: InputFile, text: Path, columns: Mapping[str, str]) -> OpenedFile:
    try:
        metadata = pq.read_metadata(text)
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(
            f"{file.path} is a damaged Parquet file ({error}); write it again"
        ) from None
    schema = metadata.schema.to_arrow_schema()
    for column in schema:
        fields = [field for field, name in columns.items() if name == column.name]
        lists = is_list(column.type) and all(_may_be_lists(one) for one in fields)
        if fields and pa.types.is_nested(column.type) and not lists:
            raise InputError(
                f"{file.path}: column `{column.name}` holds {column.type}; write text or numbers"
            )
    names = tuple(schema.names)
    return OpenedFile(file, text, "parquet", names, Dialect(","), {}, rows=metadata.num_rows)


def is_list(kind: pa.DataType) -> bool:
    """Tell whether the values of a Parquet column are lists."""
    return bool(
        pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    )


def _may_be_lists(field: str) -> bool:
    return field.startswith(("tracks.tags", "tracks.creator", "tracks.genre", "plays.track"))


def _json(
    file: InputFile, text: Path, spec: FilesSpec, columns: Mapping[str, str], scratch: Path
) -> OpenedFile:
    text, _ = transcode(text, Path(f"{scratch}.utf8"), spec.encoding, None)
    target = Path(f"{scratch}.records.parquet")
    rows = json_to_parquet(file.path, text, sorted(set(columns.values())), target)
    return OpenedFile(
        file, target, "json", rows.columns, Dialect(","), {}, {}, rows.records, rows.rejected
    )


def _csv(
    file: InputFile, text: Path, spec: FilesSpec, columns: Mapping[str, str], scratch: Path
) -> OpenedFile:
    text, delimiter = transcode(text, Path(f"{scratch}.utf8"), spec.encoding, spec.delimiter)
    with text.open("rb") as source:
        head = source.read(HEAD)
    try:
        wanted = set(columns.values())
        dialect, header = find_dialect(head, spec, delimiter or None, wanted)
    except UnicodeDecodeError:
        if spec.delimiter and delimiter:
            head = head.replace(delimiter.encode(), spec.delimiter.encode())
        raise no_encoding(file.path, head, spec.encoding) from None
    if any("\0" in name for name in header):
        raise InputError(f"{file.path} is not UTF-8 text; give a UTF-8 CSV or Parquet")
    found = len(header)
    if not head.removeprefix(BOM).strip(b"\r\n") or header_span(head, dialect)[0] == len(head):
        return OpenedFile(file, text, "csv", (), dialect, {}, rows=0)
    if spec.columns_in_file:
        named = len(spec.columns_in_file)
        if found > named or (spec.header and found < named):
            raise InputError(
                f"{file.path} has {found} columns, and `columns` names {named}; name each "
                "column in the order of the file"
            )
        header = spec.columns_in_file
    rest = head[header_span(head, dialect)[1] :]
    is_empty = spec.header and len(head) < HEAD and not rest.strip(b"\r\n")
    return OpenedFile(file, text, "csv", header, dialect, {}, rows=0 if is_empty else None)


def _with_positions(
    opened: OpenedFile,
    columns: Mapping[str, str],
    optional: frozenset[str],
    given_by: str | None,
) -> OpenedFile:
    header = opened.columns
    if opened.rows == 0:
        return opened
    folders = dict(opened.file.partitions)
    positions, constants = {}, {}
    for field_name, column in columns.items():
        if header.count(column) > 1:
            raise InputError(f"{opened.file.name} has two columns `{column}`; rename one")
        if column in header:
            positions[column] = header.index(column)
        elif column in folders:
            constants[column] = folders[column]
        elif field_name not in optional:
            raise MissingColumnError(
                missing_column(
                    opened.file.path, header, field_name, column, given_by, opened.kind == "csv",
                    opened.dialect,
                )
            )  # fmt: skip
    return replace(opened, positions=positions, constants=constants)
