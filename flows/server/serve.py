"""The process of our own Prefect server: `python -m flows.server.serve`, started by us alone."""

import argparse
import fcntl
import os
import signal
import socket
import threading
import time
from pathlib import Path

from flows.server.tether import end_with_parent

LOOK_SECONDS = 0.25
"""How often an embedded server looks whether anybody still uses it."""

GRACE_SECONDS = 4
"""How long open requests may take to end."""

ABANDONED_SECONDS = 1.0
"""How long an embedded server may take to end once its users have; nobody waits for an answer."""


def end_without_users(lock: Path) -> None:
    """End this process as soon as no process holds the lock in shared mode.

    The operating system gives up the lock of a process that has ended, however it ended. This
    process then holds the lock until it is gone, so that nobody joins a server that is leaving.
    """
    file = lock.open("a+")

    def watch() -> None:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                time.sleep(LOOK_SECONDS)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(ABANDONED_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, name="users", daemon=True).start()


def serve(listening: socket.socket, hosts: tuple[str, ...]) -> None:
    """Serve Prefect's API, and its UI unless switched off, on a socket that listens already."""
    import uvicorn

    from flows.server.app import create_app

    port = listening.getsockname()[1]
    app = create_app(port, hosts, os.environ["PREFECT_SERVER_API_AUTH_STRING"])
    from prefect.settings import get_current_settings

    settings = get_current_settings().server
    config = uvicorn.Config(
        app,
        log_level=settings.logging_level.lower(),
        timeout_keep_alive=settings.api.keepalive_timeout,
        ws_ping_interval=settings.api.websocket_ping_interval,
        ws_ping_timeout=settings.api.websocket_ping_timeout,
        timeout_graceful_shutdown=GRACE_SECONDS,
        lifespan="on",
    )
    uvicorn.Server(config).run(sockets=[listening])


def main() -> None:
    """Tie this process to whoever needs it, then serve."""
    parser = argparse.ArgumentParser(prog="python -m flows.server.serve", description=__doc__)
    parser.add_argument("--socket", type=int, required=True, help="descriptor of the socket")
    parser.add_argument("--host", action="append", default=[], help="a further name of the server")
    tie = parser.add_mutually_exclusive_group(required=True)
    tie.add_argument("--parent", type=int, help="end with this process")
    tie.add_argument("--users", type=Path, help="end when nobody holds this lock")
    given = parser.parse_args()
    if given.parent is not None:
        end_with_parent(given.parent)
    else:
        end_without_users(given.users)
    serve(socket.socket(fileno=given.socket), tuple(given.host))


if __name__ == "__main__":
    main()
