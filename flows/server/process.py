"""Start our own Prefect server on a socket that listens already, and ask whether it answers.

The starting process opens the socket, so the port is ours before anybody learns of it, nobody else
can take it while the server starts again, and clients that come early wait instead of failing.
"""

import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO

from flows.server import database
from flows.server.auth import auth_string, basic
from flows.settings import TOKEN
from warehouse.hosts import LOOPBACK

HOST = "127.0.0.1"

ANSWER_SECONDS = 5.0
"""How long to wait for one answer of a server that may still be starting."""


def listen(port: int = 0) -> socket.socket:
    """Return a socket that listens on the loopback address; port 0: a free one. Raises OSError."""
    return socket.create_server((HOST, port))


def api_url(listening: socket.socket) -> str:
    """Return the address of the API that is served on the socket."""
    return f"http://{HOST}:{listening.getsockname()[1]}/api"


def server_environment(
    prefect_home: Path,
    url: str,
    hosts: Sequence[str] = (),
    variables: Mapping[str, str] = os.environ,
) -> dict[str, str]:
    """Return the environment of our server at ``url``; access is not for the caller's to loosen.

    ``hosts``: names it may have beside the loopback ones. ``variables``: what else it gets.
    """
    auth, port = auth_string(prefect_home), url.rpartition(":")[2].removesuffix("/api")
    own = [f"http://{name}:{port}" for name in LOOPBACK]
    named = [f"{scheme}://{host}" for host in hosts for scheme in ("http", "https")]
    # what a command starts carries its token and ends with it; a server is for other commands too
    others = {name: value for name, value in variables.items() if name != TOKEN}
    return {
        **others,
        "PREFECT_API_URL": url,
        "PREFECT_API_AUTH_STRING": auth,
        "PREFECT_API_KEY": "",
        "PREFECT_SERVER_API_AUTH_STRING": auth,
        "PREFECT_SERVER_API_CSRF_PROTECTION_ENABLED": "true",
        "PREFECT_SERVER_API_CORS_ALLOWED_ORIGINS": ",".join([*own, *named]),
        "PREFECT_SERVER_UI_V2_ENABLED": "false",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        # Relative, so that the UI asks the name that it was opened by, and not another origin.
        "PREFECT_SERVER_UI_API_URL": "/api",
        # Prefect would copy the UI's files into its own package.
        "PREFECT_SERVER_UI_STATIC_DIRECTORY": str(prefect_home / "ui"),
    }


def server_command(listening: socket.socket, hosts: Sequence[str], *tie: str) -> list[str]:
    """Return the command line of a server; ``tie`` says what it ends with (`serve.main`)."""
    named = [part for host in hosts for part in ("--host", host)]
    descriptor = str(listening.fileno())
    return [sys.executable, "-m", "flows.server.serve", "--socket", descriptor, *named, *tie]


def start_server(
    command: Sequence[str],
    listening: socket.socket,
    environment: Mapping[str, str],
    log: BinaryIO,
    cwd: Path,
) -> subprocess.Popen[bytes]:
    """Start a server in a session of its own: Ctrl-C in a terminal is not meant for it.

    Its home gets a database first, if none is there and one was prepared.
    """
    if "PREFECT_HOME" in environment:
        database.provide(Path(environment["PREFECT_HOME"]), environment)
    return subprocess.Popen(
        command,
        cwd=cwd,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        pass_fds=[listening.fileno()],
        start_new_session=True,
    )


def answers(url: str, prefect_home: Path) -> bool:
    """Tell whether our server answers at ``url``; never asks a proxy."""
    request = urllib.request.Request(f"{url}/health")
    request.add_header("Authorization", basic(auth_string(prefect_home)))
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(request, timeout=ANSWER_SECONDS) as answer:
            return bool(answer.status == HTTPStatus.OK)
    except OSError:
        return False
