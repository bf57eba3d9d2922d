"""The whole pipeline beside two scripts: `make bench` or `python -m tests.benchmarks.whole`.

All read the same two CSVs, in turn, each in a process of its own: ours against a Prefect server
that is already up, into an empty home; the scripts (tests/benchmarks/plain_script.py and
lean_script.py) into an empty file. Seconds, processor seconds and peak memory are of the process
with all its children; the ratios are of the medians.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from flows.memory import PeakMemory
from tasks.sample import SampleParameters, generate_sample
from tests.conftest import BIN, running_prefect_server
from warehouse.releases.home import Home
from warehouse.releases.pointer import current_release

MB = 1e6
SCRIPTS = (("plain script", "plain_script"), ("lean script", "lean_script"))
"""Title and module."""


@dataclass(frozen=True)
class Figures:
    """What one run of one side took."""

    seconds: float
    processor_seconds: float
    peak_bytes: int
    file_bytes: int
    stages: Mapping[str, float]


def measured(command: Sequence[str | Path], environment: Mapping[str, str], log: Path) -> Figures:
    """Run a command to its end; the file it made is added by the caller."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, env={**os.environ, **environment}, stdout=output, stderr=output
        )
        with PeakMemory(process.pid) as memory:
            status = process.wait()
    if status:
        raise SystemExit(f"{command[0]} failed ({status}), see {log}:\n{log.read_text()[-2000:]}")
    seconds = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Figures(seconds, used, memory.bytes, 0, {})


def ours(tracks: Path, plays: Path, folder: Path, environment: Mapping[str, str]) -> Figures:
    """Run the pipeline into an empty home."""
    home = folder / "home"
    shutil.rmtree(home, ignore_errors=True)
    command: list[str | Path] = [
        BIN / "crossfade",
        "run",
        "--home",
        home,
        "--tracks",
        tracks,
        "--plays",
        plays,
    ]
    took = measured(command, environment, folder / "ours.log")
    release = current_release(Home(home.resolve()))
    if release is None:
        raise SystemExit("the run published nothing")
    manifest = release.manifest
    return Figures(
        took.seconds,
        took.processor_seconds,
        took.peak_bytes,
        manifest.bytes,
        manifest.stage_seconds,
    )


def script(name: str, tracks: Path, plays: Path, folder: Path) -> Figures:
    """Run one of the scripts, named by its module."""
    out = folder / f"{name}.duckdb"
    command: list[str | Path] = [
        sys.executable,
        "-m",
        f"tests.benchmarks.{name}",
        tracks,
        plays,
        out,
    ]
    # One thread per BLAS call is advice for implicit; scikit-learn's search wants them all.
    cores = {"OPENBLAS_NUM_THREADS": str(os.cpu_count() or 1)}
    took = measured(command, cores, folder / f"{name}.log")
    return Figures(took.seconds, took.processor_seconds, took.peak_bytes, out.stat().st_size, {})


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--tracks", type=Path)
    parser.add_argument("--plays", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--ours-only", action="store_true", help="leave the scripts out")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    given = parser.parse_args()
    runs: dict[str, list[Figures]] = {"Crossfade": []}
    with tempfile.TemporaryDirectory(prefix="crossfade-") as name:
        folder = Path(name)
        if given.tracks is None or given.plays is None:
            sample = generate_sample(folder / "sample", SampleParameters(preset="kaggle"))
            given.tracks, given.plays = sample.tracks_path, sample.plays_path
        with running_prefect_server(folder / "prefect") as server:
            for _ in range(given.runs):
                runs["Crossfade"].append(ours(given.tracks, given.plays, folder, server))
                for title, module in () if given.ours_only else SCRIPTS:
                    runs.setdefault(title, []).append(
                        script(module, given.tracks, given.plays, folder)
                    )
    _print(runs)
    if given.json:
        given.json.write_text(
            json.dumps({side: [vars(figures) for figures in done] for side, done in runs.items()})
        )


def _print(runs: Mapping[str, Sequence[Figures]]) -> None:
    columns = ("seconds", "processor_seconds", "peak_bytes", "file_bytes")
    middle = {
        side: [median(getattr(figures, column) for figures in done) for column in columns]
        for side, done in runs.items()
    }
    print(f"{len(runs['Crossfade'])} runs each, in turn; medians")
    print(f"{'':16}{'seconds':>10}{'CPU s':>10}{'peak MB':>10}{'file MB':>10}")
    for side, (seconds, cpu, peak, size) in middle.items():
        print(f"{side:16}{seconds:10.1f}{cpu:10.1f}{peak / MB:10,.0f}{size / MB:10,.0f}")
    own = middle.pop("Crossfade")
    for side, other in middle.items():
        ratios = "".join(f"{a / b:10.2f}" for a, b in zip(own, other, strict=True))
        print(f"of {side}".ljust(16) + ratios)
    print("\nstage          seconds")
    for stage in runs["Crossfade"][0].stages:
        seconds = median(figures.stages[stage] for figures in runs["Crossfade"])
        print(f"{stage:14}{seconds:9.1f}")


if __name__ == "__main__":
    main()
