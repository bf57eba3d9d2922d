"""The API on a real socket, in a thread of the test's process or as `crossfade serve` runs it."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from warehouse.releases.home import Home
from warehouse.serve.access import token
from warehouse.serve.app import Serving, create_app

PATIENCE_SECONDS = 60.0


@contextmanager
def served(home: Home, **serving: Any) -> Iterator[httpx.Client]:
    """Serve a home from a thread; yield a client that has the token."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        port = listening.getsockname()[1]
        app = create_app(Serving(home, port, **serving))
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="on"))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            wait(lambda: server.started)
            with client(home, port) as ours:
                yield ours
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def process(home: Path, *options: str) -> Iterator[httpx.Client]:
    """Run `crossfade serve`; yield a client that has the token; end it by SIGTERM."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "flows.cli", "serve", "--home", str(home)]
    running = subprocess.Popen(
        [*command, "--port", str(port), *options], env={**os.environ, "CROSSFADE_HOSTS": ""}
    )
    try:
        with client(Home(home), port) as ours:

            def answers() -> bool:
                assert running.poll() is None
                with suppress(httpx.TransportError):
                    return ours.get("/health").status_code in (200, 503)
                return False

            wait(answers)
            yield ours
    finally:
        running.send_signal(signal.SIGTERM)
        running.wait(PATIENCE_SECONDS)


def client(home: Home, port: int) -> httpx.Client:
    """Return a client that has the token."""
    return httpx.Client(
        base_url=f"http://127.0.0.1:{port}",
        headers={"Authorization": f"Bearer {token(home)}"},
        timeout=PATIENCE_SECONDS,
        trust_env=False,
    )


def wait(ready: Any) -> None:
    """Wait until ``ready()`` is true; fail when it takes too long."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not ready():
        assert time.monotonic() < deadline
        time.sleep(0.02)
