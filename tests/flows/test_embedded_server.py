"""The server of a command in a terminal: one per home, authenticated, gone with its users."""

import fcntl
import http.server
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from flows.server import embedded
from flows.server.address import (
    PATIENCE_SECONDS,
    check_reachable,
    configured,
    is_own,
    local_traffic_stays_local,
)
from flows.server.auth import auth_string, rotate
from flows.server.embedded import RECORD, USERS, nobody_embedded
from tests.conftest import CommandLine, Sample, free_port
from warehouse.errors import RunError

START_SECONDS, END_SECONDS = 250.0, 10.0

COMMAND = """
import os, sys, time
from pathlib import Path
from flows.environment import prepare
prepare(Path(sys.argv[1]))
from prefect.client.orchestration import get_client
with get_client(sync_client=True) as client:
    client.read_flows()
print(os.environ["PREFECT_API_URL"], flush=True)
sys.stdin.read()
"""
"""A command that asks its server something, says which one it was, and works until it is told."""

DEAD_PROXY = {f"{kind}_PROXY": "http://127.0.0.1:9" for kind in ("HTTP", "HTTPS", "ALL")}


@contextmanager
def command(home: Path) -> Iterator["subprocess.Popen[str]"]:
    """Run the command with proxies set that lead nowhere."""
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PREFECT_") and name.lower() != "no_proxy"
    }
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, str(home)],
        env={**clean, **DEAD_PROXY},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def server_of(home: Path) -> psutil.Process:
    """Return the embedded server's process."""
    return psutil.Process(json.loads((home / "prefect" / RECORD).read_text())["pid"])


def until(true: Callable[[], object], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_two_commands_share_a_server_that_ends_with_the_last(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with command(home) as first, command(home) as second:
        assert first.stdout
        assert second.stdout
        url = first.stdout.readline().strip()
        assert url.startswith("http://127.0.0.1:")
        assert second.stdout.readline().strip() == url
        server = server_of(home)
        assert httpx.get(f"{url}/health").status_code == 401
        for folder in (home, home / "prefect"):
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert [
            path.name
            for path in (home / "prefect").iterdir()
            if path.is_file() and stat.S_IMODE(path.stat().st_mode) & 0o077
        ] == []
        with pytest.raises(RunError, match="a command is at work"):
            _nobody(home / "prefect")

        first.kill()
        first.wait()
        time.sleep(2 * END_SECONDS / 5)
        assert server.is_running()
        assert httpx.get(f"{url}/health").status_code == 401

        second.terminate()  # nothing in it is prepared for that
        second.wait()
        server.wait(END_SECONDS)
    with nobody_embedded(home / "prefect"):
        pass


def _nobody(prefect_home: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(embedded, "END_SECONDS", 0.1)
        with nobody_embedded(prefect_home):
            pass


def test_a_command_that_ends_leaves_no_server(tmp_path: Path) -> None:
    with command(tmp_path) as ordinary:
        assert ordinary.stdout
        assert ordinary.stdout.readline().startswith("http")
        server = server_of(tmp_path)
        ordinary.communicate()
        assert ordinary.returncode == 0
    assert not server.is_running()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_command_killed_while_its_server_starts_leaves_none(
    tmp_path: Path, number: signal.Signals
) -> None:
    record = tmp_path / "prefect" / RECORD
    with command(tmp_path) as early:
        until(record.exists, START_SECONDS)
        server = server_of(tmp_path)
        early.send_signal(number)
        early.wait()
    until(lambda: not server.is_running(), START_SECONDS / 2)  # Python itself has to start first
    with (tmp_path / "prefect" / USERS).open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_the_string_is_made_once_and_can_be_replaced(tmp_path: Path) -> None:
    made: list[str] = []
    threads = [
        threading.Thread(target=lambda: made.append(auth_string(tmp_path))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 1
    (tmp_path / "auth-string").chmod(0o644)
    assert auth_string(tmp_path) == made[0]
    rotate(tmp_path)
    assert auth_string(tmp_path) != made[0]
    (file,) = tmp_path.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("kind", ["nobody", "silent", "page", "unknown name", "no address"])
def test_a_server_that_is_not_there_is_named_at_once(kind: str, tmp_path: Path) -> None:
    (tmp_path / "health").write_text("<html>")
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0),
            lambda *given: http.server.SimpleHTTPRequestHandler(*given, directory=str(tmp_path)),
        ) as page,
    ):
        threading.Thread(target=page.serve_forever, daemon=True).start()
        url = {
            "nobody": f"http://127.0.0.1:{free_port()}/api",
            "silent": f"http://127.0.0.1:{silent.getsockname()[1]}/api",
            "page": f"http://127.0.0.1:{page.server_address[1]}",
            "unknown name": "http://nowhere.invalid/api",
            "no address": "localhost:4200/api",
        }[kind]
        began = time.monotonic()
        with pytest.raises(RunError, match="start it, correct PREFECT_API_URL") as raised:
            check_reachable(url, "PREFECT_API_URL")
        assert time.monotonic() - began < PATIENCE_SECONDS + 10
        assert url in str(raised.value)
        page.shutdown()


def test_a_run_says_it_in_one_sentence(sample: Sample, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}/api"
    crossfade = CommandLine(tmp_path, {"PREFECT_API_URL": url, "CROSSFADE_HOME": "home"})
    done = crossfade("run", *sample.flags)
    assert done.returncode == 1
    said = [line for line in done.stderr.splitlines() if not line.startswith("[")]  # no log line
    assert len(said) == 1, done.stderr
    assert said[0].startswith(f"crossfade: no Prefect server answers at {url}")


def test_ours_is_never_sent_to_a_foreign_server(tmp_path: Path) -> None:
    seen: list[str | None] = []

    class Foreign(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.headers.get("Authorization"))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"true")

    said = "import os; print(os.environ.get('PREFECT_API_AUTH_STRING'))"
    script = f"from pathlib import Path\nfrom flows.environment import prepare\n{said}"
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Foreign) as foreign:
        threading.Thread(target=foreign.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{foreign.server_address[1]}/api"
        done = subprocess.run(
            [sys.executable, "-c", script.replace(said, f"prepare(Path('home'))\n{said}")],
            env={**os.environ, "PREFECT_API_URL": url, "PREFECT_HOME": str(tmp_path)},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        foreign.shutdown()
    assert done.stdout.strip() == "None"
    assert seen == [None]


@pytest.mark.parametrize(
    ("url", "own"),
    [
        ("http://127.0.0.1:4200/api", True),
        ("http://localhost:4200/api/", True),
        ("http://[::1]:4200/api", True),
        ("http://127.0.0.1:4201/api", False),
        ("https://127.0.0.1:4200/api", False),
        ("http://127.0.0.1.example:4200/api", False),
        ("http://127.0.0.1:4200@evil.example/api", False),
        ("http://127.0.0.1:4200/other", False),
        ("http://127.0.0.1:port/api", False),
    ],
)
def test_our_own_address_is_known_by_its_names(url: str, own: bool) -> None:
    assert is_own(url, "http://127.0.0.1:4200/api") is own
    assert not is_own(url, None)


def test_the_address_is_found_where_prefect_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.delenv("PREFECT_PROFILE", raising=False)
    assert configured(tmp_path) is None
    profiles = 'active = "work"\n[profiles.work]\nPREFECT_API_URL = "http://profile/api"\n'
    (tmp_path / "profiles.toml").write_text(profiles)
    assert configured(tmp_path) == (
        "http://profile/api",
        f"PREFECT_API_URL in {tmp_path / 'profiles.toml'}",
    )
    (tmp_path / "pyproject.toml").write_text('[tool.prefect.api]\nurl = "http://project/api"\n')
    assert configured(tmp_path) == ("http://project/api", "api.url in pyproject.toml")
    (tmp_path / "prefect.toml").write_text('[api]\nurl = "http://toml/api"\n')
    assert configured(tmp_path) == ("http://toml/api", "api.url in prefect.toml")
    (tmp_path / ".env").write_text("PREFECT_API_URL=http://file/api\n")
    assert configured(tmp_path) == ("http://file/api", "PREFECT_API_URL in .env")
    monkeypatch.setenv("PREFECT_API_URL", "http://variable/api")
    assert configured(tmp_path) == ("http://variable/api", "PREFECT_API_URL")


@pytest.mark.parametrize("given", ["", "intern.example", "localhost, .example", "*"])
def test_proxies_are_left_out_of_local_traffic(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", given)
    monkeypatch.setenv("no_proxy", given)
    local_traffic_stays_local()
    local_traffic_stays_local()
    exempt = os.environ["NO_PROXY"].split(",")
    if given == "*":
        assert exempt == ["*"]
    else:
        assert set(exempt) == {"127.0.0.1", "localhost", "::1"} | set(
            given.replace(" ", "").split(",") if given else ()
        )
        assert len(exempt) == len(set(exempt))
