"""Find the data files in a folder."""

import os
from collections.abc import Iterator
from pathlib import Path

from warehouse.errors import InputError

MOST_ENTRIES = 50_000
"""A folder with more below it was not meant: ``/``, say."""


def is_hidden(name: str) -> bool:
    """Tell whether a name marks what tools leave beside data: ``.git``, ``_SUCCESS``."""
    return name.startswith((".", "_"))


def partitions_of(path: Path) -> tuple[tuple[str, str], ...]:
    """Return the columns that the folders above a file name, as in ``year=2024/``, and values."""
    pairs = (part.partition("=") for part in path.parent.parts)
    return tuple((name, value) for name, mark, value in pairs if mark and name)


def data_files(folder: Path) -> list[Path]:
    """Return the files below ``folder``, sorted, without hidden ones and those in hidden folders.

    Links to files count, links to folders are not followed. What is removed while the folder is
    read counts as not there. Raises InputError for a folder of more than `MOST_ENTRIES` entries,
    and for one that holds a folder that cannot be read.
    """
    unreadable: list[OSError] = []
    found: list[Path] = []
    entries = 0
    for parent, folders, files in _walk(folder, unreadable):
        entries += len(folders) + len(files)
        if entries > MOST_ENTRIES:
            raise InputError(
                f"{folder} holds more than {MOST_ENTRIES:,} files and folders; give the folder of "
                "the data alone"
            )
        found += [Path(parent, name) for name in files]
    if unreadable:
        error = unreadable[0]
        raise InputError(
            f"{error.filename} cannot be read ({error.strerror}); allow it or give another folder"
        )
    return sorted(found)


def _walk(folder: Path, unreadable: list[OSError]) -> Iterator[tuple[str, list[str], list[str]]]:
    def failed(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError | ProcessLookupError):
            unreadable.append(error)

    for parent, folders, files in os.walk(folder, onerror=failed):
        folders[:] = [name for name in folders if not is_hidden(name)]
        yield parent, folders, [name for name in files if not is_hidden(name)]
