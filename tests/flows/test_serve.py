"""`crossfade serve` as a command: its token, its address, its end, and `make ui` beside it."""

import socket
import subprocess
import sys
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from typer.testing import CliRunner

from flows import service
from flows.cli import app
from flows.settings import load_settings
from tests.warehouse.serve.serving import process, wait
from warehouse.errors import InputError
from warehouse.releases.home import Home
from warehouse.serve import launch
from warehouse.serve.access import token_file
from warehouse.serve.parameters import ServeParameters


def command(*arguments: str) -> str:
    """Run `crossfade serve` and return its output."""
    result = CliRunner().invoke(app, ["serve", *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout.strip()


def test_the_token_is_printed_and_replaced(tmp_path: Path) -> None:
    first = command("--home", str(tmp_path), "--token")
    assert first == token_file(Home(tmp_path)).read_text().strip()
    assert command("--home", str(tmp_path), "--token") == first
    second = command("--home", str(tmp_path), "--renew-token")
    assert second != first
    assert command("--home", str(tmp_path), "--token") == second


def test_two_workers_answer_and_report_together(tmp_path: Path) -> None:
    with process(tmp_path, "--workers", "2") as api:
        for _ in range(10):
            assert api.get("/v1/release", headers={"Connection": "close"}).status_code == 503
        text = api.get("/metrics").text
        counted = 'crossfade_http_requests_total{method="GET",path="/v1/release",status="503"} 10.0'
        assert counted in text


def test_it_ends_at_sigterm_and_its_workers_with_it(tmp_path: Path) -> None:
    others = _children()  # other tests of this process keep servers running
    with process(tmp_path, "--workers", "2") as api:
        port = api.base_url.port
        mine = list(_children() - others)
    _, left = psutil.wait_procs(mine, timeout=20)
    assert left == []
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_a_worker_that_is_killed_is_replaced(tmp_path: Path) -> None:
    others = _children()
    with process(tmp_path, "--workers", "2") as api:
        workers = [one for one in _children() - others if "spawn_main" in " ".join(one.cmdline())]
        assert len(workers) == 2
        workers[0].kill()
        workers[0].wait(60)  # until then the kernel may still hand it connections
        wait(lambda: answers_again(api))
        for _ in range(20):
            assert api.get("/v1/release", headers={"Connection": "close"}).status_code == 503


def _children() -> set[psutil.Process]:
    return set(psutil.Process().children(recursive=True))


def answers_again(api: httpx.Client) -> bool:
    """Tell whether a new connection is answered."""
    with suppress(httpx.TransportError):
        return api.get("/health", headers={"Connection": "close"}).status_code == 503
    return False


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(InputError, match=f"cannot listen on 127.0.0.1 port {port}"):
            launch.serve(Home(tmp_path), ServeParameters(port=port, workers=1))


def test_settings_say_where_it_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROSSFADE_SERVE__PORT", "8700")
    monkeypatch.setenv("CROSSFADE_SERVE__ORIGINS", '["https://app.example"]')
    found = load_settings().serve
    assert (found.host, found.port, found.origins) == ("127.0.0.1", 8700, ("https://app.example",))
    monkeypatch.setenv("CROSSFADE_SERVE__ORIGINS", '["https://app.example/page"]')
    with pytest.raises(InputError, match="is no origin: write scheme://host"):
        load_settings()


def test_make_ui_starts_it_tied_to_the_keeper(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Any] = []
    monkeypatch.setattr(subprocess, "Popen", lambda command, **_: started.append(command))
    service._api()(BytesIO())
    assert started[0][-3:] == ["-m", "flows.cli", "serve"]
    assert started[0][:3] == [sys.executable, "-m", "flows.server.tether"]
