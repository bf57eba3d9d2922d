"""Digest files, and flush them to disk."""

import errno
import hashlib
import os
from pathlib import Path

from warehouse.errors import InputError


def file_digest(path: Path) -> str:
    """Hash a file's content (BLAKE2b, 128 bits, as hex)."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def sync(path: Path) -> None:
    """Flush a file or a folder's entries to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """Flush every file below a folder, then the entries of the folders, the folder's own last."""
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not path.is_symlink():
            sync_tree(path)
        else:
            sync(path)
    sync(folder)


def make_folders(folder: Path) -> None:
    """Make a folder and the missing ones above it, durably."""
    if not folder.is_dir():
        make_folders(folder.parent)
        folder.mkdir(exist_ok=True)
        sync(folder.parent)


def resolved(path: Path) -> Path:
    """Return the absolute path without symbolic links; raises InputError if it cannot exist."""
    if "\0" in str(path):
        raise InputError(f"the path {str(path)!r} has a NUL character in it; give a real path")
    try:
        whole = path.resolve()
        whole.exists()  # a name may be too long to exist
    except (RuntimeError, OSError) as error:  # the former for loops, up to Python 3.12
        if isinstance(error, OSError) and error.errno != errno.ELOOP:
            raise InputError(
                f"{str(path)[:60]}… is no path ({error.strerror}); give a real one"
            ) from None
        raise InputError(
            f"{path} is a symbolic link that leads back to itself; give the path of a real file or "
            "folder"
        ) from None
    return whole
