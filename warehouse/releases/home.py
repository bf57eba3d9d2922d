"""Where everything is kept under CROSSFADE_HOME, and the lock that keeps runs apart."""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from warehouse.errors import LockedError

DATABASE = "crossfade.duckdb"
"""The DuckDB file of a release; once listeners were forgotten, a link to its latest revision."""

FORGOTTEN = "forgotten"
"""Folder of who was forgotten: keyed hashes, and the state of a `crossfade forget` under way."""

PATIENCE = {"pointer": 30.0}
"""Seconds to wait for a lock: the pointer is held for moments, a run for minutes."""


@dataclass(frozen=True)
class Home:
    """The folders of one Crossfade installation."""

    path: Path

    @property
    def lake(self) -> Path:
        """Parquet that stages hand each other."""
        return self.path / "lake"

    @property
    def releases(self) -> Path:
        """One folder per finished release."""
        return self.path / "warehouse" / "releases"

    @property
    def building(self) -> Path:
        """Releases under construction; what is here when a run starts was left by a killed one."""
        return self.path / "warehouse" / "building"

    @property
    def current(self) -> Path:
        """The pointer: a relative symbolic link to the current release's DuckDB file."""
        return self.path / "warehouse" / "current.duckdb"

    @property
    def forgotten(self) -> Path:
        """Who was forgotten here; for the owner alone."""
        return self.path / FORGOTTEN

    @contextmanager
    def locked(self, name: str, doing: str, wait_seconds: float | None = None) -> Iterator[None]:
        """Hold the named lock, or raise LockedError that says who holds it.

        ``wait_seconds``: how long to wait for it; None is what `PATIENCE` says. The operating
        system drops the lock when the process ends, however it ends.
        """
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)  # listening histories
        patience = PATIENCE.get(name, 0.0) if wait_seconds is None else wait_seconds
        deadline = time.monotonic() + patience
        with (self.path / f"{name}.lock").open("a+") as file:
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() < deadline:
                        time.sleep(0.02 if patience < 60 else 1.0)
                        continue
                    file.seek(0)
                    raise LockedError(
                        f"another process is at work in {self.path} ({file.read().strip()}); "
                        "wait for it to end, or give this one another --home"
                    ) from None
            file.truncate(0)
            holder = {
                "doing": doing,
                "pid": os.getpid(),
                "since": datetime.now(UTC).isoformat(timespec="seconds"),
            }
            file.write(json.dumps(holder))
            file.flush()
            try:
                yield
            finally:
                file.truncate(0)
