"""Real parts for the tests: a Prefect server, a sample, a published home, a command line.

What takes long is built once and used by every worker of pytest-xdist: see ``built_once``.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from filelock import FileLock
from hypothesis import settings
from typer.testing import CliRunner, Result

from flows.environment import silence_teardown
from flows.server.database import provide

silence_teardown()

settings.register_profile("shared processors", deadline=None)
settings.load_profile("shared processors")

BIN = Path(sys.executable).parent
SHARED = "CROSSFADE_TESTS_SHARED"
"""The environment variable that names the folder of what all workers share."""


os.environ.setdefault("CROSSFADE_TUNE__SECONDS", "1")
"""Hundreds of runs choose their parameters: each on the samples of a search of one second."""


def pytest_configure(config: pytest.Config) -> None:
    """Make the shared folder in the process that starts the workers, or works alone."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # so a shell starts what works in the background, and a run inherits it
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if not hasattr(config, "workerinput"):
        os.environ[SHARED] = tempfile.mkdtemp(prefix="crossfade-tests-")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the shared server and delete the shared folder when every worker is done."""
    if not hasattr(config, "workerinput"):
        folder = Path(os.environ.pop(SHARED))
        for record in folder.glob("*/server.json"):
            with suppress(psutil.NoSuchProcess):
                _stop(psutil.Process(json.loads(record.read_text())["pid"]))
        shutil.rmtree(folder, ignore_errors=True)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """Keep tests that share fixtures on one worker, and start those that take longest.

    A group is a module, or a package whose modules share servers. Groups with tests that may
    exceed the usual timeout come first, then those on whole runs; the rest fills gaps at the end.
    """
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item)))
    yield  # pytest takes out what `-m` does not select
    cost: dict[str, tuple[float, bool]] = {}
    for item in items:
        allowed = item.get_closest_marker("timeout")
        whole_run = "prefect_server" in getattr(item, "fixturenames", ())
        own = (float(allowed.args[0]) if allowed else 0.0, whole_run)
        cost[_group(item)] = max(own, cost.get(_group(item), own))
    rank = {group: x for x, group in enumerate(sorted(cost, key=lambda g: cost[g], reverse=True))}
    items.sort(key=lambda item: rank[_group(item)])


def _group(item: pytest.Item) -> str:
    package = "tests/warehouse/explorer"
    return package if item.nodeid.startswith(package) else item.nodeid.partition("::")[0]


def built_once(name: str, build: Callable[[Path], Any]) -> tuple[Path, Any]:
    """Build something by the first worker that wants it; the others wait and get the same.

    ``build`` writes into the folder that it is given, and returns what JSON can hold. Returns the
    folder and that. Tests read what is shared; a test that changes it copies it first.
    """
    folder = Path(os.environ[SHARED]) / name
    record = folder / "built.json"
    with FileLock(folder.with_suffix(".lock")):
        if not record.exists():
            shutil.rmtree(folder, ignore_errors=True)  # an attempt that failed
            folder.mkdir()
            record.write_text(json.dumps(build(folder)))
        return folder, json.loads(record.read_text())


def free_port() -> int:
    """Return a TCP port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class CommandLine:
    """Runs `crossfade` as a user would, in a process of its own."""

    cwd: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __call__(
        self, *arguments: str | Path, timeout: float | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run the command and return its output and exit status; pytest ends one that hangs."""
        return subprocess.run(
            [BIN / "crossfade", *map(str, arguments)],
            cwd=self.cwd,
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def here(self, *arguments: str | Path) -> Result:
        """Run a command that starts no flow in this process, which has everything imported."""
        from flows.cli import app

        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.cwd)
            return CliRunner().invoke(app, [*map(str, arguments)], env=self.environment)


@pytest.fixture(scope="session")
def prefect_server() -> dict[str, str]:
    """The environment that points at the Prefect server of the whole session."""
    return dict(built_once("prefect", lambda folder: start_prefect_server(folder)[0])[1])


@contextmanager
def running_prefect_server(home: Path) -> Iterator[dict[str, str]]:
    """Run a Prefect server of its own; yield the environment that points at it."""
    environment, server = start_prefect_server(home)
    try:
        yield environment
    finally:
        _stop(server)


def start_prefect_server(home: Path) -> tuple[dict[str, str], psutil.Popen]:
    """Start a Prefect server on a free port; note its process in ``home / "server.json"``."""
    home.mkdir(parents=True, exist_ok=True)
    provide(home)
    port = free_port()
    environment = {
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }
    with (home / "server.log").open("wb") as log:
        server = psutil.Popen(
            [BIN / "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)],
            env={**os.environ, **environment},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    (home / "server.json").write_text(json.dumps({"pid": server.pid}))
    try:
        _wait_for(f"{environment['PREFECT_API_URL']}/health", server, home / "server.log")
    except RuntimeError:
        _stop(server)
        raise
    return environment, server


def _stop(process: psutil.Process) -> None:
    process.terminate()
    try:
        process.wait(20)
    except psutil.TimeoutExpired:
        process.kill()
        process.wait()


def _wait_for(url: str, server: psutil.Popen, log: Path) -> None:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        if server.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.3)
    raise RuntimeError(f"the Prefect server did not start:\n{log.read_text()[-4000:]}")


@dataclass(frozen=True)
class Sample:
    """The two CSV files of a generated sample."""

    tracks: Path
    plays: Path

    @property
    def flags(self) -> list[str | Path]:
        """The flags that name them."""
        return ["--tracks", self.tracks, "--plays", self.plays]


@pytest.fixture(scope="session")
def sample() -> Sample:
    """A small world, generated by the command line."""

    def generate(folder: Path) -> None:
        size = ("--scale", "0.3", "--catalogue", "0.3")
        done = CommandLine(folder)("sample", "--out", folder, *size)
        assert done.returncode == 0, done.stderr

    folder, _ = built_once("sample", generate)
    return Sample(folder / "Music Info.csv", folder / "User Listening History.csv")


@dataclass(frozen=True)
class Published:
    """A home with one published release, and the command line that made it."""

    home: Path
    crossfade: CommandLine
    output: str
    environment: dict[str, str]
    run_id: str
    """Prefect's id of the run that made it."""

    @property
    def database(self) -> Path:
        """The pointer that readers open."""
        return self.home / "warehouse" / "current.duckdb"


@pytest.fixture(scope="session")
def published(prefect_server: dict[str, str], sample: Sample) -> Published:
    """Run the whole pipeline once on the sample. Tests that change the home copy it first."""

    def command_line(folder: Path) -> CommandLine:
        return CommandLine(folder, {**prefect_server, "CROSSFADE_HOME": str(folder / "home")})

    def run(folder: Path) -> dict[str, str]:
        # kernels may have to be compiled
        home = str(folder / "home")
        done = command_line(folder)("run", *sample.flags, "--home", home, timeout=900)
        assert done.returncode == 0, done.stderr
        found = httpx.post(f"{prefect_server['PREFECT_API_URL']}/flow_runs/filter", json={}).json()
        (run_id,) = [run["id"] for run in found if run["parameters"].get("home") == home]
        return {"output": done.stdout, "run_id": run_id}

    folder, said = built_once("published", run)
    return Published(folder / "home", command_line(folder), environment=prefect_server, **said)
