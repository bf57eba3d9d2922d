"""One external Dask worker against two.

    python -m tests.benchmarks.workers [--tracks FILE --plays FILE] [--runs N]

A scheduler and workers of one thread each are started as processes of their own, as
docs/operations.md says, with the stages imported; these run as in a run, both kinds of neighbours
side by side, each time into an empty lake. One worker and two take turns; the table shows the
median seconds of every stage and of all together, and the ratio in each turn. The files that were
made must be the same to the last byte. Below it stands what the machine itself can do: how much
faster two processes get through the same plain work than one, which no stage can beat.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from distributed import Client

from flows.cluster import KEPT_MEMORY, PRELOADED, RARELY
from tasks.blend.parameters import HybridParameters
from tasks.blend.stage import lists_stage
from tasks.collaborative.parameters import CollaborativeParameters
from tasks.collaborative.stage import collaborative_stage
from tasks.content.parameters import ContentParameters
from tasks.content.stage import content_stage
from tasks.dataset.spec import DatasetSpec
from tasks.evaluation.parameters import EvaluationParameters
from tasks.evaluation.stage import evaluation_stage
from tasks.holdout.stage import holdout_stage
from tasks.ingest.stage import ingest_stage
from tasks.lake.dataset import Dataset
from tasks.lake.record import StageResult
from tasks.sample import SampleParameters, generate_sample
from tests.conftest import BIN, free_port

ONE_THREAD = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

AS_IN_A_RUN = KEPT_MEMORY | {
    f"DASK_{name.upper().replace('.', '__').replace('-', '_')}": str(value)
    for name, value in RARELY.items()
}
"""What workers of a run get without asking: here by the environment, as docs/operations.md says."""

YARDSTICKS = {
    "products of float32 matrices": """
import numpy as np
a, b = np.ones((256, 128), np.float32), np.ones((128, 2048), np.float32)
out = np.empty((256, 2048), np.float32)
for _ in range(3_000):
    np.matmul(a, b, out=out)
""",
    "a loop of Python": """
total = 0
for x in range(30_000_000):
    total += x
""",
}
"""Work that shares nothing but the machine."""


def machine_gain(code: str) -> float:
    """Return how many times faster two processes get through twice ``code`` than one does."""

    def seconds(processes: int) -> float:
        began = time.perf_counter()
        running = [
            subprocess.Popen([sys.executable, "-c", code], env=ONE_THREAD) for _ in range(processes)
        ]
        for process in running:
            process.wait()
        return time.perf_counter() - began

    return 2 * seconds(1) / seconds(2)


@contextmanager
def cluster(workers: int, folder: Path) -> Iterator[Client]:
    """Start a scheduler and workers; yield a client that sees all of them."""
    address = f"tcp://127.0.0.1:{free_port()}"
    host: tuple[str, ...] = ("--host", "127.0.0.1", "--no-dashboard")
    host += tuple(word for module in PRELOADED for word in ("--preload", module))
    commands = [["scheduler", "--port", address.rpartition(":")[2], *host]]
    for number in range(workers):
        local = ("--local-directory", str(folder / f"worker-{number}"))
        commands.append(["worker", address, "--nthreads", "1", *host, *local])
    with (folder / "dask.log").open("ab") as log:
        processes = [
            subprocess.Popen(
                [BIN / "dask", *command], env={**ONE_THREAD, **AS_IN_A_RUN}, stdout=log, stderr=log
            )
            for command in commands
        ]
    try:
        with Client(address, timeout=60) as client:
            client.wait_for_workers(workers, timeout=60)
            yield client
    finally:
        for process in reversed(processes):
            process.terminate()
        for process in processes:
            process.wait(30)


def run_stages(
    client: Client, lake: Path, ingested: StageResult, held_out: Dataset, numeric: tuple[str, ...]
) -> list[StageResult]:
    """Run what runs on Dask, in the order of a run."""
    played = int(ingested.counts["tracks"]) - int(ingested.counts["unplayed_tracks"])
    interactions, hybrid = ingested["interactions"], HybridParameters()
    with ThreadPoolExecutor(2) as beside:
        plays = beside.submit(
            collaborative_stage,
            *(lake, client, interactions, played, held_out, CollaborativeParameters()),
        )
        content = beside.submit(
            content_stage,
            *(lake, client, ingested["tracks"], interactions, held_out),
            *(numeric, (), ContentParameters()),
        )
        by_plays, by_content = plays.result(), content.result()
    measured = evaluation_stage(
        *(lake, client, ingested, held_out, by_plays, by_content),
        *(hybrid, EvaluationParameters()),
    )
    lists = lists_stage(lake, client, ingested, by_plays, by_content, hybrid)
    return [by_plays, by_content, measured, lists]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--tracks", type=Path)
    parser.add_argument("--plays", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    seconds: dict[int, list[dict[str, float]]] = {1: [], 2: []}
    digests: list[Mapping[str, str]] = []
    with tempfile.TemporaryDirectory(prefix="crossfade-") as name:
        folder = Path(name)
        if given.tracks is None or given.plays is None:
            sample = generate_sample(folder / "sample", SampleParameters(preset="kaggle"))
            given.tracks, given.plays = sample.tracks_path, sample.plays_path
        spec = DatasetSpec.kaggle(given.tracks, given.plays)
        ingested = ingest_stage(folder / "lake", spec)
        held_out = holdout_stage(folder / "lake", ingested["users"], EvaluationParameters())
        if held_out is None:
            raise SystemExit("the dataset is too small to hold anybody out")
        for workers in (1, 2) * given.runs:
            lake = folder / "lake-of-this-turn"
            with cluster(workers, folder) as client:
                began = time.perf_counter()
                done = run_stages(client, lake, ingested, held_out, spec.tracks.numeric)
                together = time.perf_counter() - began
            shutil.rmtree(lake)
            stages = {result.stage: result.seconds for result in done}
            seconds[workers].append({**stages, "together": together})
            digests.append(
                {
                    f"{result.stage}/{name}": dataset.digest
                    for result in done
                    for name, dataset in result.datasets.items()
                }
            )
    print(f"{'stage':14}{'1 worker':>10}{'2 workers':>10}{'faster':>8}  by turns")
    for stage in seconds[1][0]:
        one, two = ([turn[stage] for turn in seconds[workers]] for workers in (1, 2))
        turns = " ".join(f"{a / b:.2f}" for a, b in zip(one, two, strict=True))
        a, b = median(one), median(two)
        print(f"{stage:14}{a:10.1f}{b:10.1f}{a / b:7.2f}×  {turns}")
    different = [
        name for name, digest in digests[0].items() if any(x.get(name) != digest for x in digests)
    ]
    print(f"{len(digests[0])} files, {len(different)} differ", *different[:5])
    print("\nthe same work in two processes instead of one after the other, median of five:")
    for name, code in YARDSTICKS.items():
        print(f"{name:30}{median(machine_gain(code) for _ in range(5)):6.2f}×")


if __name__ == "__main__":
    main()
