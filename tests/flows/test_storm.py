"""A storm of signals at random moments: the current release is whole, and the next run succeeds.

CROSSFADE_KILLS says how many (default 6: each signal with each model; half as many refreshes),
CROSSFADE_SEED which ones.
"""

import fcntl
import json
import os
import random
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

from flows.run_records import dead_records
from tests.conftest import BIN, CommandLine, Published, Sample
from tests.flows.homes import GONE_WITHIN, carrying, contents, copied
from warehouse.releases.home import Home
from warehouse.releases.pointer import current_release

KILLS = int(os.environ.get("CROSSFADE_KILLS", "6"))
SEED = int(os.environ.get("CROSSFADE_SEED", "0"))

STAGES = ("ingest", "holdout", "collaborative", "content", "evaluation", "lists")
MODELS = ("cosine", "learned")
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)


@pytest.mark.slow
@pytest.mark.timeout(600 * (KILLS + 1))
def test_a_storm(published: Published, sample: Sample, tmp_path: Path) -> None:
    crossfade, rng = copied(published, tmp_path), random.Random(SEED)
    home = Home(tmp_path / "home")
    seconds = _seconds_of(crossfade, "run", *sample.flags, "--force", "--model", "cosine")
    for number in range(KILLS):
        stage = rng.choice((*STAGES, "build"))
        after = rng.uniform(0, seconds)
        kind = SIGNALS[number % len(SIGNALS)]
        case = f"{number}: {kind.name} {after:.1f} s into a run from {stage} on"
        for later in STAGES[STAGES.index(stage) :] if stage in STAGES else ():
            shutil.rmtree(home.lake / later, ignore_errors=True)
        command = ("run", *sample.flags, "--force", "--model", MODELS[number % 2])
        _kill_and_repeat(crossfade, home, command, after, kind, case)


@pytest.mark.slow
@pytest.mark.timeout(600 * (KILLS + 1))
def test_a_storm_over_refreshes(published: Published, sample: Sample, tmp_path: Path) -> None:
    """A refresh for each day, killed and repeated, gives what one refresh of all days gives."""
    crossfade, rng = copied(published, tmp_path / "stormy"), random.Random(SEED)
    calm = copied(published, tmp_path / "calm")
    home, plays = Home(tmp_path / "stormy" / "home"), tmp_path / "plays"
    plays.mkdir()
    shutil.copy(sample.plays, plays / "history.csv")
    command = ("refresh", "--tracks", sample.tracks, "--plays", plays)
    _add_day(plays, rng)
    seconds = _seconds_of(crossfade, *command)
    for number in range(max(len(SIGNALS), KILLS // 2)):
        _add_day(plays, rng)
        after, kind = rng.uniform(0, seconds), SIGNALS[number % len(SIGNALS)]
        case = f"{number}: {kind.name} {after:.1f} s into a refresh"
        _kill_and_repeat(crossfade, home, command, after, kind, case)
    _seconds_of(calm, *command)
    kept, expected = (
        contents(one.current.resolve(), "release")
        for one in (home, Home(tmp_path / "calm" / "home"))
    )
    assert kept == expected


def _add_day(plays: Path, rng: random.Random) -> None:
    """Add a file in which some listeners, and one who is new, play tracks that are known."""
    header, *rows = (plays / "history.csv").read_text().splitlines(keepends=True)
    drawn = [row.split(",") for row in rng.sample(rows, 60)]
    number = len(list(plays.iterdir()))
    listeners = [f"newcomer-{number}", *(listener for _, listener, _ in drawn[1::2])]
    lines = [
        f"{row[0]},{listener},1\n" for row, listener in zip(drawn[::2], listeners, strict=False)
    ]
    (plays / f"day-{number:03}.csv").write_text(header + "".join(lines))


def _kill_and_repeat(
    crossfade: CommandLine,
    home: Home,
    command: tuple[str | Path, ...],
    after: float,
    kind: signal.Signals,
    case: str,
) -> None:
    """Signal a command; what is current is whole then, and the same command succeeds."""
    token = _killed(crossfade, command, after, kind)
    print(case, flush=True)
    assert current_release(home), case
    done = crossfade(*command, timeout=500)
    assert done.returncode == 0, f"{case}\n{done.stderr}"
    assert token is None or carrying(token) == [], case
    assert dead_records(home) == [], case
    _assert_tidy(home)


def _seconds_of(crossfade: CommandLine, *command: str | Path) -> float:
    started = time.monotonic()
    done = crossfade(*command, timeout=500)
    assert done.returncode == 0, done.stderr
    return time.monotonic() - started


def _killed(
    crossfade: CommandLine, command: tuple[str | Path, ...], after: float, kind: signal.Signals
) -> str | None:
    """Signal a command some time after its start; return its token, None if it had none yet."""
    runs = crossfade.cwd / "home" / "runs"
    with (crossfade.cwd / "killed.log").open("wb") as log:
        run = subprocess.Popen(
            [BIN / "crossfade", *command],
            cwd=crossfade.cwd,
            env={**os.environ, **crossfade.environment},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    with suppress(subprocess.TimeoutExpired):
        run.wait(after)
    token = next((path.stem for path in runs.glob("*.json")), None)
    sent = time.monotonic()
    with suppress(ProcessLookupError):
        # Ctrl-C reaches the whole foreground group; kill and service managers the process.
        os.killpg(run.pid, kind) if kind is signal.SIGINT else run.send_signal(kind)
    status = run.wait(GONE_WITHIN)
    while kind is not signal.SIGKILL and token is not None and carrying(token):
        time.sleep(0.01)
        assert time.monotonic() - sent < GONE_WITHIN
    said = (crossfade.cwd / "killed.log").read_text()
    assert status in (0, -kind, 128 + kind), said
    if status != -signal.SIGINT:  # Python's own end, before our first line runs
        assert "Traceback" not in said, said
    return token


def _assert_tidy(home: Home) -> None:
    """No lock is held or names a holder, no release is half there."""
    for lock in home.path.glob("*.lock"):
        with lock.open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            assert file.read() == ""
    assert not [path for path in home.building.glob("*") if path.is_dir()]
    for folder in home.releases.iterdir():
        manifest = json.loads((folder / "manifest.json").read_text())
        assert manifest["status"] != "candidate"
        assert (folder / "crossfade.duckdb").stat().st_size == manifest["bytes"]
