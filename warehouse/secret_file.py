"""A secret in one file that only its owner can read: made once, read often, replaced as a whole."""

import os
import secrets
from pathlib import Path

from warehouse.errors import InputError

SECRET_BYTES = 32
"""Random bytes of a new secret."""


def secret(path: Path, kind: str) -> str:
    """Return the secret in the file, made the first time; raises InputError if the file is empty.

    ``kind`` names the secret in that error.
    """
    if not path.exists():
        fresh = _written(path)
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass  # another process was first; its secret counts
        finally:
            fresh.unlink()
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)
    text = path.read_text(encoding="utf-8").strip()
    if not text:
        raise InputError(f"{path} is empty; delete it, and the next start writes a new {kind}")
    return text


def replace(path: Path) -> None:
    """Replace the secret by a new one."""
    _written(path).replace(path)


def _written(path: Path) -> Path:
    """Write a new random secret into a file of its own, readable by its owner from the start."""
    fresh = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(secrets.token_urlsafe(SECRET_BYTES) + "\n")
        file.flush()
        os.fsync(descriptor)
    return fresh
