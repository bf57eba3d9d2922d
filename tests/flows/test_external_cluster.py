"""An existing Dask scheduler with workers of its own gives the same tables as the embedded one."""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.conftest import BIN, CommandLine, Published, Sample, free_port
from warehouse.contract.relations import relations


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[str]:
    """Start `dask scheduler` and two `dask worker` processes on loopback."""
    address = f"tcp://127.0.0.1:{free_port()}"
    commands = [
        ["scheduler", "--host", address, "--no-dashboard"],
        *(
            [
                "worker",
                address,
                *("--host", "127.0.0.1", "--nthreads", "1", "--no-dashboard"),
                *("--local-directory", str(tmp_path / f"worker{x}")),
            ]
            for x in range(2)
        ),
    ]
    processes = []
    try:
        for command in commands:
            processes.append(
                subprocess.Popen(
                    [BIN / "dask", *command],
                    env={**os.environ, "OMP_NUM_THREADS": "1"},
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
            )
            time.sleep(0.5)
        yield address
    finally:
        for process in reversed(processes):
            process.terminate()
        for process in processes:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def test_same_tables_as_the_embedded_cluster(
    published: Published, sample: Sample, scheduler: str, tmp_path: Path
) -> None:
    crossfade = CommandLine(
        tmp_path, {**published.environment, "CROSSFADE_HOME": str(tmp_path / "home")}
    )
    done = crossfade("run", *sample.flags, "--dask", scheduler)
    assert done.returncode == 0, done.stderr
    other = tmp_path / "home" / "warehouse" / "current.duckdb"
    with duckdb.connect() as connection:
        for name, path in (("embedded", published.database), ("external", other)):
            connection.execute(f"ATTACH '{path}' AS {name} (READ_ONLY)")
        for relation in relations():
            if relation == "release":
                continue
            rows = {}
            for name in ("embedded", "external"):
                connection.execute(f"USE {name}")
                rows[name] = connection.execute(f"FROM {relation} ORDER BY ALL").fetchall()
            assert rows["embedded"] == rows["external"], relation


def test_no_scheduler_there(published: Published, sample: Sample, tmp_path: Path) -> None:
    crossfade = CommandLine(
        tmp_path, {**published.environment, "CROSSFADE_HOME": str(tmp_path / "home")}
    )
    address = f"tcp://127.0.0.1:{free_port()}"
    done = crossfade("run", *sample.flags, "--dask", address)
    assert done.returncode == 1
    assert address in done.stderr
    assert "Traceback" not in done.stderr
