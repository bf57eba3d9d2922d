"""Scheduled, watched, recoverable: what `make ui` promises, with real processes."""

import fcntl
import json
import shutil
from collections.abc import Iterator

import httpx
import psutil
import pytest

from flows.server_record import keeper
from tests.conftest import Sample
from tests.flows.installation import Installation, kill
from tests.flows.own_server import signed_in
from warehouse.releases.manifest import Manifest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, sample: Sample) -> Iterator[Installation]:
    """Start everything once, on the sample; nothing is left when the tests are over."""
    inputs = {"CROSSFADE_TRACKS": str(sample.tracks), "CROSSFADE_PLAYS": str(sample.plays)}
    installation = Installation(tmp_path_factory.mktemp("installed"), inputs)
    try:
        installation.start()
        yield installation
    finally:
        said = installation.stop()
        _, left = psutil.wait_procs(installation.everything(), timeout=30)
        kill(left)
    assert said.strip() == "stopped"
    assert left == []


def _current(installed: Installation) -> Manifest:
    pointer = installed.home / "warehouse" / "current.duckdb"
    return Manifest.read(pointer.resolve().parent)


def test_schedules_have_runs_and_starting_again_changes_nothing(installed: Installation) -> None:
    def scheduled(name: str) -> int:
        runs = installed.ask(
            "flow_runs/filter",
            deployments={"name": {"any_": [name]}},
            flow_runs={"state": {"type": {"any_": ["SCHEDULED"]}}},
        )
        return len(runs)

    installed.schedules("resume")
    for name in ("nightly", "ingest-check", "refresh"):
        installed.until(lambda name=name: scheduled(name), f"scheduled runs of {name}")  # type: ignore[misc]
    assert scheduled("backtest") == scheduled("tune") == 0
    before = installed.processes()
    assert set(before) == {"server", "worker"}
    assert str(installed.port) in installed.start()
    assert installed.processes() == before
    assert len(installed.ask("automations/filter")) == 5


def test_a_run_publishes_a_second_one_waits_and_a_check_finds_nothing_new(
    installed: Installation,
) -> None:
    first, second = installed.go("nightly"), installed.go("nightly")
    due = installed.over(installed.go("refresh"))
    assert due["state"]["type"] == "COMPLETED"
    assert due["state"]["message"].startswith("skipped: ")
    ended = [installed.over(run) for run in (first, second)]
    said = [(run["state"]["type"], run["state"]["message"]) for run in ended]
    assert [kind for kind, _ in said] == ["COMPLETED", "COMPLETED"], said
    by_start = sorted(ended, key=lambda run: str(run["start_time"]))
    assert by_start[0]["end_time"] <= by_start[1]["start_time"]
    release_id = _current(installed).release_id
    assert f"{release_id} is published" in by_start[0]["state"]["message"]
    assert by_start[0]["name"].endswith(f"plays · release {release_id}")
    assert by_start[1]["name"].endswith("plays · unchanged")
    assert release_id in by_start[1]["state"]["message"]

    checked = installed.over(installed.go("ingest-check"))
    assert checked["state"]["message"] == "nothing has changed"
    pages = {page["key"]: page["data"] for page in installed.ask("artifacts/latest/filter")}
    assert checked["name"].startswith("ingest-check · ")
    assert not {"evaluation", "release-summary", "release-difference"} & set(pages)
    assert "Still current: inputs unchanged." in pages["report"]
    reports = installed.ask("artifacts/filter", artifacts={"key": {"any_": ["report"]}})
    (report,) = [page["data"] for page in reports if page["flow_run_id"] == by_start[0]["id"]]
    assert report.count("data:image/svg+xml;base64,") == 3
    assert all(f"## {part}" in report for part in ("Gate", "Evaluation", "Data quality", "Run log"))
    refreshed = installed.over(installed.go("refresh"))
    assert refreshed["state"]["message"] == f"inputs unchanged: {release_id} stays current"
    (every,) = installed.deployment("refresh")["schedules"]
    assert (every["active"], every["schedule"]["interval"]) == (True, 86_400.0)
    plots = (installed.home / "warehouse" / "releases" / release_id / "plots").iterdir()
    assert len(list(plots)) == 3


@pytest.mark.parametrize("crashed", ["flow", "dask worker", "worker", "server", "machine"])
def test_a_crash_is_recovered_from_by_the_next_run_alone(
    installed: Installation, crashed: str
) -> None:
    model = {
        "flow": "cosine",
        "dask worker": "rp3beta",
        "worker": "bm25",
        "server": "asymmetric_cosine",
        "machine": "learned",
    }[crashed]
    pointer = installed.home / "warehouse" / "current.duckdb"
    before = _current(installed).release_id if pointer.exists() else ""
    # so that blocks have work to do: another run's refit may have learned the same
    shutil.rmtree(installed.home / "lake" / "collaborative", ignore_errors=True)
    first = installed.go("nightly", model=model, holdout=0.0)
    installed.until(lambda: installed.progress(first), "blocks at work on Dask")
    _crash(installed, crashed, first)
    assert pointer.exists() == bool(before)
    if crashed == "machine":
        installed.start()  # what the machine does when it comes up

    second = installed.go("nightly", model=model, holdout=0.0)
    ended = installed.over(second)
    assert ended["state"]["type"] == "COMPLETED", ended["state"]["message"]
    assert installed.over(first)["state"]["type"] in ("COMPLETED", "CRASHED", "FAILED")
    now = _current(installed)
    assert now.release_id > before
    assert now.parameters["collaborative"]["model"] == model
    _nothing_is_held(installed)


def test_a_fresh_start_shows_nothing_red_from_before(installed: Installation) -> None:
    """A run of a terminal that failed keeps its words, and counts as cancelled."""
    nightly = installed.deployment("nightly")
    failed = {"type": "FAILED", "name": "Refused", "message": "the gate refused it"}
    flow = {"flow_id": nightly["flow_id"], "state": failed}
    ours = installed.ask("flow_runs/", **flow, tags=["terminal", "process-1-0"])["id"]
    foreign = installed.ask("flow_runs/", **flow, tags=["somebody"])["id"]
    installed.stop()
    installed.start()
    state = installed.run(ours)["state"]
    assert (state["type"], state["name"]) == ("CANCELLED", "Refused")
    assert state["message"] == "the gate refused it"
    assert installed.run(foreign)["state"]["type"] == "FAILED"


def test_nothing_outlives_its_keeper(installed: Installation) -> None:
    keeping = keeper(installed.prefect_home)
    assert keeping is not None
    kill([psutil.Process(keeping)])
    installed.until(lambda: installed.everything() == [], "server and worker to end", 60)
    installed.start()
    assert set(installed.processes()) == {"server", "worker"}


def test_the_string_that_signs_in_is_printed_and_replaced(installed: Installation) -> None:
    before = installed.command("flows.service", "auth").strip()
    assert "the server was stopped" in installed.command("flows.service", "renew-auth")
    assert installed.command("flows.service", "auth").strip() not in ("", before)
    installed.start()
    with pytest.raises(httpx.HTTPStatusError, match="401"):
        signed_in(installed.url, before)
    assert len(installed.ask("automations/filter")) == 5


def _crash(installed: Installation, what: str, run_id: str) -> None:
    flow = installed.flow_process(run_id)
    assert flow is not None
    if what == "flow":
        kill([flow])
    elif what == "dask worker":
        kill(installed.block_workers(run_id)[:1])
    elif what == "machine":
        kill(installed.everything())
        assert installed.everything() == []
    else:
        pid = installed.processes()[what]
        kill([psutil.Process(pid)])
        installed.until(lambda: installed.processes().get(what) not in (None, pid), f"a new {what}")


def _nothing_is_held(installed: Installation) -> None:
    """No slot, no lock, no half release is left."""
    limits = installed.ask("v2/concurrency_limits/filter")
    assert {limit["name"]: limit["active_slots"] for limit in limits if limit["active_slots"]} == {}
    with (installed.home / "run.lock").open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    building = installed.home / "warehouse" / "building"
    assert [path for path in building.glob("*") if path.is_dir()] == []
    for folder in (installed.home / "warehouse" / "releases").iterdir():
        manifest = json.loads((folder / "manifest.json").read_text())
        assert (folder / "crossfade.duckdb").stat().st_size == manifest["bytes"]
