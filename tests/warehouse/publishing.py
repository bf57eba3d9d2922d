"""Publish small releases of one world, as the pipeline does, also from processes of their own."""

import random
import time
from datetime import UTC, datetime
from multiprocessing.context import ForkServerContext
from pathlib import Path

import duckdb

from warehouse.build.writer import BuildInput, build, record_release
from warehouse.contract.versions import SCHEMA_VERSION, STORAGE_VERSION
from warehouse.files import file_digest
from warehouse.releases.home import DATABASE, Home
from warehouse.releases.manifest import Manifest
from warehouse.releases.pointer import current_release, make_current
from warehouse.releases.release import Release, adopt, list_releases
from warehouse.releases.retention import clear_leftovers, prune

MARKS = 50
"""Rows of `evaluation` that carry the release's own id: an answer from two releases would show."""

ANSWER = """
SELECT
    r.release_id,
    (SELECT count(*) FROM evaluation e WHERE e.model = r.release_id) AS marked,
    (SELECT count(*) FROM evaluation) AS marks,
    (SELECT count(*) FROM tracks) AS tracks,
    (SELECT count(*) FROM recommend_user('nobody', k := 5)) AS recommended
FROM release r
"""


def release_id(number: int) -> str:
    """Return the id of the ``number``-th release; ids sort as the numbers do."""
    return f"20260101T{number:06}-test"


def built(home: Home, given: BuildInput, number: int) -> tuple[Path, Manifest]:
    """Build a release that is not among the others yet; return its folder and manifest."""
    name = release_id(number)
    marks = [{"model": name, "segment": "all", "metric": "ndcg", "k": k} for k in range(MARKS)]
    given = given.model_copy(update={"release_id": name, "evaluation": marks})
    folder = build(home, given, memory_limit="500MB", threads=1).folder
    counts = record_release(folder / DATABASE, given, {}, 1)
    manifest = Manifest(
        release_id=name,
        schema_version=SCHEMA_VERSION,
        storage_version=STORAGE_VERSION,
        duckdb_version=duckdb.__version__,
        code_version="test",
        created_at=datetime.now(UTC),
        dataset=given.dataset,
        fingerprint=name,
        inputs={},
        parameters={},
        row_counts=counts,
        stage_seconds={},
        bytes=(folder / DATABASE).stat().st_size,
        digest=file_digest(folder / DATABASE),
        status="published",
    )
    return folder, manifest


def keep(home: Home, given: BuildInput, number: int) -> Release:
    """Build a release and put it among the others; it is not current yet."""
    return adopt(home, *built(home, given, number))


def publish(home: Home, given: BuildInput, number: int) -> Release:
    """Build a release and make it current."""
    release = keep(home, given, number)
    with home.locked("pointer", "publish"):
        make_current(home, release)
    return release


def run(home: Home, given: BuildInput, number: int, retain: int = 3) -> Release:
    """Do what a run does around its numerics: clean up, publish, prune."""
    with home.locked("run", "run"):
        clear_leftovers(home)
        release = publish(home, given, number)
        prune(home, retain)
        return release


def run_for_ever(home: Home, given: BuildInput, first: int) -> None:
    """Run again and again until killed."""
    while True:
        run(home, given, first)
        first += 1


def processes() -> ForkServerContext:
    """Return how to start processes quickly: forked from one that has everything imported."""
    context = ForkServerContext()
    context.set_forkserver_preload(["tests.warehouse.publishing"])
    return context


def kill_in_the_middle(home: Home, given: BuildInput, seed: int, longest: float) -> None:
    """Start `run_for_ever` and kill it with SIGKILL after a random time."""
    released = list_releases(home)
    first = int(released[-1].manifest.release_id[9:15]) + 1 if released else 0
    process = processes().Process(target=run_for_ever, args=(home, given, first))
    process.start()
    time.sleep(random.Random(seed).uniform(0, longest))
    process.kill()
    process.join()


def answer(database: Path) -> tuple[str, bool]:
    """Ask the file that ``database`` points at; return its release and whether all is of one."""
    with duckdb.connect(str(database.resolve()), read_only=True) as connection:
        name, marked, marks, tracks, recommended = connection.execute(ANSWER).fetchall()[0]
    return name, marked == marks == MARKS and recommended == min(5, tracks)


def assert_serves(home: Home) -> None:
    """Assert that the current release verifies, is complete and answers as itself."""
    current = current_release(home)
    assert current is not None
    assert answer(home.current) == (current.manifest.release_id, True)


def assert_tidy(home: Home, retain: int = 3) -> None:
    """Assert that nothing is left but whole releases, at most ``retain``, pointer and locks."""
    folders = {path.name for path in home.releases.iterdir()}
    assert folders == {release.manifest.release_id for release in list_releases(home)}
    assert len(folders) <= retain
    for folder in home.releases.iterdir():
        assert {path.name for path in folder.iterdir()} == {DATABASE, "manifest.json"}
    assert list(home.building.iterdir()) == [] if home.building.exists() else True
    assert {path.name for path in home.current.parent.iterdir()} <= {
        "releases", "building", "current.duckdb",
    }  # fmt: skip
