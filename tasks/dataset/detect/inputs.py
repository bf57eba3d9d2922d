"""All tables that a user gave: looked at, copies left out, parts joined."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.dataset.detect.content import decodes, sample_bytes
from tasks.dataset.detect.encoding import HIGH, Encoding
from tasks.dataset.detect.identity import same_content
from tasks.dataset.detect.names import HISTORY_FILES, file_words
from tasks.dataset.detect.sureness import Sureness
from tasks.dataset.detect.table import Table, group_tables, look
from tasks.dataset.folders import is_hidden
from warehouse.errors import InputError


@dataclass(frozen=True)
class Unused:
    """A table, or a file that could not be one, that the proposal leaves out."""

    label: str
    reason: str


@dataclass(frozen=True)
class Inputs:
    """The tables to choose from."""

    tables: tuple[Table, ...]
    unused: tuple[Unused, ...]
    warnings: tuple[str, ...]


def look_at(paths: Sequence[str]) -> Inputs:
    """Look at every path; a folder is one table of parts if it holds Parquet, else its files.

    Raises InputError for what is no table. Empty parts beside filled ones are left out.
    """
    tables: list[Table] = []
    unused: list[Unused] = []
    errors: list[InputError] = []
    for path in dict.fromkeys(one for given in paths for one in _expanded(given)):
        if path.endswith((".toml", ".md", ".pdf")) and Path(path).is_file() and len(paths) > 0:
            unused.append(Unused(path, "is no data"))
            continue
        if _is_empty(path):
            unused.append(Unused(path, "is empty"))
            continue
        try:
            table = look(path)
        except InputError as error:
            errors.append(error)
            continue
        twin = next((other for other in tables if same_content(other, table)), None)
        if twin is not None:
            if words_of(path) & HISTORY_FILES and not words_of(twin.paths[0]) & HISTORY_FILES:
                tables[tables.index(twin)], table, twin = table, twin, table
            unused.append(Unused(table.label, f"is a copy of {twin.label}"))
            continue
        tables.append(table)
    tables = [in_the_encoding_of(tables, table) for table in tables]
    if errors:
        raise errors[0]
    if not tables:
        raise InputError(
            f"{unused[0].label} {unused[0].reason}; give a file with rows in it" if unused
            else "no files were given; give the catalogue and the history"
        )  # fmt: skip
    grouped = group_tables(tables)
    return Inputs(tuple(grouped), tuple(unused), ())


def in_the_encoding_of(tables: Sequence[Table], table: Table) -> Table:
    """Read a table of unsure encoding as the one whose other text says more, if that reads it."""
    given = table.encoding
    if given is None or given.sureness is not Sureness.GUESS:
        return table
    known = [one for one in tables if one.encoding and one.encoding.sureness is Sureness.GUESS]
    best = max(known, key=_evidence)
    other = best.encoding
    if best is table or other is None or other.name == given.name or len(table.files) > 1:
        return table
    if not decodes(table.files[0], other.name):
        return table
    read = look(table.paths[0], encoding=other.name)
    return replace(read, encoding=Encoding(other.name, other.sureness, f"as {best.label}"))


def _evidence(table: Table) -> int:
    """Count the bytes of different words that say something of a text's encoding."""
    blocks = sample_bytes(table.files[0]).blocks
    return sum(map(len, {run for block in blocks for run in HIGH.findall(block)}))


def words_of(path: str) -> frozenset[str]:
    """Return the words of a file's name, without its endings."""
    return file_words(Path(path).name.split(".", 1)[0])


def _expanded(path: str) -> list[str]:
    place = Path(path)
    if not place.is_dir():
        return [path]
    files = [
        one for one in sorted(place.iterdir())
        if one.is_file() and not is_hidden(one.name)
    ]  # fmt: skip
    if not files or all(one.suffix == ".parquet" or ".parquet." in one.name for one in files):
        return [path]
    return [str(one) for one in files if one.suffix not in (".toml", ".md", ".py", ".crc")]


def _is_empty(path: str) -> bool:
    place = Path(path)
    if not place.is_file():
        return False
    if place.stat().st_size == 0:
        return True
    with place.open("rb") as opened:
        if opened.read(4) != b"PAR1":
            return False
    try:
        return bool(pq.read_metadata(place).num_rows == 0)
    except (pa.ArrowException, OSError):
        return False  # a damaged one, which `look` names
