"""Start the worker processes on one address, and keep them running until asked to stop."""

import os
import socket
from collections.abc import Sequence
from contextlib import closing, suppress
from functools import partial

from warehouse.errors import InputError
from warehouse.releases.home import Home
from warehouse.serve.access import token, token_file
from warehouse.serve.app import Serving, create_app
from warehouse.serve.metrics import shared_folder
from warehouse.serve.parameters import ServeParameters

WILDCARDS = ("0.0.0.0", "::")

GRACE_SECONDS = 4
"""How long open requests may take to end."""

BACKLOG = 2048

UNRESPONSIVE_SECONDS = 60
"""After which a worker that does not even say that it is alive is replaced."""


def serve(home: Home, parameters: ServeParameters, hosts: Sequence[str] = ()) -> None:
    """Serve the home's releases until interrupted.

    ``hosts``: names it may be asked by beside its address. Raises InputError if the address cannot
    be listened on.
    """
    import uvicorn

    from warehouse.serve.workers import Workers

    token(home)
    name = parameters.host.strip("[]")
    named = [] if parameters.is_loopback or name in WILDCARDS else [name]
    with closing(_listening(name, parameters.port)) as listening, shared_folder():
        port = int(listening.getsockname()[1])
        serving = Serving(
            home,
            port,
            (*hosts, *named),
            addresses=not parameters.is_loopback,
            origins=parameters.origins,
            parent=os.getpid() if parameters.workers > 1 else None,
        )
        config = uvicorn.Config(
            partial(create_app, serving),
            factory=True,
            workers=parameters.workers,
            access_log=False,  # addresses hold listeners' ids
            log_level="warning",
            server_header=False,
            proxy_headers=False,  # nothing here depends on who asks
            backlog=BACKLOG,
            timeout_graceful_shutdown=GRACE_SECONDS,
            timeout_worker_healthcheck=UNRESPONSIVE_SECONDS,
        )
        print(
            f"{_url(name, port)} answers, its document is at /docs; the token is in "
            f"{token_file(home)}",
            flush=True,
        )
        with suppress(KeyboardInterrupt):  # the way to end it
            if parameters.workers == 1:
                uvicorn.Server(config).run(sockets=[listening])
            else:
                listening.close()
                with closing(_bound(name, port)):  # the port stays ours while no worker listens
                    Workers(config, partial(_listening_beside, name, port)).run()


def _listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens where nobody else does."""
    try:
        return socket.create_server((host, port), family=_family(host), backlog=BACKLOG)
    except OSError as error:
        raise InputError(
            f"cannot listen on {host} port {port} ({error.strerror or error}); give another one by "
            "--host or --port"
        ) from None


def _listening_beside(host: str, port: int) -> socket.socket:
    """Return one more socket that listens there."""
    bound = _bound(host, port)
    bound.listen(BACKLOG)
    return bound


def _bound(host: str, port: int) -> socket.socket:
    bound = socket.socket(_family(host))
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    bound.bind((host, port))
    return bound


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _url(host: str, port: int) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
