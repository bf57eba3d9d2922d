"""What `crossfade forget` has begun and not finished: who is forgotten, and where they still are.

It is the only place that has their ids in clear, in a file for its owner alone, and goes when
nothing is left to do. Whoever works in the home next goes on with it.
"""

import os
import secrets
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from warehouse.errors import RunError
from warehouse.files import sync
from warehouse.releases.home import Home
from warehouse.releases.release import Release

FILE = "pending.json"


class Pending(BaseModel):
    """A `crossfade forget` that is under way."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    listeners: tuple[str, ...]
    """Their ids, without white space around them."""
    releases: tuple[str, ...] = ()
    """Folders of the releases that may still have them."""


def pending_file(home: Home) -> Path:
    """Return the file of what is under way."""
    return home.forgotten / FILE


def read_pending(home: Home) -> Pending | None:
    """Return what is under way, None if nothing is; raises RunError for a file that is damaged."""
    file = pending_file(home)
    try:
        return Pending.model_validate_json(file.read_text())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise RunError(
            f"{file} cannot be read ({str(error).splitlines()[0]}), so an unfinished `crossfade "
            "forget` cannot be finished; delete it and forget the same listeners again"
        ) from None


def write_pending(home: Home, pending: Pending) -> None:
    """Write down what is under way: whole or not at all, durably, for the owner alone."""
    private_write(pending_file(home), pending.model_dump_json())


def end_pending(home: Home) -> None:
    """Nothing is under way any more, and nothing names the listeners."""
    for file in home.forgotten.glob(f".{FILE}-*"):  # of a process that was killed
        file.unlink(missing_ok=True)
    pending_file(home).unlink(missing_ok=True)
    sync(home.forgotten)


def private_write(file: Path, text: str) -> None:
    """Write a file that only its owner can read: whole or not at all, and durably."""
    file.parent.mkdir(mode=0o700, exist_ok=True)
    partial = file.with_name(f".{file.name}-{secrets.token_hex(8)}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as open_file:
        open_file.write(text)
        open_file.flush()
        os.fsync(descriptor)
    partial.replace(file)
    sync(file.parent)


def check_rebuilt(home: Home, release: Release) -> None:
    """Raise RunError if a release may still have listeners who are being forgotten."""
    pending = read_pending(home)
    if pending is not None and release.folder.name in pending.releases:
        raise RunError(
            f"{release.folder.name} still has listeners who are being forgotten; wait for "
            "`crossfade forget` to end, or give it the same file again if it was ended"
        )
