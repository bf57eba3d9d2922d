"""Tell a Prefect server of a run that has ended, without importing Prefect.

Importing it takes longer than a run in which nothing has changed. The few calls here are those that
Prefect's own client makes for a flow: https://docs.prefect.io/v3/api-ref/rest-api.
"""

import json
import os
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

from flows.server.address import check_reachable, configured, is_own
from flows.server.auth import auth_string, basic
from flows.server_record import running_server

PATIENCE_SECONDS = 10.0
"""How long one call may take."""


class Page(NamedTuple):
    """A page of Markdown for the run."""

    key: str
    markdown: str
    description: str


class Ended(NamedTuple):
    """A run at a terminal that has ended well."""

    flow: str
    name: str
    tags: Sequence[str]
    parameters: Mapping[str, Any]
    message: str
    lines: Sequence[str]
    page: Page


class Server:
    """A Prefect server that is there, and how to sign in to it."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Content-Type": "application/json", **headers}

    def report(self, run: Ended) -> None:
        """Put a run among the server's flow runs, with its lines and its page; raises OSError."""
        self._allow_changes()
        flow = self._post("/flows/", {"name": run.flow})["id"]
        created = self._post(
            "/flow_runs/",
            {
                "flow_id": flow,
                "name": run.name,
                "tags": list(run.tags),
                "parameters": dict(run.parameters),
                "state": {"type": "RUNNING", "name": "Running"},
            },
        )["id"]
        try:
            self._fill(created, run)
        except OSError:
            with suppress(OSError):  # whoever reports the run instead needs no second one
                self._call("DELETE", f"/flow_runs/{created}")
            raise

    def _fill(self, created: str, run: Ended) -> None:
        """Add lines, page and last state to a flow run."""
        now = _text(datetime.now(UTC))
        self._post(
            "/logs/",
            [
                {
                    "name": "crossfade",
                    "level": 30 if line.startswith("WARNING: ") else 20,
                    "message": line.removeprefix("WARNING: "),
                    "timestamp": now,
                    "flow_run_id": created,
                }
                for line in run.lines
            ],
        )
        page = {
            "key": run.page.key,
            "type": "markdown",
            "data": run.page.markdown,
            "description": run.page.description,
            "flow_run_id": created,
        }
        self._post("/artifacts/", page)
        ended = {"type": "COMPLETED", "name": "Completed", "message": run.message}
        self._post(f"/flow_runs/{created}/set_state", {"state": ended, "force": True})

    def _allow_changes(self) -> None:
        """Get the token without which a server with protection against forgery takes no calls."""
        client = str(uuid4())
        try:
            token = self._call("GET", f"/csrf-token?client={client}")["token"]
        except urllib.error.HTTPError as error:
            if error.code in (404, 422):  # it has none, or does not use it
                return
            raise
        self._headers |= {"Prefect-Csrf-Client": client, "Prefect-Csrf-Token": token}

    def _post(self, path: str, content: object) -> Any:
        return self._call("POST", path, json.dumps(content, default=str).encode())

    def _call(self, method: str, path: str, body: bytes | None = None) -> Any:
        request = urllib.request.Request(f"{self._url}{path}", body, self._headers, method=method)
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
            return json.loads(answer.read() or b"null")


def known_server(prefect_home: Path) -> Server | None:
    """Return the server that `flows.environment.prepare` would use, or None if it would start one.

    Raises RunError if a configured one does not answer.
    """
    given, own = configured(prefect_home), running_server(prefect_home)
    if own is not None and (given is None or is_own(given[0], own)):
        return Server(own, {"Authorization": basic(auth_string(prefect_home))})
    if given is None:
        return None
    check_reachable(*given)
    key, auth = (os.environ.get(f"PREFECT_API_{name}", "") for name in ("KEY", "AUTH_STRING"))
    if key:
        return Server(given[0], {"Authorization": f"Bearer {key}"})
    return Server(given[0], {"Authorization": basic(auth)} if auth else {})


def _text(at: datetime) -> str:
    return at.isoformat()
