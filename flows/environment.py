"""Process-wide environment, set before Prefect, numba or BLAS are imported."""

import atexit
import logging
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from flows.compiled import kernels
from flows.server.address import check_reachable, configured, is_own, local_traffic_stays_local
from flows.server.auth import sign_in
from flows.server.embedded import use_embedded, wait_until_ready
from flows.server_record import running_server
from warehouse.errors import InputError

PRIVATE_UMASK, SHARED_UMASK = 0o077, 0o027

OWN_FOLDERS = ("lake", "warehouse", "cache")
"""Folders of a home that have listening histories or what was made of them."""


def prepare(home: Path, shared: bool = False, needed: Sequence[str] = ()) -> None:
    """Do what comes before Prefect is imported, and have a server that answers.

    A configured server (PREFECT_API_URL) is used when there is one, then the one that `make ui`
    keeps, then an embedded one that ends with this process. ``shared``: see `prepare_process`.
    ``needed``: modules that the caller imports next, which are imported while that server starts.
    Raises InputError when the home cannot be made, RunError when the server does not answer.
    """
    prefect_home = prepare_process(home, shared)
    if not _use_known_server(prefect_home):
        url = use_embedded(prefect_home)
        sign_in(url, prefect_home)
        wait_until_ready(url, prefect_home, needed)


def prepare_for_server(home: Path, shared: bool = False) -> None:
    """Prepare what works on a Prefect server that is there; raises InputError if none is known."""
    if not _use_known_server(prepare_process(home, shared)):
        raise InputError(
            "no Prefect server is known; start one by `make ui` or set PREFECT_API_URL"
        )


def prepare_process(home: Path, shared: bool = False) -> Path:
    """Keep state inside the home, private, telemetry off, BLAS single-threaded; no server yet.

    The environment wins where it sets something already. New files are readable by their owner
    alone; ``shared`` lets the group read the lake and the releases. Returns PREFECT_HOME, which
    is the owner's in any case. Raises InputError when the home cannot be made.
    """
    os.umask(SHARED_UMASK if shared else PRIVATE_UMASK)
    home = home.resolve()
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"{home} cannot hold the lake and the warehouse ({error.strerror}); give a folder that "
            "can be written in `--home` or CROSSFADE_HOME"
        ) from None
    for name in OWN_FOLDERS:
        _restrict(home / name, 0o750 if shared else 0o700)
    defaults = {
        "PREFECT_HOME": str(home / "prefect"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_LOGGING_EXTRA_LOGGERS": "crossfade",
        "PREFECT_CLI_COLORS": "false",
        "DO_NOT_TRACK": "1",
        "NUMBA_CACHE_DIR": str(kernels(home)),
        "OPENBLAS_NUM_THREADS": "1",
    }
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
    # Prefect's own embedded server lets everybody in and outlives a killed command.
    os.environ["PREFECT_SERVER_EPHEMERAL_ENABLED"] = "false"
    local_traffic_stays_local()
    prefect_home = Path(os.environ["PREFECT_HOME"]).resolve()
    os.environ["PREFECT_HOME"] = str(prefect_home)
    prefect_home.mkdir(parents=True, exist_ok=True)
    _restrict(prefect_home, 0o700)
    return prefect_home


def _restrict(folder: Path, mode: int) -> None:
    """Set a folder's permissions if it is there and ours."""
    with suppress(FileNotFoundError, PermissionError):
        folder.chmod(folder.stat().st_mode & 0o7000 | mode)


def _use_known_server(prefect_home: Path) -> bool:
    """Use the configured server or the kept one; tell whether there is one of the two."""
    given, own = configured(prefect_home), running_server(prefect_home)
    if own is not None and (given is None or is_own(given[0], own)):
        sign_in(own, prefect_home)
    elif given is not None:
        check_reachable(*given)
    return given is not None or own is not None


def quiet_console(debug: bool) -> None:
    """Let only our own lines reach the terminal; Prefect keeps every record for its UI."""
    if debug:
        return
    from prefect.logging.handlers import PrefectConsoleHandler

    names = ["", *logging.root.manager.loggerDict]
    for name in names:
        logger = logging.getLogger(name)
        for handler in list(logger.handlers):
            if isinstance(handler, PrefectConsoleHandler):
                logger.removeHandler(handler)
    silence_teardown()
    for name in ("distributed", "asyncio", "tornado"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def silence_teardown() -> None:
    """Drop what libraries print while the interpreter is torn down.

    Daemon threads of Prefect and Dask keep DuckDB's types alive to the end, which its binding
    reports as leaks. Call this early: exit handlers run last first, so all others have run by then.
    """

    def close_standard_error() -> None:
        sys.stderr.flush()
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)

    atexit.register(close_standard_error)
