"""A new Prefect database without its history: copied, where one was prepared at installation.

Prefect makes a new database by applying every change that its tables have ever gone through, which
takes about ten seconds of a processor. `python -m flows.server.database` (`make install`) does it
once and keeps the result, by Prefect's version; a home that has no database yet gets a copy.
Without a prepared one, or with a database that is configured elsewhere, Prefect does it itself.
In either case it looks for missing changes when it starts.
"""

import asyncio
import os
import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing, suppress
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from tasks.lake.code import ROOT

FILE = "prefect.db"

PREPARED = ROOT / ".cache" / "prefect"

ELSEWHERE = ("PREFECT_SERVER_DATABASE_", "PREFECT_API_DATABASE_")
"""Beginnings of variables that may name another database."""


def prepared() -> Path:
    """Return the file of the prepared database, which need not be there."""
    return PREPARED / f"{version('prefect')}.db"


def provide(prefect_home: Path, variables: Mapping[str, str] = os.environ) -> None:
    """Copy the prepared database into a home that has none; best effort.

    A database that another process makes meanwhile stays, and so does what is left of an earlier
    one: SQLite would apply its write-ahead log to the copy.
    """
    file = prefect_home / FILE
    if any(name.startswith(ELSEWHERE) for name in variables):
        return
    if any(file.with_name(FILE + of).exists() for of in ("", "-wal", "-journal")):
        return
    partial = prefect_home / f".{FILE}.{os.getpid()}"
    try:
        with suppress(OSError):
            shutil.copyfile(prepared(), partial)
            with partial.open("rb") as whole:
                os.fsync(whole.fileno())
            file.hardlink_to(partial)  # fails where there is a database by now
    finally:
        with suppress(OSError):
            partial.unlink()


def prepare() -> None:
    """Make the prepared database unless it is there."""
    if prepared().exists():
        return
    PREPARED.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=PREPARED) as scratch:
        os.environ["PREFECT_HOME"] = scratch
        asyncio.run(_create())
        whole = Path(scratch) / "whole.db"
        with closing(sqlite3.connect(Path(scratch) / FILE)) as connection:
            connection.execute("VACUUM INTO ?", [str(whole)])  # without its write-ahead log
        whole.replace(prepared())


async def _create() -> None:
    from prefect.server.database import provide_database_interface
    from prefect.server.models.block_registration import run_block_auto_registration

    database = provide_database_interface()
    await database.create_db()
    async with await database.session() as session:
        await run_block_auto_registration(session=session)
    await (await database.engine()).dispose()


if __name__ == "__main__":
    prepare()
