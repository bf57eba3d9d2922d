"""`crossfade init` then a run, nothing edited: `python -m tests.benchmarks.init_run --data DIR`.

DIR holds ``data/`` and ``cases/``. The real data sets and the sample go through the whole run in
processes of their own; the small cases through `init` and the ingest stage in this process. The
table says what `init` believed, where it would have asked, how the run ended, what is in the
release and which rows are not, and whether the run's log says so. ``--only NAME…`` takes some.

Exits 1 if a row is lost in silence, a whole run fails, or a belief was wrong without being marked
as a guess.
"""

import argparse
import contextlib
import io
import json
import logging
import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import numpy as np
import pyarrow.csv as pv
from typer.testing import CliRunner

from flows.cli import app
from tasks.dataset.spec import DatasetSpec
from tasks.ingest.stage import ingest_stage
from tests.tasks.ingest.test_cases import GIVEN
from warehouse.errors import CrossfadeError

LOSSES = {
    "rejected_plays": "rejected_rows",
    "rejected_tracks": "rejected_rows",
    "filtered_plays": "filtered_rows",
    "filtered_tracks": "filtered_rows",
    "unknown_track_plays": "unknown_tracks",
    "long_history_plays": "long_histories",
    "merged_tracks": "merged_tracks",
}
"""Counts of rows that are not in the release as they came, and the check that says so."""

WHOLE = ("ml-latest-small", "hetrec", "msd-tracks", "sample")
MINUTES = 20


@dataclass
class Outcome:
    """What became of one input."""

    name: str
    believed: str = ""
    asked: str = ""
    status: int = 0
    said: str = ""
    """The sentence that refused it."""
    tracks: int = 0
    plays: int = 0
    lost: Mapping[str, int] = field(default_factory=dict)
    unsaid: Sequence[str] = ()
    expected: Mapping[str, int] | None = None
    """Tracks and plays as the test of the case counts them; nothing where it is refused."""

    @property
    def verdict(self) -> str:
        """Say whether this is as it should be."""
        if self.unsaid:
            return "SILENT: " + ", ".join(self.unsaid)
        if self.expected is None:  # a whole run
            return f"FAILED with {self.status}" if self.status else "ok"
        if not self.expected:
            return "ok, refused" if self.status == 2 else "read, though tests refuse it"
        if self.status:
            return "refused"
        found = {"tracks": self.tracks, "plays_rows": self.plays}
        wrong = {name: number for name, number in self.expected.items() if found[name] != number}
        if not wrong:
            return "ok"
        if "strength=" in self.believed and self.lost.get("filtered_plays"):
            return "ok, a threshold is a choice and named as one"
        return "differs: " + ", ".join(f"{name} {number:,}" for name, number in wrong.items())


def generated_history(
    catalogue: Path, target: Path, listeners: int = 2_000, seed: int = 22
) -> None:
    """Write a history for a real catalogue: each listener likes two tags, and known tracks more."""
    rng = np.random.default_rng(seed)
    table = pv.read_csv(catalogue).select(["track_id", "tags"])
    ids, tags = (table[name].to_pylist() for name in ("track_id", "tags"))
    by_tag: dict[str, list[int]] = {}
    for track, cell in enumerate(tags):
        for tag in (cell or "").split(","):
            by_tag.setdefault(tag.strip(), []).append(track)
    liked = [np.array(by_tag[tag]) for tag in sorted(by_tag) if tag and len(by_tag[tag]) >= 50]
    known = rng.pareto(1.2, len(ids)) + 0.1
    with target.open("w") as out:
        out.write("user_id,track_id,playcount\n")
        for listener in range(listeners):
            pool = np.unique(np.concatenate([liked[i] for i in rng.integers(len(liked), size=2)]))
            many = min(len(pool), int(rng.geometric(1 / 25)) + 4)
            share = known[pool] / known[pool].sum()
            for track in rng.choice(pool, many, replace=False, p=share):
                out.write(f"L{listener:05d},{ids[track]},{rng.geometric(0.4)}\n")


def believed(toml: Path) -> str:
    """Say in a line what a dataset TOML takes the files for."""
    given = tomllib.loads(toml.read_text(encoding="utf-8"))
    shown = []
    for section in ("plays", "tracks"):
        table = given.get(section)
        if table is None:
            shown.append("catalogue: from the history")
            continue
        fields = {k: v for k, v in table.items() if k not in ("path", "delimiter")}
        paths = table["path"] if isinstance(table["path"], list) else [table["path"]]
        names = "+".join(Path(path).name for path in paths)
        shown.append(f"{names}: " + " ".join(f"{k}={_short(v)}" for k, v in fields.items()))
    return " | ".join(shown)


def _short(value: object) -> str:
    if isinstance(value, dict):
        return "{" + " ".join(f"{key}={inner}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(str, value[:4])) + (",…]" if len(value) > 4 else "]")
    return str(value)


def guesses(toml: Path) -> str:
    """Return the fields that `init` would ask about on a terminal."""
    marked, found = False, []
    for line in toml.read_text(encoding="utf-8").splitlines():
        marked = marked or "Check this" in line
        if marked and not line.startswith("#"):
            found.append(line.split("=")[0].strip())
            marked = False
    return ", ".join(found)


def unsaid(lost: Mapping[str, int], log: str) -> list[str]:
    """Return the losses that the log does not name by their check."""
    return [name for name, rows in lost.items() if rows and f"{LOSSES[name]}" not in log]


def try_case(folder: Path, work: Path) -> Outcome:
    """Run `init` and the ingest stage on a case."""
    outcome = Outcome(folder.name, expected=_expected(folder.name))
    toml = work / "dataset.toml"
    files = [str(path) for path in sorted(folder.iterdir()) if path.name != "dataset.toml"]
    if folder.name == "url_path":
        files = [*files, "https://example.org/plays.csv"]
    done = CliRunner().invoke(app, ["init", *files, "--yes", "--out", str(toml)])
    outcome.status = done.exit_code
    if done.exit_code:
        outcome.said = (done.stderr or str(done.exception)).strip()
        return outcome
    outcome.believed, outcome.asked = believed(toml), guesses(toml)
    with _log() as log:
        try:
            counts = ingest_stage(work / "lake", DatasetSpec.from_toml(toml)).counts
        except CrossfadeError as error:
            outcome.status, outcome.said = 2, str(error)
            return outcome
    return _counted(outcome, counts, log.getvalue())


def _counted(outcome: Outcome, counts: Mapping[str, object], log: str) -> Outcome:
    outcome.tracks, outcome.plays = int(str(counts["tracks"])), int(str(counts["plays_rows"]))
    lost = {name: int(str(counts.get(name, 0))) for name in LOSSES}
    outcome.lost = {name: rows for name, rows in lost.items() if rows}
    outcome.unsaid = unsaid(outcome.lost, log)
    return outcome


def _expected(case: str) -> Mapping[str, int]:
    """Return what the case holds, as its test describes it rightly."""
    read = [given for given in GIVEN if given.case == case and not given.message]
    if not read:
        return {}
    counts = {"tracks": 60, "plays_rows": 800, **read[-1].counts}
    return {name: counts[name] for name in ("tracks", "plays_rows")}


@contextlib.contextmanager
def _log() -> Iterator[io.StringIO]:
    """Collect what the project logs."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    logger = logging.getLogger("crossfade")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield text
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


def try_whole(name: str, files: Sequence[Path], work: Path) -> Outcome:
    """Run `init` and a whole run in processes of their own."""
    outcome = Outcome(name)
    toml, home = work / "dataset.toml", work / "home"
    done = _crossfade("init", *map(str, files), "--yes", "--out", str(toml))
    if done.returncode == 0:
        outcome.believed, outcome.asked = believed(toml), guesses(toml)
        done = _crossfade("run", "--dataset", str(toml), "--home", str(home))
    outcome.status = done.returncode
    if done.returncode:
        outcome.said = done.stderr.strip().splitlines()[-1]
        return outcome
    record = next((home / "lake" / "ingest").glob("*/stage.json"))
    counts = json.loads(record.read_text())["counts"]
    current = home / "warehouse" / "current.duckdb"
    with duckdb.connect(str(current.resolve()), read_only=True) as con:
        found = con.execute("SELECT (SELECT count(*) FROM tracks), count(*) FROM listens")
        tracks, listens = found.fetchall()[0]
    counts |= {"tracks": tracks, "plays_rows": listens}
    return _counted(outcome, counts, done.stdout + done.stderr)


def _crossfade(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "flows.cli", *arguments],
        capture_output=True, text=True, check=False, timeout=60 * MINUTES,
        stdin=subprocess.DEVNULL, env=dict(os.environ),
    )  # fmt: skip


def inputs_of(name: str, data: Path, work: Path) -> list[Path]:
    """Return the files of a real data set or of the sample."""
    if name == "sample":
        _crossfade("sample", "--out", str(work / "sample"))
        return sorted((work / "sample").glob("*.csv"))
    files = sorted((data / name).glob("*.csv"))
    if name == "msd-tracks":
        generated_history(files[0], work / "history.csv")
        files.append(work / "history.csv")
    return files


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--only", nargs="*", default=[])
    given = parser.parse_args()
    cases = sorted(one for one in (given.data / "cases").iterdir() if one.is_dir())
    wrong = 0
    print("input | believed | asked | status | tracks | plays | not in the release | verdict")
    print("|".join(8 * ["---"]))
    for name in (*WHOLE, *(case.name for case in cases)):
        if given.only and name not in given.only:
            continue
        with tempfile.TemporaryDirectory() as folder:
            work = Path(folder)
            if name in WHOLE:
                files = inputs_of(name, given.data / "data", work)
                outcome = try_whole(name, files, work)
            else:
                outcome = try_case(given.data / "cases" / name, work)
        lost = ", ".join(f"{what} {rows:,}" for what, rows in outcome.lost.items()) or "none"
        cells = (
            name, outcome.believed or outcome.said, outcome.asked or "no", outcome.status,
            f"{outcome.tracks:,}", f"{outcome.plays:,}", lost, outcome.verdict,
        )  # fmt: skip
        if outcome.believed and outcome.said:
            cells = (*cells[:1], f"{outcome.believed} -> {outcome.said}", *cells[2:])
        print(" | ".join(str(cell).replace("|", "/") for cell in cells), flush=True)
        silent = bool(outcome.unsaid)
        failed = outcome.verdict.startswith("FAILED")
        unmarked = outcome.verdict.startswith("differs") and not outcome.asked
        wrong += silent or failed or unmarked
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
