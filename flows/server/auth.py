"""The secret by which our command line, worker and UI sign in to our own Prefect server.

It is in one file of PREFECT_HOME that only its owner can read, reaches processes by their
environment, which only the same user can read, and is never on a command line.
"""

import base64
import os
from pathlib import Path

from warehouse.secret_file import replace, secret

FILE = "auth-string"


def auth_file(prefect_home: Path) -> Path:
    """Return the file that has the auth string."""
    return prefect_home / FILE


def auth_string(prefect_home: Path) -> str:
    """Return the auth string, made the first time; raises InputError if the file is empty."""
    return secret(auth_file(prefect_home), "auth string")


def rotate(prefect_home: Path) -> None:
    """Replace the auth string by a new one; nothing may be running with the old one."""
    replace(auth_file(prefect_home))


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
