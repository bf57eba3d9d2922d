"""The reader follows the pointer, is locked down, and is never disturbed by a publish."""

import multiprocessing
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.warehouse.publishing import ANSWER, MARKS, built, processes, publish, release_id
from warehouse.build.writer import BuildInput
from warehouse.errors import BusyReleaseError, UnknownReleaseError
from warehouse.releases import spill
from warehouse.releases.home import Home
from warehouse.releases.pointer import make_current, rollback
from warehouse.releases.reader import Reader
from warehouse.releases.release import adopt, list_releases
from warehouse.releases.retention import prune


def _release(reader: Reader) -> str:
    return str(reader.rows("SELECT release_id FROM release")[0]["release_id"])


def test_it_follows_the_pointer(home: Home, given: BuildInput) -> None:
    publish(home, given, 0)
    with Reader(home.current) as reader:
        assert _release(reader) == release_id(0)
        connection = reader.connection()
        assert reader.connection() is connection
        publish(home, given, 1)
        assert _release(reader) == release_id(1)
        rollback(home)
        assert _release(reader) == release_id(0)


def test_a_pruned_release_answers_until_the_next_query(home: Home, given: BuildInput) -> None:
    publish(home, given, 0)
    with Reader(home.current) as reader:
        connection = reader.connection()
        publish(home, given, 1)
        prune(home, 1)
        assert connection.execute(ANSWER).fetchall()[0][0] == release_id(0)
        assert _release(reader) == release_id(1)


def test_it_does_not_hold_a_writer_off(home: Home, given: BuildInput) -> None:
    release = publish(home, given, 0)
    with Reader(home.current) as reader:
        assert _release(reader)
        assert not os.access(release.database.with_name("crossfade.duckdb.wal"), os.F_OK)
        assert publish(home, given, 1)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine AS SELECT 1 AS one",
        "DROP VIEW tracks",
        "INSERT INTO store.evaluation (model) VALUES ('x')",
        "SET enable_external_access = true",
        "SET threads = 7",
        "FROM read_csv('/etc/passwd')",
        "FROM read_text('/etc/hostname')",
        "COPY (SELECT 1) TO '/tmp/crossfade-must-not-be-there.csv'",
        "ATTACH '/tmp/crossfade-must-not-be-there.duckdb' AS other",
        "INSTALL httpfs",
    ],
)
def test_nothing_can_be_changed_or_reached(
    home: Home, three_published: Home, statement: str
) -> None:
    shutil.copytree(three_published.path, home.path, symlinks=True)
    with Reader(home.current) as reader, pytest.raises(duckdb.Error):
        reader.connection().execute(statement)
    assert not list(Path("/tmp").glob("crossfade-must-not-be-there*"))


def test_parameters_are_bound_and_threads_can_be_limited(three_published: Home) -> None:
    with Reader(three_published.current, threads=1) as reader:
        assert reader.query("SELECT current_setting('threads') AS n").to_pylist() == [{"n": 1}]
        assert reader.rows("SELECT ? AS x", ["it's; DROP"]) == [{"x": "it's; DROP"}]


def test_nothing_published_is_said_in_one_sentence(home: Home) -> None:
    with Reader(home.current) as reader, pytest.raises(UnknownReleaseError, match="crossfade run"):
        reader.query("FROM release")


def _cut(file: Path) -> None:
    os.truncate(file, file.stat().st_size - 4096)


def _foreign(file: Path) -> None:
    size = file.stat().st_size
    file.unlink()
    with duckdb.connect(str(file)) as connection:
        connection.execute("CREATE TABLE something AS SELECT 1 AS one")
    os.truncate(file, size)


def _text(file: Path) -> None:
    file.write_text("track_id,name\n".ljust(file.stat().st_size))


@pytest.mark.parametrize("damage", [_cut, _foreign, _text, Path.unlink])
def test_a_torn_or_foreign_file_is_never_served(
    home: Home, three_published: Home, damage: Callable[[Path], None]
) -> None:
    shutil.copytree(three_published.path, home.path, symlinks=True)
    damage(home.current.resolve())
    with Reader(home.current) as reader, pytest.raises(UnknownReleaseError):
        reader.query("FROM release")


def test_a_copied_file_is_read_on_its_own(three_published: Home, tmp_path: Path) -> None:
    copy = tmp_path / "somewhere.duckdb"
    shutil.copy(three_published.current, copy)
    with Reader(copy) as reader:
        assert _release(reader) == release_id(2)


@dataclass
class Moves:
    """The pointer's moves, shared by processes: which release, how many begun, how many done."""

    to: Any
    begun: Any
    done: Any
    stop: Any
    ready: Any
    """A barrier that the readers pass once they have started."""

    def move(self, number: int, act: Callable[[], object]) -> None:
        """Note a move to release ``number`` before and after it happens."""
        self.to[self.begun.value] = number
        self.begun.value += 1
        act()
        self.done.value += 1


def _read(pointer: Path, moves: Moves, told: "multiprocessing.Queue[tuple[int, int, str]]") -> None:
    """Query until told to stop; every answer must be that of a release current at the time."""
    queries = reopened = 0
    trouble = last = ""
    with Reader(pointer, threads=1) as reader:
        moves.ready.wait(300)
        while not moves.stop.is_set() and not trouble:
            before = moves.done.value
            try:
                (row,) = reader.rows(ANSWER)
            except Exception as error:
                trouble = repr(error)
                break
            after = moves.begun.value
            current = {release_id(number) for number in moves.to[max(0, before - 1) : after]}
            if row["release_id"] not in current:
                trouble = f"{row['release_id']} answered while one of {current} was current"
            if not row["marked"] == row["marks"] == MARKS or row["recommended"] != 5:
                trouble = f"mixed or partial: {row}"
            queries += 1
            reopened += row["release_id"] != last
            last = row["release_id"]
    told.put((queries, reopened, trouble))


def _storm(home: Home, given: BuildInput, readers: int, publishes: int, rest: float) -> None:
    context = processes()
    moves = Moves(
        context.Array("i", 3 * publishes + 1), context.Value("i"), context.Value("i"),
        context.Event(), context.Barrier(readers + 1),
    )  # fmt: skip
    told = context.Queue()
    moves.move(0, lambda: publish(home, given, 0))
    # beforehand: beside a crowd that leaves no processor idle, each build takes seconds
    candidates = [built(home, given, number) for number in range(1, publishes + 1)]
    crowd = [
        context.Process(target=_read, args=(home.current, moves, told)) for _ in range(readers)
    ]
    for process in crowd:
        process.start()
    moves.ready.wait(300)
    for number, candidate in enumerate(candidates, 1):
        release = adopt(home, *candidate)
        moves.move(number, lambda release=release: make_current(home, release))  # type: ignore[misc]
        if number % 3 == 0:
            earlier = list_releases(home)[-2].manifest.release_id
            moves.move(number - 1, lambda earlier=earlier: rollback(home, earlier))  # type: ignore[misc]
            moves.move(number, lambda release=release: make_current(home, release))  # type: ignore[misc]
        prune(home, 2)
        time.sleep(rest)
    moves.stop.set()
    reports = [told.get(timeout=120) for _ in crowd]
    for process in crowd:
        process.join(60)
    assert [trouble for _, _, trouble in reports if trouble] == []
    assert all(queries > 0 and reopened > 0 for queries, reopened, _ in reports)
    print(f"queries {sum(r[0] for r in reports)}, reopened {sum(r[1] for r in reports)}")


def test_readers_are_never_disturbed_by_publishing(home: Home, given: BuildInput) -> None:
    _storm(home, given, readers=2, publishes=6, rest=0.5)


@pytest.mark.slow
def test_eight_readers_are_never_disturbed_by_fifty_publishes(
    home: Home, given: BuildInput
) -> None:
    _storm(home, given, readers=8, publishes=50, rest=0.5)


def test_it_spills_into_a_bounded_folder_of_its_own(home: Home, given: BuildInput) -> None:
    release = publish(home, given, 0)
    before = sorted(path.name for path in release.folder.rglob("*"))
    with Reader(home.current, threads=1, memory_limit="30MB") as reader:
        settings = "SELECT current_setting('temp_directory'), current_setting(?)"
        folder, most = reader.connection().execute(
            settings, ["max_temp_directory_size"]
        ).fetchall()[0]  # fmt: skip
        assert release.folder not in Path(folder).parents
        assert Path(folder).parent.stat().st_mode & 0o777 == 0o700
        assert most.startswith("3.7 GiB")
        # Sorting more than the memory limit spills.
        spilling = reader.connection().execute("FROM range(8_000_000) ORDER BY hash(range)")
        assert spilling.fetchone()
        assert list(Path(folder).iterdir())
        assert sorted(path.name for path in release.folder.rglob("*")) == before
    assert not Path(folder).exists()


def test_spills_of_dead_processes_go(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(spill, "_folders", {})
    kept = tmp_path / f"crossfade-{os.getppid()}-other"
    gone = tmp_path / "crossfade-4194303-old"
    foreign = tmp_path / "crossfade-notes"
    for folder in (kept, gone, foreign):
        folder.mkdir()
    ours = Path(str(spill.spill_config()["temp_directory"])).parent
    assert sorted(tmp_path.iterdir()) == sorted([kept, foreign, ours])


def test_a_release_that_is_open_for_writing_is_named_as_that(home: Home, given: BuildInput) -> None:
    release = publish(home, given, 0)
    writer = (
        "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print('open', flush=True); input()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", writer, release.database],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"open\n"
        with (
            Reader(home.current) as reader,
            pytest.raises(BusyReleaseError, match=f"writing elsewhere .*process {process.pid}"),
        ):
            reader.connection()
    finally:
        process.kill()
        process.communicate()
