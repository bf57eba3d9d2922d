"""The Prefect server of commands in a terminal, while no other one is configured or kept.

One per PREFECT_HOME: whoever comes second uses the one that is there. Each command holds a lock in
shared mode. The server ends when nobody holds it, and the operating system gives it up however a
command ends, so a killed command leaves no server behind.
"""

import atexit
import fcntl
import json
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import IO, NamedTuple

import psutil

from flows.server.process import (
    answers,
    api_url,
    listen,
    server_command,
    server_environment,
    start_server,
)
from flows.server_record import running_server
from tasks.lake.code import ROOT
from warehouse.errors import RunError

USERS, STARTING, RECORD, LOG = (
    "embedded.lock",
    "embedded-start.lock",
    "embedded.json",
    "embedded.log",
)

START_SECONDS = 300.0
END_SECONDS = 20.0

EMBEDDED = {
    "PREFECT__SERVER_EPHEMERAL": "1",
    "PREFECT_SERVER_UI_ENABLED": "false",
    "PREFECT_SERVER_REGISTER_BLOCKS_ON_START": "false",
}
"""Prefect's own words for a server without UI, without the services of schedules, and without
looking for new kinds of blocks, which no command uses."""

IMPORTED_MEANWHILE = ("prefect.flows", "prefect.tasks", "distributed", "duckdb", "pandas")
"""What the command imports anyway, while the server starts."""


class Server(NamedTuple):
    """An embedded server as it is written down."""

    url: str
    process: psutil.Process


def use_embedded(prefect_home: Path) -> str:
    """Return the address of the server to use until this process ends; starts one if need be.

    Prefect must not be imported yet. Returns before the server answers; `wait_until_ready` waits.
    A server that `make ui` is just starting wins. Raises RunError if neither can be had.
    """
    users = _joined(prefect_home)
    if users is None:
        kept = running_server(prefect_home)
        assert kept is not None
        return kept
    with _locked(prefect_home / STARTING):
        there = _recorded(prefect_home)
        if there is not None:
            atexit.register(users.close)
            return there.url
        url, process = _started(prefect_home)
    atexit.register(_leave, users, process)
    return url


def wait_until_ready(url: str, prefect_home: Path, needed: Sequence[str] = ()) -> None:
    """Wait until the server at ``url`` answers; raises RunError if it does not start.

    Imports Prefect and the modules in ``needed`` meanwhile, so the environment must name the server
    already.
    """
    for module in (*IMPORTED_MEANWHILE, *needed):
        import_module(module)
    deadline = time.monotonic() + START_SECONDS
    while not answers(url, prefect_home):
        runs = _recorded(prefect_home) is not None or running_server(prefect_home) == url
        if not runs or time.monotonic() > deadline:
            raise RunError(
                f"the embedded Prefect server did not start; {prefect_home / LOG} says why"
            )
        time.sleep(0.1)


@contextmanager
def nobody_embedded(prefect_home: Path) -> Iterator[None]:
    """Keep commands from starting an embedded server; raises RunError while one is in use."""
    with (prefect_home / USERS).open("a+") as file:
        if not _flock(file, fcntl.LOCK_EX, END_SECONDS):
            raise RunError(
                f"a command is at work with a Prefect server of its own in {prefect_home}; "
                "try again when it has ended"
            )
        yield


def _joined(prefect_home: Path) -> IO[str] | None:
    """Return the lock that makes this process a user, or None when a kept server holds it."""
    file = (prefect_home / USERS).open("a+")
    deadline = time.monotonic() + START_SECONDS
    while not _flock(file, fcntl.LOCK_SH, 0.2):  # of a server that is leaving, or of `make ui`
        if running_server(prefect_home) is not None:
            file.close()
            return None
        if time.monotonic() > deadline:
            raise RunError(
                f"another Prefect server in {prefect_home} does not end; `make ui-stop` ends it"
            )
    return file


def _flock(file: IO[str], mode: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(file, mode | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        else:
            return True


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _started(prefect_home: Path) -> tuple[str, subprocess.Popen[bytes]]:
    """Start a server on a free port and write it down."""
    with listen() as listening, (prefect_home / LOG).open("wb") as log:
        url = api_url(listening)
        process = start_server(
            server_command(listening, (), "--users", str(prefect_home / USERS)),
            listening,
            {**server_environment(prefect_home, url), **EMBEDDED},
            log,
            ROOT,
        )
    born = psutil.Process(process.pid).create_time()
    partial = prefect_home / f".{RECORD}"
    partial.write_text(json.dumps({"url": url, "pid": process.pid, "born": born}))
    partial.replace(prefect_home / RECORD)
    return url, process


def _recorded(prefect_home: Path) -> Server | None:
    """Return the embedded server that is written down, if it still runs."""
    try:
        found = json.loads((prefect_home / RECORD).read_text())
        process = psutil.Process(found["pid"])
        runs = process.status() != psutil.STATUS_ZOMBIE
        if runs and abs(process.create_time() - found["born"]) < 1:
            return Server(found["url"], process)
    except (OSError, ValueError, KeyError, psutil.Error):
        pass
    return None


def _leave(users: IO[str], process: subprocess.Popen[bytes]) -> None:
    """End the server this process started, unless another command uses it by now."""
    if _flock(users, fcntl.LOCK_EX, 0.0):
        process.terminate()
        try:
            process.wait(END_SECONDS / 2)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    users.close()
