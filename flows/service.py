"""A Prefect server and a worker on this machine, kept running: `make ui` and `make ui-stop`.

One process keeps the two alive and starts again what died. A lock says whether it is at work; the
operating system lets go of the lock however the process ends, so nothing is ever stale.
"""

import argparse
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from flows.deploy import POOL, PROJECT, deploy
from flows.environment import prepare
from flows.server_record import (
    RECORD,
    at_work,
    keeper,
    record,
    recorded,
    recorded_inputs,
    running_server,
)
from flows.settings import load_settings
from warehouse.errors import CrossfadeError, RunError

HOST, PORT = "127.0.0.1", 4200

START_SECONDS, STOP_SECONDS = 600.0, 40.0
MOST_SECONDS_BETWEEN_STARTS = 30.0

INPUT_VARIABLES = (
    "CROSSFADE_HOME",
    "CROSSFADE_DATASET",
    "CROSSFADE_TRACKS",
    "CROSSFADE_PLAYS",
)

LEASES_ON_DISK = "prefect.server.concurrency.lease_storage.filesystem"
"""In memory, the default, a killed server would leave its concurrency slots taken for ever."""

SERVER_SETTINGS = {
    "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": LEASES_ON_DISK,
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
    "CROSSFADE_PROJECT": str(PROJECT),
}
"""What the server and its worker are started with, where the environment does not say otherwise."""


@dataclass
class Kept:
    """A process that is started again when it ends, later each time it ends at once."""

    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    quick_ends: int = 0
    environment: Mapping[str, str] = field(default_factory=dict)

    def see_to_it(self, log: Path) -> bool:
        """Start the process if it is not running and it is time; tell whether it was started."""
        if self.process is not None and self.process.poll() is None:
            return False
        lived = time.monotonic() - self.started
        if self.process is not None:
            self.quick_ends = self.quick_ends + 1 if lived < MOST_SECONDS_BETWEEN_STARTS else 0
            self.process = None
        if self.quick_ends and lived < min(2.0**self.quick_ends, MOST_SECONDS_BETWEEN_STARTS):
            return False
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                self.command,
                cwd=PROJECT,
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self.started = time.monotonic()
        return True


def keep(prefect_home: Path, port: int) -> None:
    """Keep a server and a worker running until told to stop (SIGTERM or SIGINT)."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    url = f"http://{HOST}:{port}/api"
    environment = {**SERVER_SETTINGS, **os.environ, "PREFECT_API_URL": url}
    prefect = str(Path(sys.executable).with_name("prefect"))
    server = Kept(
        "server",
        [prefect, "server", "start", "--host", HOST, "--port", str(port)],
        environment=environment,
    )
    worker = Kept(
        "worker",
        [prefect, "worker", "start", "--pool", POOL, "--type", "process", "--name", "crossfade"],
        environment=environment,
    )
    with at_work(prefect_home):
        _end(recorded(prefect_home))  # of a keeper that was killed
        try:
            while not stop.wait(0.5):
                started = server.see_to_it(prefect_home / "server.log")
                if worker.process is not None or answers(url):
                    started |= worker.see_to_it(prefect_home / "worker.log")
                if started:
                    processes = {
                        one.name: one.process.pid for one in (server, worker) if one.process
                    }
                    record(prefect_home, url, processes, _inputs())
        finally:
            for one in (worker, server):
                if one.process is not None:
                    _end([psutil.Process(one.process.pid)] if one.process.poll() is None else [])
            (prefect_home / RECORD).unlink(missing_ok=True)


def start(port: int) -> str:
    """Start what is not running, bring the deployments up to date, return the UI's address."""
    prefect_home = Path(os.environ["PREFECT_HOME"])
    url = running_server(prefect_home)
    if url is None:
        url = f"http://{HOST}:{port}/api"
        # by another Prefect, say, which must not get our deployments; what is left of a keeper that
        # was killed is ended by the next one
        if is_taken(port) and not recorded(prefect_home):
            raise RunError(f"port {port} is taken; give another one by `make ui PORT=…`")
        with (prefect_home / "service.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "flows.service", "keep", "--port", str(port)],
                cwd=PROJECT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while not (answers(url) and running_server(prefect_home)):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RunError(
                    f"the Prefect server did not start at {url}; {prefect_home}/server.log says "
                    "why, and another port goes by `make ui PORT=…`"
                )
            time.sleep(0.3)
    elif recorded_inputs(prefect_home) not in (None, _inputs()):
        raise RunError(
            f"{url.removesuffix('/api')} is at work on other inputs; end it by `make ui-stop` and "
            "start it again"
        )
    os.environ["PREFECT_API_URL"] = url
    for name, value in SERVER_SETTINGS.items():
        os.environ.setdefault(name, value)
    deploy(load_settings())
    return url.removesuffix("/api")


def stop() -> bool:
    """End keeper, worker and server; tell whether any was running."""
    prefect_home = Path(os.environ["PREFECT_HOME"])
    if (pid := keeper(prefect_home)) is not None:
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + 3 * STOP_SECONDS
        while keeper(prefect_home) is not None:
            if time.monotonic() > deadline:
                raise RunError(
                    f"process {pid} does not stop; {prefect_home}/service.log may say why"
                )
            time.sleep(0.2)
        return True
    orphans = recorded(prefect_home)
    _end(orphans)
    (prefect_home / RECORD).unlink(missing_ok=True)
    return bool(orphans)


def _inputs() -> dict[str, str]:
    """Return what the environment says of the inputs: the worker's runs get it, and nobody else."""
    return {name: os.environ[name] for name in INPUT_VARIABLES if name in os.environ}


def answers(url: str) -> bool:
    """Tell whether a Prefect API answers at ``url``."""
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def is_taken(port: int) -> bool:
    """Tell whether a program listens on the port."""
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def _end(processes: list[psutil.Process]) -> None:
    """Ask the processes to end, and end those that do not."""
    for process in processes:
        process.terminate()
    _, left = psutil.wait_procs(processes, timeout=STOP_SECONDS)
    for process in left:
        process.kill()
    psutil.wait_procs(left, timeout=STOP_SECONDS)


def main() -> None:
    """Parse the command line and do as told."""
    parser = argparse.ArgumentParser(prog="python -m flows.service", description=__doc__)
    parser.add_argument("action", choices=("start", "stop", "keep"))
    parser.add_argument("--port", type=int, default=PORT)
    given = parser.parse_args()
    try:
        prepare(load_settings().home)
        if given.action == "keep":
            keep(Path(os.environ["PREFECT_HOME"]), given.port)
        elif given.action == "stop":
            print("stopped" if stop() else "nothing was running")
        else:
            print(f"{start(given.port)} is up: server, worker and deployments; `make ui-stop` ends")
    except CrossfadeError as error:
        sys.exit(f"crossfade: {error}")


if __name__ == "__main__":
    main()
