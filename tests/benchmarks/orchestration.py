"""What orchestration costs: a run that finds nothing new, and the share of Prefect in a full one.

`python -m tests.benchmarks.orchestration [--runs 3] [--tracks CSV --plays CSV]`

Starts a Prefect server of its own. Every figure is the best of the runs. "Prefect alone" is a
process that runs an empty flow; "without Prefect" is the pipeline with every task replaced by the
plain function in it and no pages shown, in the same process and on an embedded Dask cluster alike.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tests.conftest import running_prefect_server

EMPTY = "from prefect import flow\n@flow\ndef nothing():\n    pass\nnothing()\n"
BIN = Path(sys.executable).parent
STEPS = (
    *("ingest", "holdout", "choice", "hiding", "collaborative", "content", "evaluation"),
    *("measured", "lists", "gate", "build", "publish"),
)
SHOWN = ("rename", "show")


class Plain:
    """A task without Prefect: calls its function, or starts it in a thread."""

    def __init__(self, function: Callable[..., Any], pool: ThreadPoolExecutor) -> None:
        self._function, self._pool = function, pool

    def __call__(self, *arguments: Any) -> Any:
        """Call the function."""
        return self._function(*arguments)

    def with_options(self, **_: Any) -> "Plain":
        """Name nothing: there is nowhere to show a name."""
        return self

    def submit(self, *arguments: Any) -> Any:
        """Start the function; the future has `result` as Prefect's has."""
        return self._pool.submit(self._function, *arguments)


def seconds(work: Callable[[], object]) -> float:
    """Return how long the work took."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def command(*arguments: str, home: Path) -> Callable[[], object]:
    """Return a call of this Python's commands that must succeed."""
    environment = {**os.environ, "CROSSFADE_HOME": str(home)}
    return lambda: subprocess.run(
        [*arguments], env=environment, check=True, capture_output=True, timeout=600
    )


def nothing_new(inputs: dict[str, str], runs: int, folder: Path) -> list[tuple[str, float]]:
    """Time an empty flow and a run that finds everything as it was."""
    flags = [part for name, path in inputs.items() for part in (f"--{name}", path)]
    run = command(str(BIN / "crossfade"), "run", *flags, home=folder / "unchanged")
    run()
    empty = command(sys.executable, "-c", EMPTY, home=folder)
    alone = min(seconds(empty) for _ in range(runs))
    unchanged = min(seconds(run) for _ in range(runs))
    return [
        ("Prefect alone: a process with an empty flow", alone),
        ("a run that finds nothing new", unchanged),
        ("beyond Prefect's own start-up", unchanged - alone),
    ]


def full(inputs: dict[str, str], runs: int, folder: Path) -> list[tuple[str, float]]:
    """Time whole runs with and without Prefect, in turn, each in an empty home."""
    from flows import pipeline, steps
    from flows.settings import load_settings

    def with_prefect(home: Path) -> None:
        pipeline.crossfade(tracks=inputs["tracks"], plays=inputs["plays"], home=str(home))

    def without(home: Path) -> None:
        with ThreadPoolExecutor() as pool, ExitStack() as patched:
            for name in STEPS:
                plain = Plain(getattr(steps, name).fn, pool)
                patched.enter_context(patch.object(steps, name, plain))
            patched.enter_context(patch.object(steps, "under_way", _unseen))
            for name in SHOWN:
                patched.enter_context(patch.object(pipeline, name, _silent))
            pipeline._run_locked(load_settings(**inputs, home=home), override=None)

    times: dict[str, list[float]] = {"with Prefect": [], "without Prefect": []}
    for number in range(runs + 1):
        for name, work in (("with Prefect", with_prefect), ("without Prefect", without)):
            home = folder / f"{number}-{name.split()[0]}"
            took = seconds(lambda work=work, home=home: work(home))  # type: ignore[misc]
            if number:  # the first one compiles and imports
                times[name].append(took)
    best = {name: min(took) for name, took in times.items()}
    return [
        *((f"a full run, {name}", took) for name, took in best.items()),
        ("overhead", best["with Prefect"] - best["without Prefect"]),
    ]


def _silent(*_: object) -> None:
    """Show nothing."""


def _unseen(_: str) -> AbstractContextManager[Callable[[int, int], None]]:
    """Announce no stage."""
    return nullcontext(_silent)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--tracks")
    parser.add_argument("--plays")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        inputs = {"tracks": given.tracks, "plays": given.plays}
        if not given.tracks:
            command(str(BIN / "crossfade"), "sample", "--out", str(folder), home=folder)()
            inputs = {
                "tracks": str(folder / "Music Info.csv"),
                "plays": str(folder / "User Listening History.csv"),
            }
        with running_prefect_server(folder / "prefect") as environment:
            os.environ.update(environment)
            from flows.environment import prepare, quiet_console

            prepare(folder / "home")
            quiet_console(debug=False)
            rows = nothing_new(inputs, given.runs, folder) + full(inputs, given.runs, folder)
    print("| what | seconds |\n|---|---:|")
    for what, took in rows:
        print(f"| {what} | {took:.2f} |")


if __name__ == "__main__":
    main()
