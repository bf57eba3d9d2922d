"""Real parts for the tests: a Prefect server, a sample, a published home, a command line."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from flows.environment import silence_teardown

silence_teardown()

BIN = Path(sys.executable).parent


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
        self, *arguments: str | Path, timeout: float = 240
    ) -> subprocess.CompletedProcess[str]:
        """Run the command and return its output and exit status."""
        return subprocess.run(
            [BIN / "crossfade", *map(str, arguments)],
            cwd=self.cwd,
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Start a Prefect server for the whole session."""
    with running_prefect_server(tmp_path_factory.mktemp("prefect")) as environment:
        yield environment


@contextmanager
def running_prefect_server(home: Path) -> Iterator[dict[str, str]]:
    """Start a Prefect server on a free port; yield the environment that points at it."""
    home.mkdir(parents=True, exist_ok=True)
    port = free_port()
    environment = {
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }
    with (home / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [BIN / "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)],
            env={**os.environ, **environment},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_for(f"{environment['PREFECT_API_URL']}/health", server, home / "server.log")
        yield environment
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
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
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """Generate a small world by the command line."""
    folder = tmp_path_factory.mktemp("sample")
    done = CommandLine(folder)("sample", "--out", folder, "--scale", "0.3", "--catalogue", "0.3")
    assert done.returncode == 0, done.stderr
    return Sample(folder / "Music Info.csv", folder / "User Listening History.csv")


@dataclass(frozen=True)
class Published:
    """A home with one published release, and the command line that made it."""

    home: Path
    crossfade: CommandLine
    output: str
    environment: dict[str, str]

    @property
    def database(self) -> Path:
        """The pointer that readers open."""
        return self.home / "warehouse" / "current.duckdb"


@pytest.fixture(scope="session")
def published(
    tmp_path_factory: pytest.TempPathFactory, prefect_server: dict[str, str], sample: Sample
) -> Published:
    """Run the whole pipeline once on the sample. Tests that change the home copy it first."""
    folder = tmp_path_factory.mktemp("published")
    crossfade = CommandLine(folder, {**prefect_server, "CROSSFADE_HOME": str(folder / "home")})
    done = crossfade("run", *sample.flags, timeout=900)  # kernels may have to be compiled
    assert done.returncode == 0, done.stderr
    return Published(folder / "home", crossfade, done.stdout, prefect_server)
