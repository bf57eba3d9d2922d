"""Bad inputs by the thousand: `python -m tests.benchmarks.bad_inputs --cases 1000 --seed 0`.

Each case damages a small valid dataset, a dataset TOML, settings or an id in one of many ways, and
calls what the command line calls, in this process. It must be used or refused in one sentence, with
exit status 0, 1 or 2, within SECONDS. Prints a table of kinds and counts; exits 1 if a case fails.
"""

import argparse
import gzip
import io
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pv
import pyarrow.parquet as pq

from flows.cli.errors import LONGEST, one_line
from flows.settings import load_settings
from tasks.dataset.spec import DatasetSpec
from tasks.ingest.stage import ingest_stage
from warehouse.errors import CrossfadeError
from warehouse.releases.home import Home
from warehouse.releases.pointer import rollback
from warehouse.releases.reader import Reader

SECONDS = 30.0
"""Time limit of one case."""

MOST_MEMORY = 3_000_000_000
"""Bytes that this process may have had resident at the end of all cases."""

NASTY = (
    "", " ", "\0", "'", '"', "''", "\\", "=1+1", "\n", "\r\n", "\t", "é", "\u202e", "\ufeff",
    "-1", "0", "1e309", "nan", "NULL", "None", "9" * 400, "x" * 20_000, "../../etc/passwd", "*",
    "'; DROP TABLE tracks; --", "%s%n", "{}", "${HOME}", "\ud7ff", "²", "٣", "true", "0x10", "💿",
    "[", "1_000",
)  # fmt: skip
"""Texts that have broken programs."""

TOML = """\
name = "fuzzed"

[tracks]
path = "tracks.csv"
id = "track_id"
title = "name"
creator = "artist"
tags = { column = "tags", separator = "," }
numeric = ["year", "tempo"]
categorical = ["genre"]

[plays]
path = "plays.csv"
user = "user_id"
track = "track_id"
count = "playcount"
"""

Damage = Callable[[random.Random, Path], None]


class TooSlowError(Exception):
    """A case took longer than SECONDS."""


@dataclass(frozen=True)
class Result:
    """What became of one case."""

    kind: str
    status: int
    said: str
    seconds: float
    wrong: str = ""
    """What it broke of the promise, if anything."""


def write_valid(folder: Path) -> None:
    """Write a small dataset in which everything is right, and its TOML."""
    rows = [
        f'T{one:03},Song {one},Artist {one % 7},"rock, pop",{1990 + one % 30},{90 + one}.5,Rock'
        for one in range(40)
    ]
    header = "track_id,name,artist,tags,year,tempo,genre\n"
    (folder / "tracks.csv").write_text(header + "\n".join(rows) + "\n")
    plays = [f"T{(one * one) % 40:03},u{one % 30},{1 + one % 5}" for one in range(300)]
    (folder / "plays.csv").write_text("track_id,user_id,playcount\n" + "\n".join(plays) + "\n")
    (folder / "dataset.toml").write_text(TOML)


def _file(rng: random.Random, folder: Path) -> Path:
    return folder / rng.choice(["tracks.csv", "plays.csv"])


def flipped_bytes(rng: random.Random, folder: Path) -> None:
    """Change a few bytes anywhere."""
    path = _file(rng, folder)
    data = bytearray(path.read_bytes())
    for _ in range(rng.choice([1, 3, 40, 400])):
        data[rng.randrange(len(data))] = rng.randrange(256)
    path.write_bytes(bytes(data))


def cut_short(rng: random.Random, folder: Path) -> None:
    """End a file anywhere, at nothing too."""
    path = _file(rng, folder)
    data = path.read_bytes()
    path.write_bytes(data[: rng.choice([0, 1, rng.randrange(40), rng.randrange(len(data))])])


def noise(rng: random.Random, folder: Path) -> None:
    """Replace a file by random bytes, with the start of some known format or without."""
    starts = [b"", b"PAR1", b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"PK\x03\x04", b"\xff\xfe", b"{"]
    _file(rng, folder).write_bytes(rng.choice(starts) + rng.randbytes(rng.choice([0, 10, 5000])))


def nasty_cells(rng: random.Random, folder: Path) -> None:
    """Put nasty texts into cells, quoted or not."""
    path = _file(rng, folder)
    lines = path.read_text().split("\n")
    for _ in range(rng.choice([1, 5, 30])):
        at = rng.randrange(len(lines))
        cells = lines[at].split(",")
        text = rng.choice(NASTY)
        quoted = '"' + text.replace('"', '""') + '"'
        cells[rng.randrange(len(cells))] = rng.choice([text, quoted])
        lines[at] = ",".join(cells)
    path.write_text("\n".join(lines), encoding="utf-8")


def other_header(rng: random.Random, folder: Path) -> None:
    """Rename, repeat, drop or garble columns."""
    path = _file(rng, folder)
    header, rest = path.read_text().split("\n", 1)
    names = header.split(",")
    at = rng.randrange(len(names))
    changed = rng.choice(
        [
            [*names[:at], rng.choice(NASTY), *names[at + 1 :]],
            [*names[:at], *names[at + 1 :]],
            [*names, names[at]],
            names[::-1],
            [name.upper() for name in names],
            [],
        ]
    )
    path.write_text(",".join(changed) + "\n" + rest, encoding="utf-8")


def only_bad_rows(rng: random.Random, folder: Path) -> None:
    """Leave the header, and rows of which none can be used."""
    path = _file(rng, folder)
    header = path.read_text().split("\n", 1)[0]
    row = rng.choice(
        ["", ",", ",,,,,,,,,", '"', "T001", ",u1,1", "T001,,1", "T001,u,-1", "\0", "é"]
    )
    path.write_text("\n".join([header, *[row] * rng.choice([1, 30])]) + "\n")


def other_encoding(rng: random.Random, folder: Path) -> None:
    """Write a file in another encoding, with other line ends or another delimiter."""
    path = _file(rng, folder)
    text = path.read_text().replace("Song", "Söng").replace("\n", rng.choice(["\n", "\r", "\r\n"]))
    text = text.replace(",", rng.choice([",", ";", "\t", "|", "::"]))
    path.write_bytes(text.encode(rng.choice(["utf-16", "utf-32", "latin-1", "utf-8-sig", "cp500"])))


def compressed(rng: random.Random, folder: Path) -> None:
    """Compress a file, whole, torn or not at all, and name it .gz."""
    path = _file(rng, folder)
    data = gzip.compress(path.read_bytes())
    torn = data[: rng.randrange(len(data))]
    named = folder / f"{path.name}.gz"
    named.write_bytes(rng.choice([data, torn, path.read_bytes(), data + b"tail", b""]))
    (folder / "dataset.toml").write_text(TOML.replace(path.name, named.name))


def parquet(rng: random.Random, folder: Path) -> None:
    """Give Parquet with other types, nulls, or torn."""
    path = _file(rng, folder)
    table = pv.read_csv(path)
    name = rng.choice(table.column_names)
    at = table.column_names.index(name)
    values: list[object] = rng.choice([[None], [1.5], [b"\xff"], [[1]], [True], [{"a": 1}], ["x"]])
    column = pa.array(values * table.num_rows)
    changed = rng.choice([table, table.set_column(at, name, column), table.slice(0, 0)])
    sink = io.BytesIO()
    pq.write_table(changed, sink)
    data = sink.getvalue()
    named = folder / f"{path.stem}.parquet"
    named.write_bytes(rng.choice([data, data, data[: rng.randrange(len(data))]]))
    (folder / "dataset.toml").write_text(TOML.replace(path.name, named.name))


def no_regular_file(rng: random.Random, folder: Path) -> None:
    """Put something else where a file should be."""
    path = _file(rng, folder)
    content = path.read_bytes()
    path.unlink()
    what = rng.choice(["nothing", "folder", "loop", "dangling", "null", "link"])
    if what == "folder":
        path.mkdir()
    elif what == "link":
        (folder / "real").write_bytes(content)
        path.symlink_to(folder / "real")
    elif what != "nothing":
        targets = {"loop": path, "dangling": folder / "gone", "null": Path("/dev/null")}
        path.symlink_to(targets[what])


def toml_values(rng: random.Random, folder: Path) -> None:
    """Give a field of the TOML another value."""
    lines = TOML.splitlines()
    fields = [number for number, line in enumerate(lines) if "=" in line]
    values = [
        "1", "1.5", "true", "[]", '""', "[1]", "{}", "2026-01-01", '"?"', '["a", "a"]', "nan",
        '"/"',
        '"*.csv"', '["plays.csv", "tracks.csv"]', '"' + "x" * 5000 + '"', '"\\u0000"',
    ]  # fmt: skip
    for _ in range(rng.choice([1, 2])):
        at = rng.choice(fields)
        lines[at] = f"{lines[at].split('=')[0]}= {rng.choice(values)}"
    (folder / "dataset.toml").write_text("\n".join(lines))


def toml_text(rng: random.Random, folder: Path) -> None:
    """Damage the TOML as text."""
    data = bytearray(TOML.encode())
    for _ in range(rng.choice([1, 3, 20])):
        at = rng.randrange(len(data))
        data[at : at + rng.choice([0, 1, 10])] = rng.choice(
            [b"", b"[", b"]", b"=", b'"', b"\n", b"\xff", b"\0", b"[[a]]\n", b"zzz = 1\n"]
        )
    (folder / "dataset.toml").write_bytes(bytes(data))


def toml_fields(rng: random.Random, folder: Path) -> None:
    """Drop, repeat or misspell lines of the TOML."""
    lines = TOML.splitlines()
    at = rng.randrange(len(lines))
    changed = rng.choice(
        [
            lines[:at] + lines[at + 1 :],
            [*lines, lines[at]],
            [*lines[:at], lines[at].replace("t", "d", 1), *lines[at + 1 :]],
            lines[:at],
            [
                *lines,
                "",
                f"[{rng.choice(['feedback', 'experiments', 'x', 'tracks.tags'])}]",
                "a = 1",
            ],
        ]
    )
    (folder / "dataset.toml").write_text("\n".join(changed))


ON_FILES: tuple[Damage, ...] = (
    flipped_bytes, cut_short, noise, nasty_cells, other_header, only_bad_rows, other_encoding,
    compressed, parquet, no_regular_file, toml_values, toml_text, toml_fields,
)  # fmt: skip


def _ingest(damage: Damage, rng: random.Random, folder: Path) -> None:
    """Damage a valid dataset and read it as a run does."""
    write_valid(folder)
    damage(rng, folder)
    ingest_stage(folder / "lake", DatasetSpec.from_toml(folder / "dataset.toml"))


def _settings(rng: random.Random, folder: Path) -> None:
    """Load a damaged crossfade.toml, as every command does."""
    here = Path.cwd()
    names = [
        "home", "tracks", "holdout", "workers", "memory_limit", "alerts", "collaborative.ridge",
        "ingest.reject_share", "experiments", "feedback.exposures.path", "colour",
    ]  # fmt: skip
    values = [
        "1", "-1", "true", '"x"', "[1]", "{}", "1e999", "nan", '"\\u0000"', '"?"', "2026-01-01",
    ]  # fmt: skip
    lines = [f"{rng.choice(names)} = {rng.choice(values)}" for _ in range(rng.choice([1, 2, 5]))]
    (folder / "crossfade.toml").write_text("\n".join(lines))
    os.chdir(folder)
    try:
        load_settings().spec()
    finally:
        os.chdir(here)


def _ids(rng: random.Random, home: Home) -> None:
    """Ask the current release about an id that is not there, or roll back to one."""
    text = rng.choice(NASTY) + rng.choice(["", rng.choice(NASTY)])
    kind = rng.choice(["recommend_user", "similar_to", "recommend_tracks", "search", "rollback"])
    if kind == "rollback":
        rollback(home, text)
        return
    with Reader(home.current) as reader:
        if kind == "search":
            reader.rows("FROM search_tracks(?)", [text[:200]])
        else:
            argument = [text, text] if kind == "recommend_tracks" else text
            numbers = [rng.choice([None, 5, 0, -1, 10**6]), rng.choice([None, 0.5, -9.0, 1e300])]
            reader.rows(f"FROM {kind}(?, k := ?, weight := ?)", [argument, *numbers])


def _name(damage: Damage) -> str:
    name = damage.__name__
    part = "toml" if name.startswith("toml_") else "file"
    return f"{part}: {name.removeprefix('toml_').replace('_', ' ')}"


def run_case(number: int, seed: int, home: Home | None) -> Result:
    """Run one case; ``home`` has a release to ask for ids, without it there are no such cases."""
    rng = random.Random(f"{seed}-{number}")
    kinds: dict[str, Callable[[Path], None]] = {
        _name(damage): partial(_ingest, damage, rng) for damage in ON_FILES
    }
    kinds["settings: values"] = partial(_settings, rng)
    if home is not None:
        kinds["ids: unknown"] = lambda _: _ids(rng, home)
    kind = sorted(kinds)[number % len(kinds)]
    started, status, said, wrong = time.perf_counter(), 0, "", ""
    folder = Path(tempfile.mkdtemp(prefix="crossfade-bad-"))
    try:
        with _limited():
            kinds[kind](folder)
    except CrossfadeError as error:
        status, said = error.exit_status, one_line(str(error))
        if not said or len(said) > LONGEST + 2 or "Traceback" in said:
            wrong = "no sentence"
    except BaseException as error:  # TooSlowError too
        status, said, wrong = 1, f"{type(error).__name__}: {error}", "no sentence of ours"
        if isinstance(error, KeyboardInterrupt):
            raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return Result(kind, status, said, time.perf_counter() - started, wrong)


@contextmanager
def _limited() -> Iterator[None]:
    def stop(*_: object) -> None:
        raise TooSlowError(f"more than {SECONDS:g} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def run_all(cases: int, seed: int, home: Home | None = None) -> list[Result]:
    """Run the cases one after the other in this process."""
    return [run_case(number, seed, home) for number in range(cases)]


def table(results: list[Result]) -> str:
    """Return a Markdown table: kind, cases, by exit status, the slowest."""
    lines = ["| kind | cases | used (0) | failed (1) | refused (2) | slowest, s |"]
    lines.append("|---|---:|---:|---:|---:|---:|")
    for kind in sorted({result.kind for result in results}):
        of_kind = [result for result in results if result.kind == kind]
        by = Counter(result.status for result in of_kind)
        slowest = max(result.seconds for result in of_kind)
        lines.append(f"| {kind} | {len(of_kind)} | {by[0]} | {by[1]} | {by[2]} | {slowest:.2f} |")
    return "\n".join(lines)


def peak_memory() -> int:
    """Return the most bytes this process has had resident."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    """Run the cases, print the table and what went wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.bad_inputs")
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--home", type=Path, help="home with a release, for ids")
    given = parser.parse_args()
    results = run_all(given.cases, given.seed, None if given.home is None else Home(given.home))
    print(table(results))
    print(f"{len(results)} cases, peak memory {peak_memory() / 1e6:.0f} MB")
    wrong = [result for result in results if result.wrong]
    for result in wrong:
        print(f"{result.kind}: {result.wrong}: {result.said[:300]}")
    sys.exit(bool(wrong) or peak_memory() > MOST_MEMORY)


if __name__ == "__main__":
    main()
