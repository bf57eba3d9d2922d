"""A refresh beside a full run: `python -m tests.benchmarks.refresh --scale 0.25`.

A base learns from a sample of Kaggle's shape. Then a day comes in a new file: 1 % more plays, of
listeners who have played before and 0.1 % new ones, and 20 new tracks for 962,037 listeners.
`crossfade refresh` publishes it in the base's home, `crossfade run` in an empty one. Processor
seconds and peak memory are of the process with all its children; seconds by stage are from the
manifests. ``--refreshes`` brings more such days in a row. ``--share 0.0001 --new-tracks 0`` is what
a quarter of an hour brings instead: a hundredth of the plays and listeners, no track.

``--ingest-only`` measures the first stage alone: reading all files of such a day, and reading what
was added to an earlier result, in turn, each into an empty lake; both must give the same tables.
"""

import argparse
import csv
import random
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from tasks.dataset.spec import DatasetSpec
from tasks.ingest.limits import IngestLimits
from tasks.ingest.stage import ingest_stage
from tasks.lake.record import StageResult
from tasks.sample import SampleParameters, generate_sample
from tests.benchmarks.whole import MB, Figures, measured
from tests.conftest import BIN, running_prefect_server
from warehouse.releases.home import Home
from warehouse.releases.pointer import current_release

LISTENERS, NEW_TRACKS = 962_037, 20
HEADER = "track_id,user_id,playcount\n"


@dataclass(frozen=True)
class Day:
    """What is new in a day."""

    share: float = 0.01
    """Plays, as a share of those there are."""
    tracks: int = NEW_TRACKS
    """For `LISTENERS`."""


def add_day(tracks: Path, plays: Path, day: int, rng: random.Random, what: Day) -> None:
    """Add a file of plays, and new tracks to the catalogue."""
    with (plays / "history.csv").open(newline="") as file:
        rows = [(row[0], row[1]) for row in csv.reader(file)][1:]
    listeners = len({listener for _, listener in rows})
    head, *known = tracks.read_text().splitlines(keepends=True)
    new_tracks = max(1, round(what.tracks * listeners / LISTENERS)) if what.tracks else 0
    models = rng.choices(known, k=new_tracks)
    new = [f"TR{rng.randrange(10**8):08}{x}" for x in range(len(models))]
    described = [one + row[row.index(",") :] for one, row in zip(new, models, strict=True)]
    if new:
        tracks.write_text(head + "".join([*known, *described]))
    people = [
        f"{rng.getrandbits(160):040x}" for _ in range(max(1, round(listeners * what.share / 10)))
    ]
    lines = []
    for place in range(round(len(rows) * what.share)):
        track, listener = rng.choice(rows)[0], rng.choice(rows)[1]
        if place < 3 * len(people):
            listener = people[place % len(people)]
        if new and place % 1000 == 0:
            track = rng.choice(new)
        lines.append(f"{track},{listener},{rng.randint(1, 3)}\n")
    (plays / f"day-{day:03}.csv").write_text(HEADER + "".join(lines))


def published(
    command: str, home: Path, tracks: Path, plays: Path, environment: dict[str, str]
) -> Figures:
    """Run a command that publishes; return what it took."""
    where: list[str | Path] = ["--home", home, "--tracks", tracks, "--plays", plays]
    took = measured([BIN / "crossfade", command, *where], environment, home.with_suffix(".log"))
    release = current_release(Home(home.resolve()))
    if release is None:
        raise SystemExit(f"`crossfade {command}` published nothing")
    manifest = release.manifest
    return replace(took, file_bytes=manifest.bytes, stages=manifest.stage_seconds)


def compare_ingest(folder: Path, tracks: Path, plays: Path, runs: int, new: Day) -> None:
    """Print what reading everything and reading what was added take, in turn."""
    spec = DatasetSpec.kaggle(tracks, plays, "days")
    earlier = ingest_stage(folder / "lake", spec, IngestLimits())
    add_day(tracks, plays, 1, random.Random(0), new)
    used: dict[str, list[float]] = {}
    for run in range(runs):
        results = []
        for what, known in (("everything", None), ("what was added", earlier)):
            begun = time.process_time()
            results.append(
                ingest_stage(folder / f"{run} {what}", spec, IngestLimits(), earlier=known)
            )
            used.setdefault(what, []).append(time.process_time() - begun)
        if _tables(results[0]) != _tables(results[1]):
            raise SystemExit("the tables are not the same")
    for what, took in used.items():
        each = " ".join(f"{one:.2f}" for one in took)
        print(f"ingest reads {what}: {median(took):.2f} CPU s ({each})")


def _tables(result: StageResult) -> dict[str, str]:
    return {name: dataset.digest for name, dataset in result.datasets.items()}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--refreshes", type=int, default=1)
    parser.add_argument("--ingest-only", action="store_true")
    parser.add_argument("--runs", type=int, default=3, help="of --ingest-only")
    parser.add_argument("--share", type=float, default=Day.share, help="of the plays, in a day")
    parser.add_argument("--new-tracks", type=int, default=Day.tracks, help="in a day, at scale 1")
    given = parser.parse_args()
    what = Day(given.share, given.new_tracks)
    with tempfile.TemporaryDirectory(prefix="crossfade-") as name:
        folder = Path(name)
        sample = generate_sample(
            folder / "sample", SampleParameters(preset="kaggle", scale=given.scale)
        )
        tracks, plays = folder / "tracks.csv", folder / "plays"
        plays.mkdir()
        sample.tracks_path.rename(tracks)
        sample.plays_path.rename(plays / "history.csv")
        if given.ingest_only:
            compare_ingest(folder, tracks, plays, given.runs, what)
            return
        figures: dict[str, Figures] = {}
        rng = random.Random(0)
        with running_prefect_server(folder / "prefect") as server:
            figures["base"] = published("run", folder / "home", tracks, plays, server)
            for day in range(1, given.refreshes + 1):
                add_day(tracks, plays, day, rng, what)
                figures[f"refresh {day}"] = published(
                    "refresh", folder / "home", tracks, plays, server
                )
            figures["full run"] = published("run", folder / "other", tracks, plays, server)
    _print(figures)


def _print(figures: dict[str, Figures]) -> None:
    stages = list(dict.fromkeys(stage for one in figures.values() for stage in one.stages))
    print(f"{'':14}{'seconds':>9}{'CPU s':>9}{'peak MB':>9}{'file MB':>9}"
          + "".join(f"{stage:>15}" for stage in stages))  # fmt: skip
    for what, one in figures.items():
        seconds = (f"{one.stages[x]:15.1f}" if x in one.stages else f"{'':15}" for x in stages)
        print(
            f"{what:14}{one.seconds:9.1f}{one.processor_seconds:9.1f}"
            f"{one.peak_bytes / MB:9,.0f}{one.file_bytes / MB:9,.0f}" + "".join(seconds)
        )
    *_, refreshed, full = figures.values()
    print(
        f"\nthe last refresh as a share of the full run: {refreshed.seconds / full.seconds:.2f} "
        f"of the seconds, {refreshed.processor_seconds / full.processor_seconds:.2f} of the CPU s"
    )


if __name__ == "__main__":
    main()
