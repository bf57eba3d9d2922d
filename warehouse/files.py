"""Digest files, and flush them to disk."""

import hashlib
import os
from pathlib import Path


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
