"""All tables that a user gave: looked at, copies left out, parts joined."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks.dataset.detect.identity import same_content
from tasks.dataset.detect.names import HISTORY_FILES, file_words
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
    if errors:
        raise errors[0]
    if not tables:
        raise InputError(
            f"{unused[0].label} {unused[0].reason}; give a file with rows in it" if unused
            else "no files were given; give the catalogue and the history"
        )  # fmt: skip
    grouped = group_tables(tables)
    return Inputs(tuple(grouped), tuple(unused), ())


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
    import pyarrow.parquet as pq

    return bool(pq.read_metadata(place).num_rows == 0)
