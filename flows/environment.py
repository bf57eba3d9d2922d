"""Process-wide environment, set before Prefect, numba or BLAS are imported."""

import atexit
import logging
import os
import sys
from pathlib import Path

from flows.server_record import running_server
from tasks.lake.code import tree_digest
from warehouse.errors import InputError


def prepare(home: Path) -> None:
    """Keep state inside the home, telemetry off and BLAS single-threaded.

    Whatever the environment sets already is left as it is, so an existing Prefect server
    (PREFECT_API_URL) or cache folder is used when there is one. Raises InputError when the home
    cannot be made.
    """
    home = home.resolve()
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"{home} cannot hold the lake and the warehouse ({error.strerror}); give a folder that "
            "can be written in `--home` or CROSSFADE_HOME"
        ) from None
    defaults = {
        "PREFECT_HOME": str(home / "prefect"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
        "PREFECT_LOGGING_EXTRA_LOGGERS": "crossfade",
        "PREFECT_CLI_COLORS": "false",
        "DO_NOT_TRACK": "1",
        # By the code, because numba looks only at the file of the function it is called for: after
        # an upgrade it would go on using an older kernel that this one calls.
        "NUMBA_CACHE_DIR": str(home / "cache" / "numba" / tree_digest("tasks")),
        "OPENBLAS_NUM_THREADS": "1",
    }
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
    prefect_home = Path(os.environ["PREFECT_HOME"])
    prefect_home.mkdir(parents=True, exist_ok=True)
    kept = running_server(prefect_home)
    if kept is not None:  # two servers on one PREFECT_HOME would lock each other's database
        os.environ.setdefault("PREFECT_API_URL", kept)


def prepare_for_server(home: Path) -> None:
    """Prepare what works on a Prefect server that is there; raises InputError if none is known."""
    prepare(home)
    if "PREFECT_API_URL" not in os.environ:
        raise InputError(
            "no Prefect server is known; start one by `make ui` or set PREFECT_API_URL"
        )


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
