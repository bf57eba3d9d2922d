"""A run that is killed, wherever: the next one finishes with the tables of an undisturbed run."""

import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.conftest import BIN, CommandLine, Published, Sample
from tests.flows.homes import contents, copied

ORDER = ("ingest", "holdout", "collaborative", "content", "evaluation", "lists")

MOMENTS = {
    "ingest": "lake/ingest/*/parts",
    "holdout": "lake/holdout/*",
    "collaborative": "lake/collaborative/*/parts/neighbours/part-*",
    "content": "lake/content/*/parts/part-*",
    "evaluation": "lake/evaluation/*/parts/tuning/part-*",
    "lists": "lake/lists/*/listeners/part-*",
    "build": "warehouse/building/*/crossfade.duckdb",
    "publish": "warehouse/releases/*/manifest.json",
}
"""The file that shows that a stage is at work."""

ENDS = {
    **{stage: f"lake/{stage}/*/stage.json" for stage in ORDER},
    "build": "warehouse/releases/*/manifest.json",
    "publish": "warehouse/current.duckdb",
}
"""The file that shows that it is done."""

TRIES = 10


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("stage", MOMENTS)
def test_a_killed_run_is_finished_by_the_next(
    published: Published, sample: Sample, tmp_path: Path, stage: str
) -> None:
    expected = contents(published.database)
    for attempt in range(TRIES):
        folder = tmp_path / str(attempt)
        crossfade = _before(published, folder, stage)
        run = _killed(crossfade, sample, folder, stage)
        if not list((folder / "home").glob(ENDS[stage])):
            break
    else:
        pytest.fail(f"{stage} was over each time before the process was killed")
    try:
        kept = {path: path.stat().st_mtime_ns for path in (folder / "home").glob(MOMENTS["lists"])}
        done = crossfade("run", *sample.flags, timeout=600)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(run.pid, signal.SIGKILL)  # workers that outlive the killed run
    assert done.returncode == 0, done.stderr
    assert contents(folder / "home" / "warehouse" / "current.duckdb") == expected
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert not list((folder / "home" / "lake").glob("*/*/parts"))
    assert not list((folder / "home" / "warehouse" / "building").glob("**/*.duckdb*"))


def _before(published: Published, folder: Path, stage: str) -> CommandLine:
    """Copy the home of a finished run and take away what comes from the stage on."""
    crossfade = copied(published, folder)
    shutil.rmtree(folder / "home" / "warehouse")
    if stage in ORDER:
        for later in ORDER[ORDER.index(stage) :]:
            shutil.rmtree(folder / "home" / "lake" / later)
    return crossfade


def _killed(
    crossfade: CommandLine, sample: Sample, folder: Path, stage: str
) -> "subprocess.Popen[bytes]":
    """Start a run and kill it when the stage's file appears."""
    with (folder / "killed.log").open("wb") as log:
        run = subprocess.Popen(
            [BIN / "crossfade", "run", *sample.flags],
            cwd=crossfade.cwd,
            env={**os.environ, **crossfade.environment},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    home = folder / "home"
    while run.poll() is None and not next(home.glob(MOMENTS[stage]), None):
        time.sleep(0.001)
    run.kill()
    run.wait()
    assert run.returncode == -signal.SIGKILL, (folder / "killed.log").read_text()
    return run
