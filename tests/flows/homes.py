"""What the tests of whole runs share: homes to change, and what is in a release."""

import shutil
from contextlib import suppress
from pathlib import Path

import duckdb
import psutil

from flows.settings import TOKEN
from tests.conftest import CommandLine, Published
from warehouse.contract.relations import relations

TIMES = {"release": ("release_id", "created_at", "stage_seconds", "peak_memory_bytes", "gate")}
"""Columns that tell of the run, or of earlier ones, and not of the data."""

GONE_WITHIN = 30.0
"""Seconds in which everything of a stopped run must have ended. It takes ten at most where the
processors are free; here tests run beside others on machines that are throttled to a third."""


def copied(published: Published, to: Path) -> CommandLine:
    """Copy the published home to ``to / "home"`` and return a command line that works there.

    With one Dask worker: what is computed is the same, and a second one takes seconds to start.
    """
    shutil.copytree(published.home, to / "home", symlinks=True)
    own = {"CROSSFADE_HOME": str(to / "home"), "CROSSFADE_WORKERS": "1"}
    return CommandLine(to, {**published.environment, **own})


def carrying(token: str) -> list[list[str]]:
    """Return the command lines of the processes that a run started and that still run."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get(TOKEN) == token:
                found.append(process.cmdline())
    return found


def contents(database: Path, *but: str) -> dict[str, tuple[int, str]]:
    """Return the number of rows and a digest of every relation but the named ones."""
    found = {}
    with duckdb.connect(str(database), read_only=True) as connection:
        for name in relations():
            if name in but:
                continue
            columns = ", ".join(TIMES.get(name, ()))
            kept = f"* EXCLUDE ({columns})" if columns else "*"
            rows = connection.sql(
                f"SELECT count(*), md5(string_agg(md5(r::VARCHAR), '' ORDER BY md5(r::VARCHAR))) "
                f"FROM (SELECT {kept} FROM {name}) r"
            ).fetchall()
            found[name] = (rows[0][0], rows[0][1])
    return found


def said(stage: str, log: str) -> str:
    """Return what a run's log says of a stage: "unchanged, reused" or how long it took."""
    (line,) = [line for line in log.splitlines() if f"{stage}: " in line and "(" in line]
    return "reused" if "unchanged, reused" in line else "computed"
