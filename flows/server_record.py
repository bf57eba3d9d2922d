"""Which Prefect server `make ui` keeps in a PREFECT_HOME: a lock and a record of processes."""

import fcntl
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

LOCK, RECORD = "service.lock", "service.json"


@contextmanager
def at_work(prefect_home: Path) -> Iterator[None]:
    """Hold the lock of the one keeper in a PREFECT_HOME; ends the process if another holds it."""
    with (prefect_home / LOCK).open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(f"another keeper is at work in {prefect_home}")
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def keeper(prefect_home: Path) -> int | None:
    """Return the process id of the keeper, if one holds the lock."""
    path = prefect_home / LOCK
    if not path.exists():
        return None
    with path.open("r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return int(file.read() or 0) or None
    return None


def record(
    prefect_home: Path, url: str, processes: Mapping[str, int], inputs: Mapping[str, str]
) -> None:
    """Write down what runs on which inputs, with start times.

    A process id alone may be somebody else's later.
    """
    running: list[dict[str, Any]] = []
    for name, pid in processes.items():
        if psutil.pid_exists(pid):
            born = psutil.Process(pid).create_time()
            running.append({"name": name, "pid": pid, "born": born})
    partial = prefect_home / f".{RECORD}"
    partial.write_text(
        json.dumps({"url": url, "inputs": dict(inputs), "processes": running}, indent=1)
    )
    partial.replace(prefect_home / RECORD)


def recorded(prefect_home: Path) -> list[psutil.Process]:
    """Return the recorded processes that still run."""
    found = []
    for one in _read(prefect_home).get("processes", []):
        try:
            process = psutil.Process(one["pid"])
            if abs(process.create_time() - one["born"]) < 1:
                found.append(process)
        except psutil.NoSuchProcess:
            continue
    return found


def recorded_inputs(prefect_home: Path) -> dict[str, str] | None:
    """Return the variables that name the inputs of what runs, or None if that is not known."""
    inputs: dict[str, str] | None = _read(prefect_home).get("inputs")
    return inputs


def running_server(prefect_home: Path) -> str | None:
    """Return the API's address of the server that is kept running, if one is."""
    if keeper(prefect_home) is None:
        return None
    url: str | None = _read(prefect_home).get("url")
    return url


def _read(prefect_home: Path) -> dict[str, Any]:
    """Return what was recorded, empty if there is nothing to be read."""
    try:
        return dict(json.loads((prefect_home / RECORD).read_text()))
    except (OSError, ValueError):
        return {}
