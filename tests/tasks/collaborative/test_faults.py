"""Workers that die or join, and a run that is killed: the tables are those of a quiet run."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from distributed import Client, LocalCluster

from tasks.collaborative import stage as collaborative
from tasks.collaborative.parameters import CollaborativeParameters
from tasks.collaborative.stage import collaborative_stage
from tasks.lake.dataset import Dataset
from tasks.lake.record import StageResult
from tests.tasks.collaborative import oracle
from tests.tasks.collaborative.test_stage import lake_interactions

pytestmark = pytest.mark.slow

TRACKS = 600
BLOCKS = 24
PARAMETERS = CollaborativeParameters(neighbours=150, two_step=0.5)
"""Two phases: `BLOCKS` blocks of neighbours, then those of the second step."""


@pytest.fixture(scope="module", autouse=True)
def many_blocks() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(collaborative, "BLOCKS", BLOCKS)
        yield


@pytest.fixture(scope="module")
def plays(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    X = oracle.random_interactions(29, 4_000, TRACKS, 0.05)
    return lake_interactions(X, tmp_path_factory.mktemp("plays") / "interactions.parquet")


@pytest.fixture
def cluster() -> Iterator[LocalCluster]:
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        yield cluster


def run(
    lake: Path, client: Client, plays: Dataset, progress: Callable[[int, int], None] | None = None
) -> StageResult:
    return collaborative_stage(lake, client, plays, TRACKS, None, PARAMETERS, progress)


def digests(result: StageResult) -> tuple[str, str]:
    return result["weights"].digest, result["similarity"].digest


@pytest.fixture(scope="module")
def undisturbed(plays: Dataset, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    with (
        LocalCluster(n_workers=1, threads_per_worker=2, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        return digests(run(tmp_path_factory.mktemp("lake"), client, plays))


def test_a_killed_worker_costs_only_its_blocks(
    tmp_path: Path, cluster: LocalCluster, plays: Dataset, undisturbed: tuple[str, str]
) -> None:
    with Client(cluster) as client:
        victims = list(client.run(os.getpid).values())
        killed: list[int] = []

        def kill_one(done: int, _: int) -> None:
            if done in (2, BLOCKS + 2):  # once in either phase
                pid = next(pid for pid in client.run(os.getpid).values() if pid not in killed)
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)

        result = run(tmp_path, client, plays, kill_one)
        client.wait_for_workers(2, timeout=60)
        assert len(killed) == 2
        assert killed[0] in victims
        assert not set(killed) & set(client.run(os.getpid).values())
    assert digests(result) == undisturbed


def test_a_worker_may_join_and_another_leave(
    tmp_path: Path, cluster: LocalCluster, plays: Dataset, undisturbed: tuple[str, str]
) -> None:
    with Client(cluster) as client:

        def scale(done: int, _: int) -> None:
            if done in (1, BLOCKS):
                cluster.scale(3 if done == 1 else 1)

        assert digests(run(tmp_path, client, plays, scale)) == undisturbed


KILLED_RUN = """
import sys
from pathlib import Path
from distributed import Client, LocalCluster
from tasks.collaborative import stage as collaborative
from tasks.lake.dataset import Dataset
from tests.tasks.collaborative import test_faults as faults

if __name__ == "__main__":
    collaborative.BLOCKS = faults.BLOCKS
    plays = Dataset.of(Path(sys.argv[2]))
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster:
        with Client(cluster) as client:
            faults.run(Path(sys.argv[1]), client, plays, lambda done, of: print(done, flush=True))
"""


def test_a_killed_run_goes_on_with_the_blocks_it_lacks(
    tmp_path: Path, cluster: LocalCluster, plays: Dataset, undisturbed: tuple[str, str]
) -> None:
    script = tmp_path / "killed_run.py"
    script.write_text(KILLED_RUN)
    lake = tmp_path / "lake"
    process = subprocess.Popen(
        [sys.executable, script, lake, plays.path],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # with its workers, to be killed together
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) >= 3:
            break
    assert process.poll() is None
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=30)
    time.sleep(0.2)  # a part being renamed at that moment is there by now, or never
    parts = {file: file.stat().st_mtime_ns for file in lake.rglob("part-*.parquet")}
    assert 3 <= len(parts) < BLOCKS
    assert all(pq.read_metadata(file).num_rows > 0 for file in parts)

    told: list[int] = []
    kept: dict[Path, int] = {}

    def note(done: int, _: int) -> None:
        told.append(done)
        kept.update({file: file.stat().st_mtime_ns for file in parts if file.exists()})

    with Client(cluster) as client:
        assert digests(run(lake, client, plays, note)) == undisturbed
    assert told[0] == len(parts)
    assert kept == parts
