"""Adding files to an earlier ingest gives what reading all of them gives, to the last byte."""

import random
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from duckdb import DuckDBPyConnection

from tasks.dataset.spec import DatasetSpec
from tasks.forgetting.remember import remember
from tasks.ingest.files import OpenedFile
from tasks.ingest.history import History, open_history
from tasks.ingest.limits import IngestLimits
from tasks.ingest.stage import ingest_stage
from tasks.lake.record import StageResult
from warehouse.errors import InputError
from warehouse.releases.home import Home

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SECOND = int(NOW.timestamp())
LIMITS = IngestLimits(unknown_stop=1.0)


class Product:
    """A catalogue and a history in files that change from day to day."""

    def __init__(self, folder: Path, seed: int, timed: bool) -> None:
        self.rng, self.timed = random.Random(seed), timed
        self.tracks, self.plays = folder / "tracks.csv", folder / "plays"
        self.plays.mkdir(parents=True)
        self.ids = [f"t{x:02}" for x in range(20)]
        self.listeners = [f"u{x:03}é" if x % 7 else f"{x}" for x in range(40)]
        self.write_catalogue()

    def write_catalogue(self) -> None:
        """Write the catalogue, with a bad row."""
        rows = "".join(f"{one},Song {one}\n" for one in self.ids)
        self.tracks.write_text(f"id,name\n{rows}{self.ids[0]},again\n")

    def rows(self, count: int) -> str:
        """Return rows of the history, some of them bad or of unknown tracks."""
        lines = []
        for _ in range(count):
            track = self.rng.choice([*self.ids, "unknown", "t99"])
            plays = self.rng.choice(["1", "2", "3", "1", "2.5", "none", "-1"])
            at = self.rng.choice([str(SECOND - self.rng.randrange(10**7)), "", "x", "9999999999"])
            who = self.rng.choice([*self.listeners, " ", f"new {self.rng.randrange(999)}"])
            lines.append(f"{track},{who},{plays}" + (f",{at}" if self.timed else ""))
        return "\n".join(lines) + "\n"

    def write(self, name: str, count: int = 30) -> None:
        """Write a file of the history."""
        head = "track,user,plays" + (",at" if self.timed else "") + "\n"
        (self.plays / name).write_text(head + self.rows(count))

    def spec(self) -> DatasetSpec:
        """Return the dataset of these files."""
        plays = {"path": (str(self.plays),), "user": "user", "track": "track", "count": "plays"}
        tracks = {"path": (str(self.tracks),), "id": "id", "title": "name"}
        plays |= {"at": "at"} if self.timed else {}
        return DatasetSpec.model_validate({"name": "set", "tracks": tracks, "plays": plays})

    def ingest(self, lake: Path, earlier: StageResult | None = None) -> StageResult:
        """Read the files as they are now."""
        limits = LIMITS.model_copy(update={"reject_share": 1.0})
        return ingest_stage(lake, self.spec(), limits, now=NOW, earlier=earlier)


def assert_same(one: StageResult, other: StageResult) -> None:
    """Both have the same tables, byte for byte, and the same counts."""
    for name in other.datasets:
        assert one[name].read().equals(other[name].read()), name
        assert one[name].digest == other[name].digest, name
    assert one.counts == other.counts
    assert (one.key, one.inputs) == (other.key, other.inputs)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the number of files of the history that each reading has opened."""
    opened: list[int] = []

    def counted(con: DuckDBPyConnection, files: list[OpenedFile], *others: Any) -> History:
        opened.append(len(files))
        return open_history(con, files, *others)

    monkeypatch.setattr("tasks.ingest.stage.open_history", counted)
    return opened


@pytest.mark.parametrize("timed", [False, True])
def test_days_in_a_row_equal_reading_everything(
    tmp_path: Path, read: list[int], timed: bool
) -> None:
    product = Product(tmp_path, 0, timed)
    product.write("day-000.csv", 400)
    product.write("day-000-late.csv")
    before = product.ingest(tmp_path / "lake")
    kinds = ["new", "two", "late", "empty", "new track", "unknown track", "grown", "deleted",
             "removed track", "empty"]  # fmt: skip
    product.rng.shuffle(kinds)
    for day, kind in enumerate(kinds, 1):
        files = sorted(product.plays.glob("day-*.csv"))
        if kind in ("new", "two", "new track", "unknown track"):
            product.write(f"day-{day:03}.csv")
        if kind == "two":
            product.write(f"day-{day:03}-b.csv")
        if kind == "late":
            product.write(f"day-000-late-{day}.csv")
        if kind == "empty":
            (product.plays / f"empty-{day}.csv").touch()
        if kind == "new track":
            product.ids.insert(3, f"t02-{day}")
        if kind == "unknown track":
            product.ids.append("unknown")
        if kind == "grown":
            with files[-1].open("a") as file:
                file.write(product.rows(5))
        if kind == "deleted" and len(files) > 2:
            files[-1].unlink()
        if kind == "removed track":
            product.ids.remove("t10")
        product.write_catalogue()
        read.clear()
        now = product.ingest(tmp_path / "lake", before)
        whole = len([file for file in product.plays.iterdir() if file.stat().st_size])
        some = {"new": [1], "late": [1], "new track": [1], "two": [2], "empty": []}
        assert read == some.get(kind, read)
        if kind in ("grown", "removed track", "unknown track"):
            assert read[-1:] == [whole]
        assert_same(now, product.ingest(tmp_path / f"other-{day}"))
        before = now


def test_a_sum_that_one_row_makes_too_large_stays_the_largest(tmp_path: Path) -> None:
    product = Product(tmp_path, 0, timed=False)
    head = "track,user,plays\n"
    (product.plays / "a.csv").write_text(head + "t01,ann,1000000\n" * 3000)
    before = product.ingest(tmp_path / "lake")
    (product.plays / "b.csv").write_text(head + "t01,ann,5\nt02,bob,5\n")
    now = product.ingest(tmp_path / "lake", before)
    assert_same(now, product.ingest(tmp_path / "other"))
    assert now["interactions"].read()["plays"].to_pylist() == [2**31 - 1, 5]


def test_what_was_of_the_future_is_read_again_when_it_has_come(
    tmp_path: Path, read: list[int]
) -> None:
    product = Product(tmp_path, 1, timed=True)
    (product.plays / "a.csv").write_text(
        f"track,user,plays,at\nt01,ann,1,{SECOND + 200_000}\nt01,ann,1,{SECOND}\n"
    )
    before = product.ingest(tmp_path / "lake")
    assert before.counts["rejected_plays"] == 1
    product.write("b.csv")
    later = datetime.fromtimestamp(SECOND + 400_000, UTC)
    limits = LIMITS.model_copy(update={"reject_share": 1.0})
    read.clear()
    now = ingest_stage(tmp_path / "lake", product.spec(), limits, now=later, earlier=before)
    assert read == [2]
    assert_same(now, ingest_stage(tmp_path / "other", product.spec(), limits, now=later))


def test_other_settings_or_a_forgotten_listener_mean_reading_everything(
    tmp_path: Path, read: list[int]
) -> None:
    product = Product(tmp_path / "in", 2, timed=False)
    product.write("a.csv")
    home = Home(tmp_path / "home")
    before = product.ingest(home.lake)
    product.write("b.csv")
    remember(home, [product.listeners[1], product.listeners[2]])
    read.clear()
    now = product.ingest(home.lake, before)
    assert read == [2]
    gone = now["users"].read()["user_id"].to_pylist()
    assert not {product.listeners[1], product.listeners[2]} & set(gone)
    product.write("c.csv", 60)
    read.clear()
    added = product.ingest(home.lake, now)
    assert read == [1]
    other = Home(tmp_path / "other")
    shutil.copytree(home.path / "forgotten", other.path / "forgotten")
    assert_same(added, product.ingest(other.lake))
    limits = LIMITS.model_copy(update={"reject_share": 1.0, "max_plays": 2})
    read.clear()
    ingest_stage(home.lake, product.spec(), limits, now=NOW, earlier=added)
    assert read == [3]


def test_a_file_that_cannot_be_read_says_what_reading_everything_says(tmp_path: Path) -> None:
    product = Product(tmp_path, 3, timed=False)
    product.write("a.csv")
    before = product.ingest(tmp_path / "lake")
    (product.plays / "b.csv").write_bytes((product.plays / "a.csv").read_bytes())
    with pytest.raises(InputError, match="have the same content"):
        product.ingest(tmp_path / "lake", before)
    (product.plays / "b.csv").write_text("track,who\nt01,ann\n")
    with pytest.raises(InputError, match="user"):
        product.ingest(tmp_path / "lake", before)


def test_a_history_that_becomes_too_long_is_set_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.ingest.added.LONGEST_HISTORY", 5)
    monkeypatch.setattr("tasks.ingest.long_histories.set_long_aside.__defaults__", (5,))
    product = Product(tmp_path, 4, timed=False)
    head = "track,user,plays\n"
    (product.plays / "a.csv").write_text(
        head + "".join(f"t{x:02},{who},1\n" for x in range(4) for who in ("ann", "bob"))
    )
    before = product.ingest(tmp_path / "lake")
    (product.plays / "b.csv").write_text(head + "".join(f"t{x:02},ann,1\n" for x in range(3, 8)))
    now = product.ingest(tmp_path / "lake", before)
    assert now.counts["long_histories"] == 1
    assert now["users"].read()["user_id"].to_pylist() == ["bob"]
    assert_same(now, product.ingest(tmp_path / "other"))
    # and it stays so with the next file
    (product.plays / "c.csv").write_text(head + "t09,bob,1\n")
    assert_same(product.ingest(tmp_path / "lake", now), product.ingest(tmp_path / "third"))


def test_files_are_named_with_what_was_read_of_them(tmp_path: Path) -> None:
    product = Product(tmp_path, 5, timed=False)
    (product.plays / "a.csv").write_text("track,user,plays\nt01,ann,1\nt01,bob,none\n")
    (product.plays / "b.csv").touch()
    found = product.ingest(tmp_path / "lake")
    rows = pa.Table.to_pylist(found["sources"].read().drop(["digest"]))
    assert rows == [
        {"kind": "catalogue", "file": "tracks.csv", "records": 0, "reasons": "{}"},
        {"kind": "history", "file": "a.csv", "records": 2, "reasons": '{"count_not_a_number": 1}'},
        {"kind": "history", "file": "b.csv", "records": 0, "reasons": "{}"},
    ]
