"""A signal ends a run and all it started; the next command clears what a killed run left."""

import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from flows import interrupts
from flows.run_records import RunRecord, dead_records, watch_pointer
from flows.settings import TOKEN
from tests.conftest import BIN, CommandLine, Published, Sample
from tests.flows.homes import GONE_WITHIN, carrying, copied
from warehouse.releases.home import Home
from warehouse.releases.pointer import make_current
from warehouse.releases.release import list_releases

AT_WORK = "lake/collaborative/*/parts/neighbours/part-*"
"""The file that shows that blocks are at work on Dask."""


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_ends_a_run_and_all_that_it_started(
    published: Published, sample: Sample, tmp_path: Path, number: signal.Signals
) -> None:
    crossfade = copied(published, tmp_path)
    with _running(crossfade, sample, AT_WORK) as run:
        os.killpg(run.pid, number) if number is signal.SIGINT else run.send_signal(number)
        assert run.wait(GONE_WITHIN) == 128 + number, _log(tmp_path)
        _wait(lambda: not carrying(run.token), GONE_WITHIN)
    assert _log(tmp_path).splitlines()[-1] == (
        "crossfade: stopped; the current release is unchanged"
    )
    assert _states(published, run.tag) == ["CANCELLED"]
    assert crossfade("run", *sample.flags, "--model", "cosine", "--force").returncode == 0
    assert dead_records(Home(tmp_path / "home")) == []


@pytest.mark.timeout(1200)
def test_a_second_signal_ends_it_at_once(
    published: Published, sample: Sample, tmp_path: Path
) -> None:
    crossfade = copied(published, tmp_path)
    with _running(crossfade, sample, AT_WORK) as run:
        run.send_signal(signal.SIGTERM)
        time.sleep(2 * interrupts.REPEATED_SECONDS)
        second = time.monotonic()
        run.send_signal(signal.SIGTERM)
        assert run.wait(30) == 128 + signal.SIGTERM
        _wait(lambda: not carrying(run.token), 10)
        assert time.monotonic() - second < interrupts.UNWIND_SECONDS - 1  # it did not wait for it


@pytest.mark.timeout(1200)
def test_what_a_killed_run_leaves_is_cleared_by_the_next_command(
    published: Published, sample: Sample, tmp_path: Path
) -> None:
    crossfade = copied(published, tmp_path)
    with _running(crossfade, sample, AT_WORK) as run:
        # An orphan that does not notice that its parent is gone.
        orphan = subprocess.Popen(["sleep", "300"], env={**os.environ, TOKEN: run.token})
        (tmp_path / "home" / "warehouse" / "building" / "half").mkdir(parents=True)
        # One that died before it had a flow run.
        early = RunRecord(token="early", pid=1).model_dump_json()
        (tmp_path / "home" / "runs" / "early.json").write_text(early)
        run.kill()
        run.wait()
    listed = crossfade("releases")
    assert listed.returncode == 0, listed.stderr
    assert orphan.wait(5) == -signal.SIGKILL
    assert carrying(run.token) == []
    assert not (tmp_path / "home" / "warehouse" / "building").exists()
    assert (tmp_path / "home" / "run.lock").read_text() == ""
    assert _states(published, run.tag) == ["RUNNING"]
    done = crossfade("run", *sample.flags, "--model", "cosine", "--force")  # it is worse here
    assert done.returncode == 0, done.stderr
    assert _states(published, run.tag) == ["CRASHED"]
    assert dead_records(Home(tmp_path / "home")) == []


DEAF = """
    import hashlib, subprocess
    from flows import interrupts
    with interrupts.watching():
        child = subprocess.Popen(["sleep", "300"])
        print(child.pid, flush=True)
        # minutes in C, where nobody looks at signals
        hashlib.pbkdf2_hmac("sha256", b"word", b"salt", 1_000_000_000)
"""


def test_a_process_that_cannot_unwind_is_ended_by_the_watchdog() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(DEAF)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    child = psutil.Process(int(process.stdout.readline()))
    time.sleep(1)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=GONE_WITHIN)
    assert process.returncode == 128 + signal.SIGTERM
    assert errors.strip() == "crossfade: stopped; the current release is unchanged"
    assert not child.is_running()


def test_the_last_sentence_is_true_when_the_pointer_has_moved(
    published: Published, tmp_path: Path
) -> None:
    copied(published, tmp_path)
    home = Home(tmp_path / "home")
    (first,) = list_releases(home)
    with interrupts.watching():
        watch_pointer(home)
        assert interrupts.sentence() == "stopped; the current release is unchanged"
        for name, created, said in (
            ("29990101T000000-aaaaaa", datetime.now(UTC) + timedelta(days=1), "been published"),
            ("20000101T000000-aaaaaa", first.manifest.created_at, "been made current"),
        ):
            folder = home.releases / name
            shutil.copytree(first.folder, folder)
            changed = {"release_id": name, "created_at": created}
            first.manifest.model_copy(update=changed).write(folder)
            make_current(home, next(one for one in list_releases(home) if one.folder == folder))
            assert interrupts.sentence() == f"stopped; {name} had {said}"


def test_an_ignored_signal_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interrupts.watching():
            os.kill(os.getpid(), signal.SIGHUP)
            assert interrupts.requested() == 0
    finally:
        signal.signal(signal.SIGHUP, before)


class _Run(subprocess.Popen[bytes]):
    """A run in a session of its own."""

    token: str
    tag: str


@contextmanager
def _running(crossfade: CommandLine, sample: Sample, moment: str) -> Iterator[_Run]:
    """Start a run and wait until the file that shows a moment is there."""
    home = crossfade.cwd / "home"
    shutil.rmtree(home / "lake" / "collaborative")
    with (crossfade.cwd / "run.log").open("wb") as log:
        run = _Run(
            [BIN / "crossfade", "run", *sample.flags],
            cwd=crossfade.cwd,
            env={**os.environ, **crossfade.environment},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait(lambda: next(home.glob(moment), None) or run.poll() is not None)
        assert run.poll() is None, _log(crossfade.cwd)
        (record,) = (home / "runs").glob("*.json")
        run.token = record.stem
        run.tag = f"process-{run.pid}-{run.token[:8]}"
        yield run
    finally:
        with suppress(ProcessLookupError):
            os.killpg(run.pid, signal.SIGKILL)


def _wait(true: Callable[[], object], seconds: float = 600) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _states(published: Published, tag: str) -> list[Any]:
    """Return the states of the flow runs with a tag."""
    answer = httpx.post(
        f"{published.environment['PREFECT_API_URL']}/flow_runs/filter",
        json={"flow_runs": {"tags": {"all_": [tag]}}},
        timeout=120,  # the server may wait a minute for its database when a client was killed
    )
    return [run["state"]["type"] for run in answer.json()]


def _log(folder: Path) -> str:
    return (folder / "run.log").read_text()
