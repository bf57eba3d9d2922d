"""A Prefect server and a worker on this machine, kept running: `make ui` and `make ui-stop`.

One process keeps the two alive and starts again what died. A lock says whether it is at work; the
operating system lets go of the lock however the process ends, so nothing is ever stale.
"""

import argparse
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from socket import socket
from typing import BinaryIO

import psutil

from flows.deploy import POOL, deploy
from flows.environment import prepare_process
from flows.server.auth import auth_file, auth_string, rotate, sign_in
from flows.server.embedded import nobody_embedded
from flows.server.process import (
    HOST,
    answers,
    listen,
    server_command,
    server_environment,
    start_server,
)
from flows.server.tether import tethered
from flows.server_record import (
    RECORD,
    at_work,
    keeper,
    record,
    recorded,
    recorded_inputs,
    running_server,
)
from flows.settings import Settings, load_settings
from tasks.lake.code import ROOT
from warehouse.errors import CrossfadeError, RunError
from warehouse.releases.home import Home

PORT = 4200

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
    "CROSSFADE_PROJECT": str(ROOT),
}
"""What the server and its worker are started with, where the environment does not say otherwise."""


@dataclass
class Kept:
    """A process that is started again when it ends, later each time it ends at once."""

    name: str
    start: Callable[[BinaryIO], "subprocess.Popen[bytes]"]
    """Starts the process with its output going to the given file."""
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    quick_ends: int = 0

    def ensure_running(self, log: Path) -> bool:
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
            self.process = self.start(output)
        self.started = time.monotonic()
        return True


def keep(prefect_home: Path, port: int, hosts: Sequence[str] = (), with_api: bool = False) -> None:
    """Keep a server and a worker running until asked to stop (SIGTERM or SIGINT).

    ``hosts``: names by which browsers may reach the server beside the loopback ones. ``with_api``:
    keep `crossfade serve` running too. All of them end with this process, however it ends.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with at_work(prefect_home), nobody_embedded(prefect_home):
        _end(recorded(prefect_home))  # of a keeper that was killed
        with closing(listen(port)) as listening:
            _keep(prefect_home, listening, hosts, stop, with_api)


def _keep(
    prefect_home: Path,
    listening: socket,
    hosts: Sequence[str],
    stop: threading.Event,
    with_api: bool,
) -> None:
    url = _url(listening.getsockname()[1])
    environment = server_environment(prefect_home, url, hosts, {**SERVER_SETTINGS, **os.environ})
    server = Kept("server", _server(listening, hosts, environment))
    worker = Kept("worker", _worker(environment))
    apis = [Kept("serve", _api())] if with_api else []
    kept = (server, worker, *apis)
    try:
        while not stop.wait(0.5):
            started = server.ensure_running(prefect_home / "server.log")
            for api in apis:
                started |= api.ensure_running(prefect_home / "serve.log")
            if worker.process is not None or answers(url, prefect_home):
                started |= worker.ensure_running(prefect_home / "worker.log")
            if started:
                processes = {one.name: one.process.pid for one in kept if one.process}
                record(prefect_home, url, processes, _inputs())
    finally:
        for one in reversed(kept):
            if one.process is not None:
                _end([psutil.Process(one.process.pid)] if one.process.poll() is None else [])
        (prefect_home / RECORD).unlink(missing_ok=True)


def _server(
    listening: socket, hosts: Sequence[str], environment: Mapping[str, str]
) -> Callable[[BinaryIO], "subprocess.Popen[bytes]"]:
    """Return what starts the server."""
    command = server_command(listening, hosts, "--parent", str(os.getpid()))
    return lambda log: start_server(command, listening, environment, log, ROOT)


def _worker(environment: Mapping[str, str]) -> Callable[[BinaryIO], "subprocess.Popen[bytes]"]:
    """Return what starts the worker: a client, which does not need to know the server's side."""
    client = {
        name: value
        for name, value in environment.items()
        if name != "PREFECT_SERVER_API_AUTH_STRING"
    }
    prefect = str(Path(sys.executable).with_name("prefect"))
    command = [prefect, "worker", "start", "--pool", POOL, "--type", "process"]
    return lambda log: subprocess.Popen(
        tethered([*command, "--name", "crossfade"]),
        cwd=ROOT,
        env=client,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
    )


def _api() -> Callable[[BinaryIO], "subprocess.Popen[bytes]"]:
    """Return what starts `crossfade serve`, on the address of the settings."""
    return lambda log: subprocess.Popen(
        tethered([sys.executable, "-m", "flows.cli", "serve"]),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
    )


def _url(port: int) -> str:
    return f"http://{HOST}:{port}/api"


def start(port: int) -> str:
    """Start what is not running, bring the deployments up to date, return the UI's address."""
    prefect_home = Path(os.environ["PREFECT_HOME"])
    url = running_server(prefect_home)
    is_fresh = url is None
    if url is None:
        url = _url(port)
        # by another Prefect, say, which must not get our deployments; what is left of a keeper that
        # was killed is ended by the next one
        if is_taken(port) and not recorded(prefect_home):
            raise RunError(f"port {port} is taken; give another one by `make ui PORT=…`")
        with nobody_embedded(prefect_home):
            pass  # said here, where somebody reads it; the keeper holds the lock
        with (prefect_home / "service.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "flows.service", "keep", "--port", str(port)],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while not (running_server(prefect_home) and answers(url, prefect_home)):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RunError(
                    f"the Prefect server did not start at {url}; server.log and service.log in "
                    f"{prefect_home} say why, and another port goes by `make ui PORT=…`"
                )
            time.sleep(0.3)
    elif recorded_inputs(prefect_home) not in (None, _inputs()):
        raise RunError(
            f"{url.removesuffix('/api')} is at work on other inputs; end it by `make ui-stop` and "
            "start it again"
        )
    sign_in(url, prefect_home)
    for name, value in SERVER_SETTINGS.items():
        os.environ.setdefault(name, value)
    settings = load_settings()
    if is_fresh:
        from flows.runs import tidy_up  # imports Prefect, which must know the server by then

        tidy_up(Home(settings.home.resolve()))
    deploy(settings)
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


def renew_auth() -> str:
    """Replace the auth string; return what to do next. Raises RunError while a run is at work."""
    prefect_home = Path(os.environ["PREFECT_HOME"])
    was_running = stop()
    with nobody_embedded(prefect_home):
        rotate(prefect_home)
    said = f"{auth_file(prefect_home)} has a new auth string"
    return f"{said}; the server was stopped, `make ui` starts it again" if was_running else said


def _inputs() -> dict[str, str]:
    """Return what the environment says of the inputs: the worker's runs get it, and nobody else."""
    return {name: os.environ[name] for name in INPUT_VARIABLES if name in os.environ}


def is_taken(port: int) -> bool:
    """Tell whether a program listens on the port."""
    with socket() as probe:
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
    """Parse the command line and do what it says."""
    parser = argparse.ArgumentParser(prog="python -m flows.service", description=__doc__)
    parser.add_argument("action", choices=("start", "stop", "keep", "auth", "renew-auth"))
    parser.add_argument("--port", type=int, default=PORT)
    given = parser.parse_args()
    try:
        settings = load_settings()
        said = _do(
            given.action, given.port, settings, prepare_process(settings.home, settings.shared)
        )
    except CrossfadeError as error:
        sys.exit(f"crossfade: {error}")
    if said:
        print(said)


def _do(action: str, port: int, settings: Settings, prefect_home: Path) -> str:
    """Do what was asked for; return what to print."""
    match action:
        case "keep":
            keep(prefect_home, port, settings.hosts, settings.serve.with_ui)
            return ""
        case "stop":
            return "stopped" if stop() else "nothing was running"
        case "auth":
            return auth_string(prefect_home)
        case "renew-auth":
            return renew_auth()
        case _:
            return (
                f"{start(port)} is up: server, worker and deployments; `make ui-stop` ends them.\n"
                "Sign in with the string that `make ui-auth` prints "
                f"(it is in {auth_file(prefect_home)})"
                + (_said_of_api(settings) if settings.serve.with_ui else "")
            )


def _said_of_api(settings: Settings) -> str:
    at = f"{settings.serve.host}:{settings.serve.port}"
    return f"\nThe release is served at {at}; `crossfade serve --token` prints the token"


if __name__ == "__main__":
    main()
