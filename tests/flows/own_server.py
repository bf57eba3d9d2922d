"""Our own Prefect server, started as `make ui` starts it but without worker and deployments."""

import os
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from flows.server.auth import auth_string, basic
from flows.server.process import (
    answers,
    api_url,
    listen,
    server_command,
    server_environment,
    start_server,
)

PROJECT = Path(__file__).parents[2]


def signed_in(url: str, auth: str) -> httpx.Client:
    """Return a client of the API that has signed in and has a CSRF token."""
    name, headers = str(uuid.uuid4()), {"Authorization": basic(auth)}
    answer = httpx.get(f"{url}/csrf-token?client={name}", headers=headers, timeout=60)
    answer.raise_for_status()
    headers["Prefect-Csrf-Client"] = name
    headers["Prefect-Csrf-Token"] = answer.json()["token"]
    return httpx.Client(base_url=url, timeout=60, headers=headers)


@dataclass(frozen=True)
class OwnServer:
    """A running server of our own."""

    url: str
    """Address of the API."""
    prefect_home: Path
    process: "subprocess.Popen[bytes]"

    @property
    def auth(self) -> str:
        """The string that signs in."""
        return auth_string(self.prefect_home)

    @property
    def root(self) -> str:
        """Address of the UI."""
        return self.url.removesuffix("/api")

    @property
    def port(self) -> str:
        """The port, as text."""
        return self.root.rpartition(":")[2]

    def ask(self, method: str, path: str, **content: Any) -> Any:
        """Ask the API as somebody who has signed in; a busy database is asked again."""
        with signed_in(self.url, self.auth) as client:
            answer = client.request(method, path, json=content or None)
            deadline = time.monotonic() + 60
            while answer.status_code == 503 and time.monotonic() < deadline:
                time.sleep(0.5)
                answer = client.request(method, path, json=content or None)
            answer.raise_for_status()
            return answer.json() if answer.content else None

    def deployment(self) -> str:
        """Create a deployment; return its id."""
        flow = self.ask("POST", "/flows/", name="somebodys-flow")
        made = self.ask("POST", "/deployments/", name="nightly", flow_id=flow["id"])
        return str(made["id"])

    def runs(self) -> list[dict[str, Any]]:
        """Return every flow run."""
        found: list[dict[str, Any]] = self.ask("POST", "/flow_runs/filter", sort="NAME_ASC")
        return found


@contextmanager
def own_server(prefect_home: Path, hosts: tuple[str, ...] = ()) -> Iterator[OwnServer]:
    """Run our own server until the end of the block."""
    prefect_home.mkdir(mode=0o700, parents=True, exist_ok=True)
    variables = {name: value for name, value in os.environ.items() if "PREFECT" not in name}
    variables |= {
        "PREFECT_HOME": str(prefect_home),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }
    log = prefect_home / "server.log"
    with listen() as listening, log.open("wb") as output:
        url = api_url(listening)
        process = start_server(
            server_command(listening, hosts, "--parent", str(os.getpid())),
            listening,
            server_environment(prefect_home, url, hosts, variables),
            output,
            PROJECT,
        )
    try:
        deadline = time.monotonic() + 250
        while not answers(url, prefect_home):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the server did not start:\n{log.read_text()[-4000:]}")
            time.sleep(0.2)
        yield OwnServer(url, prefect_home, process)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
