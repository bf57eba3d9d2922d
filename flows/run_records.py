"""Which processes work in a home: a locked record each, and the end of what a killed one left.

The operating system drops the lock of a record however its process ends, so that a record whose
lock is free belongs to a dead process, whatever its id is used for by now. What a process starts
inherits its token in the environment, and is found by it.
"""

import atexit
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO
from uuid import uuid4

import psutil
from pydantic import BaseModel, ConfigDict

from flows import interrupts
from flows.settings import TOKEN
from warehouse.errors import LockedError
from warehouse.releases.home import Home
from warehouse.releases.pointer import named_current
from warehouse.releases.release import current_id
from warehouse.releases.retention import clear_leftovers

KEPT_DAYS = 7
"""How long a dead process's record waits for the Prefect server that knows its flow run."""


TAG_PREFIX = "process-"
"""What the tag begins with by which a terminal's flow runs are found."""


class RunRecord(BaseModel):
    """A process that runs a flow in a home."""

    model_config = ConfigDict(frozen=True)

    token: str
    pid: int
    flow_run_id: str | None = None
    """Prefect's id of the flow run, once there is one."""
    cleared: bool = False
    """Whether what the dead process left behind is gone; its flow run may still read Running."""

    @property
    def tag(self) -> str:
        """The tag by which a flow run that was started at a terminal is found."""
        return f"{TAG_PREFIX}{self.pid}-{self.token[:8]}"


_own = RunRecord(token=uuid4().hex, pid=os.getpid())
_claimed: dict[Path, TextIO] = {}


def tag() -> str:
    """Return the tag of the flow runs of this process."""
    return _own.tag


def mark_children() -> None:
    """Let everything that this process starts from here on carry its token."""
    os.environ[TOKEN] = _own.token


def claim(home: Home, flow_run_id: str | None = None) -> None:
    """Record that this process works in the home, on that flow run; the record goes at its end.

    It stays if the process is stopped or killed: the next command puts things right by it.
    """
    global _own
    mark_children()
    _own = _own.model_copy(update={"flow_run_id": flow_run_id or _own.flow_run_id})
    file = _claimed.get(home.path)
    if file is None:
        folder = _folder(home)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{_own.token}.json"
        path.touch(0o600, exist_ok=False)
        file = path.open("r+")
        fcntl.flock(file, fcntl.LOCK_EX)
        _claimed[home.path] = file
        atexit.register(_release, path)
        watch_pointer(home)
    file.seek(0)
    file.write(_own.model_dump_json())
    file.truncate()
    file.flush()


def _release(path: Path) -> None:
    if not interrupts.requested():
        path.unlink(missing_ok=True)


def watch_pointer(home: Home) -> None:
    """From here on, say of a stop whether the current release has changed since."""
    before, since = current_id(home), datetime.now(UTC)

    def sentence() -> str:
        now = named_current(home)
        if now is None or now.manifest.release_id == before:
            return "stopped; the current release is unchanged"
        if now.manifest.created_at >= since:
            return f"stopped; {now.manifest.release_id} had been published"
        return f"stopped; {now.manifest.release_id} had been made current"

    interrupts.describe(sentence)


def clear_dead(home: Home) -> None:
    """End what killed processes of this home left running, and delete their unfinished files."""
    dead = [(path, record) for path, record in dead_records(home) if not record.cleared]
    if not dead:
        return
    _end_orphans({record.token for _, record in dead})
    with suppress(LockedError), home.locked("run", "clean up"):
        clear_leftovers(home)
    for path, record in dead:
        with suppress(OSError):
            path.write_text(record.model_copy(update={"cleared": True}).model_dump_json())


def dead_records(home: Home) -> list[tuple[Path, RunRecord]]:
    """Return the records whose processes have ended without removing them, with their files."""
    found = []
    for path in sorted(_folder(home).glob("*.json")):
        with suppress(OSError), path.open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            try:
                found.append((path, RunRecord.model_validate_json(file.read())))
            except ValueError:  # its process died, or is about to write it
                if time.time() - path.stat().st_mtime > 60:
                    path.unlink()
    return found


@contextmanager
def at_work(home: Home, doing: str, wait_seconds: float, flow_run_id: str) -> Iterator[None]:
    """Work on a flow run in the home as the only one, with nothing of killed runs around."""
    clear_dead(home)
    claim(home, flow_run_id)
    with home.locked("run", doing, wait_seconds):
        yield


def _folder(home: Home) -> Path:
    return home.path / "runs"


def _end_orphans(tokens: set[str]) -> None:
    """End the processes that carry one of the tokens: they outlived who started them."""
    orphans = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get(TOKEN) in tokens and process.pid != os.getpid():
                orphans.append(process)
    for process in orphans:
        with suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(orphans, timeout=5)
