"""A run in which nothing changed ends before Prefect is imported, and never where a full one acts.

Each kind of change is made to a copy of the published home. Where `run_unchanged` abstains, a full
run decides; where it does not, it has to say what a full run says.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from flows import decision
from flows.decision import asked_of, read_decision, write_decision
from flows.outcome import Outcome
from flows.settings import Settings, load_settings
from flows.unchanged import run_unchanged
from tasks.lake.record import RECORD
from tests.conftest import Published, Sample
from tests.flows.homes import copied
from warehouse.releases.home import Home
from warehouse.releases.manifest import MANIFEST, Manifest

HEAVY = {"prefect", "dask", "distributed", "sklearn", "numba", "pandas", "scipy"}


@dataclass
class World:
    """A copy of the published home and of its inputs, in which the last run's decision holds."""

    home: Home
    tracks: Path
    plays: Path
    flags: dict[str, object] = field(default_factory=dict)

    def settings(self) -> Settings:
        """Load the settings as the command line does."""
        given = {"tracks": self.tracks, "plays": self.plays, "home": self.home.path}
        return load_settings(**{**given, **self.flags})

    def run(self, force: bool = False) -> Outcome | None:
        """Ask whether nothing has changed."""
        return run_unchanged(self.settings(), {}, force)

    def stage(self, name: str) -> Path:
        """Return the folder of a stage's result that the last run used."""
        known = read_decision(self.home)
        assert known is not None
        folders = [*known.stages.values(), *known.others]
        return self.home.lake / next(one for one in folders if one.startswith(f"{name}/"))

    @property
    def release(self) -> Path:
        """The folder of the current release."""
        return self.home.current.resolve().parent


@pytest.fixture
def world(
    published: Published, sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    shutil.copytree(published.home, tmp_path / "home", symlinks=True)
    for path in (sample.tracks, sample.plays):
        shutil.copy(path, tmp_path)
    monkeypatch.chdir(tmp_path)
    environment, umask = dict(os.environ), os.umask(0o077)
    tracks, plays = (tmp_path / path.name for path in (sample.tracks, sample.plays))
    found = World(Home(tmp_path / "home"), tracks, plays)
    last = read_decision(found.home)
    assert last is not None
    # the inputs have another path here, which is part of what is asked
    write_decision(found.home, last.model_copy(update={"asked": asked_of(found.settings())}))
    yield found
    os.environ.clear()
    os.environ.update(environment)
    os.umask(umask)


def _nothing(_: World) -> None:
    pass


def _touched(world: World) -> None:
    world.plays.touch()
    world.tracks.touch()


def _other_home_settings(_: World) -> None:
    Path("crossfade.toml").write_text("keep_releases = 3\nworkers = 7\n")


def _leftovers(world: World) -> None:
    (world.home.building / "half").mkdir(parents=True)
    (world.home.releases / "20990101T000000-000000").mkdir()


@pytest.mark.parametrize("change", [_nothing, _touched, _other_home_settings, _leftovers])
def test_what_changes_nothing_is_decided_at_once(
    world: World, change: Callable[[World], None]
) -> None:
    change(world)
    outcome = world.run()
    assert outcome is not None
    assert outcome.because == "inputs unchanged"
    assert outcome.database == world.release / "crossfade.duckdb"
    assert all(result.reused for result in outcome.stages.values())
    assert not (world.home.building / "half").exists()
    assert [path.name for path in world.home.releases.iterdir()] == [outcome.release_id]
    assert world.run(force=True) is not None


def _one_more_play(world: World) -> None:
    with world.plays.open("a") as file:
        file.write(world.plays.read_text().splitlines()[-1] + "\n")


def _another_byte(world: World) -> None:
    text = bytearray(world.plays.read_bytes())
    text[-2] ^= 1
    stat = world.plays.stat()
    world.plays.write_bytes(text)
    os.utime(world.plays, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def _parameter(_: World) -> None:
    Path("crossfade.toml").write_text("[content]\nneighbours = 40\n")


def _limit(_: World) -> None:
    Path("crossfade.toml").write_text("[ingest]\nreject_share = 0.2\n")


def _feedback(_: World) -> None:
    Path("crossfade.toml").write_text(
        '[feedback.exposures]\npath = "none.csv"\nid = "id"\nuser = "user"\ntrack = "track"\n'
        'rank = "rank"\nat = "at"\n[feedback.events]\npath = "none.csv"\nkind = "kind"\n'
        'at = "at"\nexposure = "id"\n'
    )


def _model(world: World) -> None:
    world.flags["model"] = "cosine"


def _holdout(world: World) -> None:
    world.flags["holdout"] = 0.3


def _missing_record(world: World) -> None:
    (world.stage("lists") / RECORD).unlink()


def _missing_measured(world: World) -> None:
    shutil.rmtree(world.stage("measured"))


def _future_play(world: World) -> None:
    record = world.stage("ingest") / RECORD
    content = json.loads(record.read_text())
    content["counts"]["next_future_play"] = 1
    record.write_text(json.dumps(content))


def _damaged_release(world: World) -> None:
    file = world.release / "crossfade.duckdb"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def _missing_release(world: World) -> None:
    shutil.rmtree(world.release)


def _newer_schema(world: World) -> None:
    manifest = world.release / MANIFEST
    version = Manifest.read(world.release).schema_version
    text = manifest.read_text().replace(
        f'"schema_version": {version}', f'"schema_version": {version + 1}'
    )
    manifest.write_text(text)


def _another_current(world: World) -> None:
    other = world.release.with_name("20200101T000000-000000")
    shutil.copytree(world.release, other)
    world.home.current.unlink()
    world.home.current.symlink_to(Path("releases") / other.name / "crossfade.duckdb")


def _killed_run(world: World) -> None:
    (world.home.path / "runs").mkdir(exist_ok=True)
    record = '{"token": "0", "pid": 1, "flow_run_id": null, "cleared": true}'
    (world.home.path / "runs" / "0.json").write_text(record)


def _no_decision(world: World) -> None:
    (world.home.path / decision.FILE).write_text("{")


@pytest.mark.parametrize(
    "change",
    [
        _one_more_play,
        _another_byte,
        _parameter,
        _limit,
        _feedback,
        _model,
        _holdout,
        _missing_record,
        _missing_measured,
        _future_play,
        _damaged_release,
        _missing_release,
        _newer_schema,
        _another_current,
        _killed_run,
        _no_decision,
    ],
)
def test_any_other_change_is_left_to_a_full_run(
    world: World, change: Callable[[World], None], caplog: pytest.LogCaptureFixture
) -> None:
    change(world)
    assert world.run() is None
    assert caplog.records == []  # a full run logs it all


def test_every_damaged_file_of_the_lake_is_left_to_a_full_run(world: World) -> None:
    known = read_decision(world.home)
    assert known is not None
    folders = {*known.stages.values(), *known.others}
    assert {folder.split("/")[0] for folder in folders} >= {
        "ingest", "holdout", "collaborative", "content", "evaluation", "measured", "lists",
    }  # fmt: skip
    for folder in sorted(folders):
        kept = {path: path.read_bytes() for path in (world.home.lake / folder).glob("*.*")}
        damaged = next(path for path in sorted(kept) if path.suffix == ".parquet")
        flipped = bytearray(kept[damaged])
        flipped[len(flipped) // 3] ^= 1
        damaged.write_bytes(flipped)
        assert world.run() is None, damaged
        for path, content in kept.items():
            path.write_bytes(content)
    assert world.run() is not None


def test_changed_code_and_another_version_of_a_model_are_left_to_a_full_run(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(decision, "tree_digest", lambda package: f"another {package}")
        assert world.run() is None
    with monkeypatch.context() as patch:
        patch.setattr(decision, "model_origin", lambda name: {"version": f"2 of {name}"})
        assert world.run() is None
    assert world.run() is not None


def test_while_another_run_is_at_work_a_full_run_says_so(world: World) -> None:
    with world.home.locked("run", "another"):
        assert world.run() is None


@pytest.mark.timeout(1200)
def test_it_says_and_records_what_a_full_run_does(
    published: Published, sample: Sample, tmp_path: Path
) -> None:
    crossfade = copied(published, tmp_path)
    home = str(tmp_path / "home")

    def shown() -> tuple[str, list[str], set[str]]:
        done = subprocess.run(
            [sys.executable, "-X", "importtime", "-m", "flows.cli", "run", *map(str, sample.flags),
             "--home", home],
            cwd=tmp_path, env={**os.environ, **crossfade.environment, "COLUMNS": "1000"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        lines = [one for one in done.stderr.splitlines() if not one.startswith("import time:")]
        imported = re.findall(r"\| +([a-z]+)$", done.stderr, re.MULTILINE)
        said = (re.sub(r"^\[[\d:]+\]", "", one).strip() for one in lines)
        # stages that are computed side by side may end in any order
        return done.stdout, sorted(said), HEAVY & set(imported)

    fast = shown()
    assert fast[2] == set()
    (tmp_path / "home" / decision.FILE).unlink()
    full = shown()
    assert full[2] >= {"prefect", "pandas"}
    assert fast[:2] == full[:2]
    api = published.environment["PREFECT_API_URL"]
    found = httpx.post(f"{api}/flow_runs/filter", json={"sort": "START_TIME_ASC"}).json()
    records = [
        (run["name"], run["state"]["name"], run["state"]["message"], run["flow_id"],
         run["start_time"] is not None, run["end_time"] is not None, run["parameters"])
        for run in found if run["parameters"].get("home") == home
    ]  # fmt: skip
    assert records[0][0].endswith("plays · unchanged")
    assert records[0] == records[1]
    assert read_decision(Home(tmp_path / "home")) is not None
