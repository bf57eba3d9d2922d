"""The secret by which our command line, worker and UI sign in to our own Prefect server.

It is in one file of PREFECT_HOME that only its owner can read, reaches processes by their
environment, which only the same user can read, and is never on a command line.
"""

import base64
import os
import secrets
from pathlib import Path

from warehouse.errors import InputError

FILE = "auth-string"

SECRET_BYTES = 32
"""Random bytes of a new string."""


def auth_file(prefect_home: Path) -> Path:
    """Return the file that has the auth string."""
    return prefect_home / FILE


def auth_string(prefect_home: Path) -> str:
    """Return the auth string, made the first time; raises InputError if the file is empty."""
    path = auth_file(prefect_home)
    if not path.exists():
        fresh = _written(prefect_home)
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass  # another process was first; its string counts
        finally:
            fresh.unlink()
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)
    text = path.read_text(encoding="utf-8").strip()
    if not text:
        raise InputError(f"{path} is empty; delete it, and the next start writes a new auth string")
    return text


def rotate(prefect_home: Path) -> None:
    """Replace the auth string by a new one; nothing may be running with the old one."""
    _written(prefect_home).replace(auth_file(prefect_home))


def basic(auth: str) -> str:
    """Return the Authorization header that an auth string makes."""
    return "Basic " + base64.b64encode(auth.encode()).decode()


def sign_in(url: str, prefect_home: Path) -> None:
    """Make this process and its children clients of our own server at ``url``.

    An API key, of the environment or a profile, would win over the auth string. It is somebody
    else's secret, so it is emptied.
    """
    os.environ["PREFECT_API_URL"] = url
    os.environ["PREFECT_API_AUTH_STRING"] = auth_string(prefect_home)
    os.environ["PREFECT_API_KEY"] = ""


def _written(prefect_home: Path) -> Path:
    """Write a new random string into a file of its own, readable by its owner from the start."""
    path = prefect_home / f".{FILE}-{secrets.token_hex(8)}"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(secrets.token_urlsafe(SECRET_BYTES) + "\n")
        file.flush()
        os.fsync(descriptor)
    return path
