"""Ingest beside DuckDB's bare copy: `python -m tests.benchmarks.ingest [--tracks CSV --plays CSV]`.

The bare side reads the same history with `read_csv`, sorts it by listener and track and writes
Parquet: no types, no keys, no checks, no catalogue, no hash of the input. Both sides run in
processes of their own, in turn; the table shows medians, their ratio and peak memory.
"""

import argparse
import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

from tasks.dataset.spec import DatasetSpec
from tasks.ingest.stage import MEMORY_LIMIT, ingest_stage
from tasks.sample import SampleParameters, generate_sample


def bare(tracks: Path, plays: Path, folder: Path) -> None:
    """Copy and sort, nothing else."""
    with duckdb.connect(config={"memory_limit": MEMORY_LIMIT}) as con:
        con.execute(f"SET temp_directory = '{folder}'")
        for source, order in ((tracks, "track_id"), (plays, "user_id, track_id")):
            con.execute(
                f"COPY (FROM read_csv('{source}') ORDER BY {order}) "
                f"TO '{folder / source.stem}.parquet'"
            )


def ours(tracks: Path, plays: Path, folder: Path) -> None:
    """Run the stage into an empty lake."""
    ingest_stage(folder / "lake", DatasetSpec.kaggle(tracks, plays))


def again(tracks: Path, plays: Path, folder: Path) -> None:
    """Run the stage into a lake that has the result."""
    result = ingest_stage(folder.parent / "kept", DatasetSpec.kaggle(tracks, plays))
    print("reused" if result.reused else "computed", file=sys.stderr)


SIDES = {"bare copy and sort": bare, "ingest": ours, "ingest, nothing changed": again}


def measure(side: str, tracks: Path, plays: Path, folder: Path) -> dict[str, float]:
    """Run one side in a process of its own; return seconds, CPU seconds and peak MB."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    command = [sys.executable, "-m", "tests.benchmarks.ingest", "--side", side]
    command += ["--tracks", str(tracks), "--plays", str(plays), "--folder", str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def run_side(side: str, tracks: Path, plays: Path, folder: Path) -> None:
    """Do one side's work and print what it took."""
    started = time.perf_counter()
    SIDES[side](tracks, plays, folder)
    used = resource.getrusage(resource.RUSAGE_SELF)
    figures = {
        "seconds": time.perf_counter() - started,
        "cpu": used.ru_utime + used.ru_stime,
        "peak_mb": used.ru_maxrss / 1024,
    }
    print(json.dumps(figures))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--tracks", type=Path)
    parser.add_argument("--plays", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--side", choices=SIDES)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    if given.side:
        run_side(given.side, given.tracks, given.plays, given.folder)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if given.tracks is None or given.plays is None:
            sample = generate_sample(folder / "sample", SampleParameters(preset="kaggle"))
            given.tracks, given.plays = sample.tracks_path, sample.plays_path
        megabytes = (given.tracks.stat().st_size + given.plays.stat().st_size) / 1e6
        # Not in this process: its children's peak memory would start from its own.
        measure("ingest, nothing changed", given.tracks, given.plays, folder / "run")
        runs: dict[str, list[dict[str, float]]] = {side: [] for side in SIDES}
        for _ in range(given.runs):
            for side, results in runs.items():
                results.append(measure(side, given.tracks, given.plays, folder / "run"))
    print(f"{megabytes:,.0f} MB of CSV, {given.runs} runs each in turn, medians")
    print(f"{'':26}{'seconds':>9}{'CPU s':>9}{'ratio':>9}{'CPU ratio':>11}{'peak MB':>9}")
    first = None
    for side, results in runs.items():
        seconds, cpu, peak = (
            statistics.median(result[key] for result in results)
            for key in ("seconds", "cpu", "peak_mb")
        )
        first = first or (seconds, cpu)
        ratios = f"{seconds / first[0]:9.2f}{cpu / first[1]:11.2f}"
        print(f"{side:26}{seconds:9.2f}{cpu:9.2f}{ratios}{peak:9,.0f}")


if __name__ == "__main__":
    main()
