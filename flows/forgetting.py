"""Forget listeners: what is left to do is written down first and crossed out as it is done.

The tombstones come first, so that nothing that runs later reads the listeners again; then the
current release, the others from the newest on, the lake, samples and Prefect's records. A process
that is killed leaves the current release readable, and the next `crossfade forget` or
`crossfade run` in the home goes on.
"""

import logging
import os
import shutil
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from flows.decision import FILE as DECISION
from flows.traces import forget_traces
from tasks.forgetting.lake import forget_in_lake, known_in_lake
from tasks.forgetting.releases import forget_in_release
from tasks.forgetting.remember import remember
from tasks.forgetting.sample import forget_in_samples
from warehouse.errors import RunError
from warehouse.redaction import Redactor
from warehouse.releases.home import Home
from warehouse.releases.manifest import Manifest
from warehouse.releases.pending import Pending, end_pending, read_pending, write_pending
from warehouse.releases.release import Release, current_id, is_whole
from warehouse.releases.retention import clear_leftovers

logger = logging.getLogger("crossfade")


@dataclass(frozen=True)
class Forgotten:
    """What came of forgetting."""

    listeners: frozenset[str]
    """Those who were in a release or in the lake."""
    rebuilt: tuple[str, ...]
    """Releases that had some of them and are rebuilt."""
    deleted: tuple[str, ...]
    """Releases that cannot be read and so were deleted."""


def begin_forgetting(home: Home, listeners: Collection[str]) -> None:
    """Write down who is forgotten, with those of an earlier command that did not come to its end.

    For a process that holds the lock of the home, as `finish_forgetting`.
    """
    before = read_pending(home)
    everybody = {*listeners, *(before.listeners if before else ())}
    with home.locked("pointer", "forget"):  # no rollback in between
        folders = sorted(path.name for path in _folders(home))
        write_pending(home, Pending(listeners=tuple(sorted(everybody)), releases=tuple(folders)))


def finish_forgetting(home: Home, memory_limit: str) -> Forgotten | None:
    """Do what is left to do; None if nothing is.

    Raises RunError if something cannot be done now; what is left stays written down.
    """
    pending = read_pending(home)
    if pending is None:
        return None
    listeners, redactor = frozenset(pending.listeners), Redactor(pending.listeners)
    remember(home, listeners)
    (home.path / DECISION).unlink(missing_ok=True)
    clear_leftovers(home)
    found, rebuilt, deleted = known_in_lake(home.lake, listeners), [], []
    for name in _in_order(home, pending):
        folder = home.releases / name
        if folder.is_dir():
            release = _readable(home, folder)
            if release is None:
                shutil.rmtree(folder)
                deleted.append(name)
                logger.warning("forget: %s cannot be read by this version and is deleted", name)
            elif theirs := _rebuilt(home, release, listeners, redactor, memory_limit):
                found |= theirs
                rebuilt.append(name)
                logger.info("forget: %s is rebuilt", name)
        pending = pending.model_copy(
            update={"releases": tuple(one for one in pending.releases if one != name)}
        )
        write_pending(home, pending)
    forget_in_lake(home.lake, listeners)
    forget_in_samples(home, listeners)
    forget_traces(_prefect_home(home), redactor)
    end_pending(home)
    return Forgotten(frozenset(found), tuple(rebuilt), tuple(deleted))


def _in_order(home: Home, pending: Pending) -> list[str]:
    """Return what is left of the releases: the current one, then the newest first."""
    current = current_id(home)
    return sorted(pending.releases, key=lambda name: (name == current, name), reverse=True)


def _folders(home: Home) -> list[Path]:
    if not home.releases.is_dir():
        return []
    return [path for path in home.releases.iterdir() if path.is_dir()]


def _readable(home: Home, folder: Path) -> Release | None:
    """Return the release in a folder, None if nobody can go back to it.

    Raises RunError for the current one, which is not deleted.
    """
    is_current = folder.name == current_id(home)
    with suppress(ValueError, FileNotFoundError):
        release = Release(Manifest.read(folder), folder, is_current)
        if is_whole(release):
            return release
    if is_current:
        raise RunError(
            f"the current release {folder.name} is damaged or of another version, so listeners "
            "cannot be taken out of it; go back to another one by `crossfade rollback` or publish "
            "a new one by `crossfade run --force`, then forget them again"
        )
    return None


def _rebuilt(
    home: Home,
    release: Release,
    listeners: frozenset[str],
    redactor: Redactor,
    memory_limit: str,
) -> frozenset[str]:
    try:
        return forget_in_release(home, release, listeners, redactor, memory_limit)
    except Exception:
        if release.folder.is_dir():
            raise
        return frozenset()  # deleted by `crossfade prune` meanwhile


def _prefect_home(home: Home) -> Path:
    return Path(os.environ.get("PREFECT_HOME") or home.path / "prefect")
