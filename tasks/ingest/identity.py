"""Whether an input file is still the one that was hashed."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from warehouse.errors import InputError


class Identity(NamedTuple):
    """What changes when a file is replaced or written to."""

    device: int
    inode: int
    size: int
    modified_ns: int
    changed_ns: int
    """The time of the inode, which no program can set back."""


def identities(paths: Iterable[Path]) -> dict[Path, Identity | None]:
    """Return the identity of every file; None for one that is gone."""
    return {path: _identity(path) for path in paths}


def replaced(before: dict[Path, Identity | None]) -> list[Path]:
    """Return the files that are no longer what they were: a reason to hash them once more."""
    return [path for path, identity in before.items() if _identity(path) != identity]


def changed_while_read(paths: Iterable[Path]) -> InputError:
    """Return the error for files whose content changed between hashing and reading."""
    names = ", ".join(str(path) for path in paths)
    return InputError(
        f"{names} changed while it was read; run again once it is complete, and rename a new file "
        "over the old one rather than writing into it"
    )


def _identity(path: Path) -> Identity | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return Identity(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
