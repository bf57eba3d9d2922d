"""What the learned neighbours cost beside dense EASE and plain cosine, at the scale of the twin.

    python -m tests.benchmarks.neighbours_cost prepare 1x=FOLDER …
    python -m tests.benchmarks.neighbours_cost measure 1x=FOLDER … --models learned implicit …
    python -m tests.benchmarks.neighbours_cost measure 1x=FOLDER 2x=FOLDER … --plot FILE.svg

`prepare` ingests the two CSVs of each named FOLDER into a lake beside them; `measure` trains the
models on the lake's plays, each in a process of its own, and prints a row for each: wall time,
processor time, peak memory of all its processes; `--plot` draws those of ours against the plays.
Ours is the whole stage as a run has it, on two worker processes that are up already: reading,
solving, writing both tables. The others are one process with two threads that has the matrix in
memory already. Dense EASE may be given a share of the tracks (`dense:0.5`: those with the most
listeners), since its memory grows with their square.
"""

import argparse
import multiprocessing
import os
import resource
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import matplotlib as mpl
import numpy as np
import psutil
import pyarrow.parquet as pq
from matplotlib.figure import Figure
from scipy import sparse

from tasks.evaluation.plots import STYLE
from tests.benchmarks.dense_ease import dense_ease

THREADS = 2
KEPT = 100
"""Neighbours kept per track by all but dense EASE; the default of the learned ones."""


@dataclass(frozen=True)
class Cost:
    """Seconds and bytes of one training; memory before it, imports and input, is part of it."""

    wall: float
    processor: float
    peak: int


def lake_of(folder: Path) -> Path:
    """Return where `prepare` keeps the lake of a folder of CSVs."""
    return folder / "lake"


def prepare(folder: Path) -> None:
    """Ingest a folder's CSVs."""
    from tasks.dataset.spec import DatasetSpec
    from tasks.ingest.stage import ingest_stage

    spec = DatasetSpec.kaggle(folder / "Music Info.csv", folder / "User Listening History.csv")
    result = ingest_stage(lake_of(folder), spec)
    print(folder, result.counts, flush=True)


def plays_file(folder: Path) -> Path:
    """Return the lake's file of who played what."""
    return next(lake_of(folder).glob("ingest/*/interactions.parquet"))


def learned(folder: Path) -> tuple[float, float]:
    """Run the stage on two worker processes."""
    from distributed import Client, LocalCluster

    from tasks.collaborative.parameters import CollaborativeParameters
    from tasks.collaborative.stage import collaborative_stage
    from tasks.lake.dataset import Dataset

    file = plays_file(folder)
    played = 1 + int(pq.read_table(file, columns=["played_key"])["played_key"].to_numpy().max())
    scratch = folder / "cost-scratch"
    with (
        LocalCluster(n_workers=THREADS, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        client.run(_warm)
        began, used = time.perf_counter(), _tree_seconds()
        collaborative_stage(
            scratch, client, Dataset.of(file), played, None, CollaborativeParameters()
        )
        spent = time.perf_counter() - began, _tree_seconds() - used
    shutil.rmtree(scratch)
    return spent


def _warm() -> None:
    """Import and load the compiled kernels, as a worker of a running cluster has them."""
    from tasks.collaborative.find_edges import weight_matrix
    from tasks.collaborative.interactions import Interactions
    from tasks.collaborative.parameters import CollaborativeParameters

    tiny = Interactions.of(sparse.csr_array(np.ones((3, 3))))
    weight_matrix(tiny, CollaborativeParameters())


def matrix(folder: Path) -> sparse.csr_matrix:
    """Read the plays as listeners × tracks, float32 ones."""
    table = pq.read_table(plays_file(folder), columns=["user_key", "played_key"])
    users, tracks = (table[name].to_numpy() for name in ("user_key", "played_key"))
    return sparse.csr_matrix((np.ones(len(users), np.float32), (users, tracks)))


def _timed(train: Callable[[], object]) -> tuple[float, float]:
    began, used = time.perf_counter(), time.process_time()
    train()
    return time.perf_counter() - began, time.process_time() - used


def dense(folder: Path, share: float) -> tuple[float, float]:
    """Train dense EASE on the share of the tracks that has the most listeners."""
    X = matrix(folder)
    if share < 1:
        known = np.argsort(-np.bincount(X.indices), kind="stable")
        X = X[:, np.sort(known[: round(share * X.shape[1])])]
    return _timed(lambda: dense_ease(X, ridge=100.0))


def implicit_cosine(folder: Path) -> tuple[float, float]:
    """implicit's cosine, with neighbours for every track."""
    from implicit.nearest_neighbours import CosineRecommender

    X = matrix(folder)
    model = CosineRecommender(K=KEPT, num_threads=THREADS)
    return _timed(lambda: model.fit(X, show_progress=False))


def topn_cosine(folder: Path) -> tuple[float, float]:
    """sparse_dot_topn's product of the normalised matrix with itself."""
    from sparse_dot_topn import sp_matmul_topn

    X = matrix(folder)

    def train() -> None:
        lengths = np.sqrt(np.maximum(np.bincount(X.indices, minlength=X.shape[1]), 1))
        unit = sparse.csr_matrix(X @ sparse.diags(1 / lengths))
        sp_matmul_topn(unit.T.tocsr(), unit, top_n=KEPT + 1, n_threads=THREADS)

    return _timed(train)


def train(model: str, folder: Path, answer: Connection) -> None:
    """Train one model in this process and send what it took."""
    name, _, share = model.partition(":")
    if name == "dense":
        answer.send(dense(folder, float(share or 1)))
    else:
        answer.send(
            {"learned": learned, "implicit": implicit_cosine, "topn": topn_cosine}[name](folder)
        )


def measured(model: str, folder: Path) -> Cost:
    """Train a model in a process of its own and watch the memory of it and its children."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=train, args=(model, folder, theirs)
    )
    process.start()
    theirs.close()
    peak = 0
    while process.is_alive() and not ours.poll(0.1):
        peak = max(peak, _resident(process.pid))
    try:
        wall, processor = ours.recv()
    except EOFError:
        raise SystemExit(f"{model} on {folder} came to no end") from None
    process.join()
    return Cost(wall, processor, peak)


def _tree(pid: int | None) -> list[psutil.Process]:
    me = psutil.Process(pid)
    return [me, *me.children(recursive=True)]


def _resident(pid: int | None) -> int:
    """Return the bytes of a process and its children; what they share counts once (Linux: PSS)."""
    total = 0
    for process in _tree(pid):
        try:
            total += process.memory_full_info().pss
        except psutil.NoSuchProcess:
            continue
    return total


def _tree_seconds() -> float:
    gone = resource.getrusage(resource.RUSAGE_CHILDREN)
    times = [process.cpu_times() for process in _tree(os.getpid())]
    return sum(t.user + t.system for t in times) + gone.ru_utime + gone.ru_stime


def plot(costs: dict[int, Cost], file: Path) -> None:
    """Draw wall time and memory by number of plays, beside growth in proportion to the first."""
    millions = [plays / 1e6 for plays in costs]
    seconds = [cost.wall for cost in costs.values()]
    proportional = [seconds[0] * x / millions[0] for x in millions]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.0, 2.8), layout="constrained")
        time_axes, memory_axes = figure.subplots(1, 2)
        time_axes.plot(millions, seconds, marker="o", label="learned neighbours")
        time_axes.plot(millions, proportional, color="C7", linestyle=":", label="in proportion")
        time_axes.set_ylabel("seconds, two workers")
        time_axes.legend(fontsize=7)
        memory_axes.plot(millions, [cost.peak / 1e9 for cost in costs.values()], marker="o")
        memory_axes.set_ylabel("peak GB, all processes")
        for axes in (time_axes, memory_axes):
            axes.set_xlabel("million plays")
            axes.set_xlim(left=0)
            axes.set_ylim(bottom=0)
        figure.savefig(file, format="svg", metadata={"Date": None})


def main() -> None:
    """Run a command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["prepare", "measure"])
    parser.add_argument("twins", nargs="+", metavar="NAME=FOLDER")
    parser.add_argument("--models", nargs="+", default=["learned"])
    parser.add_argument("--plot", type=Path, metavar="FILE.svg")
    arguments = parser.parse_args()
    twins = {name: Path(folder) for name, _, folder in map(_parted, arguments.twins)}
    if arguments.command == "prepare":
        for folder in twins.values():
            prepare(folder)
        return
    print("| plays | model | wall s | processor s | peak GB |\n|---|---|---|---|---|")
    ours: dict[int, Cost] = {}
    for name, folder in twins.items():
        plays = int(pq.read_metadata(plays_file(folder)).num_rows)
        for model in arguments.models:
            cost = measured(model, folder)
            if model == "learned":
                ours[plays] = cost
            print(
                f"| {name}, {plays / 1e6:.1f} M | {model} | {cost.wall:.1f} | "
                f"{cost.processor:.1f} | {cost.peak / 1e9:.2f} |",
                flush=True,
            )
    if arguments.plot is not None:
        plot(ours, arguments.plot)


def _parted(twin: str) -> tuple[str, str, str]:
    return twin.partition("=")


if __name__ == "__main__":
    os.environ["OPENBLAS_NUM_THREADS"] = str(THREADS)  # of dense EASE; our workers take one each
    main()
