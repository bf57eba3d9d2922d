"""`crossfade forget` on a whole home: nothing names them afterwards, whenever it was killed."""

import json
import os
import re
import shutil
import sqlite3
from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

import flows.forgetting as forgetting
from flows.forgetting import begin_forgetting, finish_forgetting
from tasks.sample.ownership import RECORD
from tests.conftest import CommandLine, Published, Sample
from tests.flows.homes import copied
from warehouse.files import file_digest
from warehouse.releases.home import Home
from warehouse.releases.pending import read_pending
from warehouse.releases.pointer import current_release
from warehouse.releases.reader import Reader
from warehouse.releases.release import list_releases, verify

PLACES = ("user_recommendations", "users", "listens")


def some_listeners(home: Home, n: int) -> list[str]:
    """Return listeners all over the table: first and last, and held-out ones."""
    release = current_release(home)
    assert release is not None
    with Reader(home.current) as reader:
        ids = [row["user_id"] for row in reader.rows("SELECT user_id FROM users ORDER BY user_id")]
    measured = pq.read_table(release.folder / "measured_listeners.parquet")["user_id"].to_pylist()
    return sorted({*ids[:: len(ids) // n][:n], ids[-1], *measured[:3]})


def own(published: Published, folder: Path) -> tuple[CommandLine, Home]:
    """Copy the published home, with a second release and traces in a PREFECT_HOME of its own."""
    crossfade = copied(published, folder)
    home = Home(folder / "home")
    environment = {**crossfade.environment, "PREFECT_HOME": str(home.path / "prefect")}
    return CommandLine(crossfade.cwd, environment), home


def leave_traces(home: Home, listener: str, sample: Sample) -> None:
    """Write a listener wherever a run may leave one."""
    prefect = home.path / "prefect"
    prefect.mkdir(exist_ok=True)
    with closing(sqlite3.connect(prefect / "prefect.db")) as con:
        con.execute("PRAGMA journal_mode = WAL")
        con.execute("CREATE TABLE log (id CHAR(36) PRIMARY KEY, message VARCHAR)")
        con.execute("CREATE TABLE artifact (id CHAR(36) PRIMARY KEY, data JSON)")
        page = json.dumps(f"`FROM recommend_user('{listener}');`")
        con.execute("INSERT INTO artifact VALUES ('1', ?)", [page])
        for n in range(200):
            con.execute("INSERT INTO log VALUES (?, ?)", [str(n), f"listener {listener}, {n}"])
        con.execute("DELETE FROM log WHERE id LIKE '1%'")
        con.commit()
    (prefect / "worker.log").write_text(f"12:00 listener {listener} with 9 tracks\n12:01 done\n")
    (home.path / "warehouse" / "building").mkdir(exist_ok=True)
    (home.path / "warehouse" / "building" / "half.txt").write_text(listener)
    folder = home.path / "sample"
    folder.mkdir()
    digests = {}
    for file in (sample.tracks, sample.plays):
        shutil.copyfile(file, folder / file.name)
        digests[file.name] = [file_digest(file)]
    (folder / RECORD).write_text(json.dumps(digests))
    parts = home.lake / "ingest" / "cut-off" / "parts"
    parts.mkdir(parents=True)
    (parts / "records.parquet").write_text(listener)


def texts_of(path: Path) -> Iterator[str]:
    """Yield everything that a file says once it is decoded."""
    data = path.read_bytes()
    yield data.decode("latin-1")
    if path.suffix == ".parquet" and data[:4] == b"PAR1":
        for batch in pq.ParquetFile(path).iter_batches():
            yield from (str(column.to_pylist()) for column in batch.columns)
    elif path.suffix == ".duckdb":
        with duckdb.connect(str(path), read_only=True) as connection:
            tables = connection.execute(
                "SELECT schema_name || '.' || table_name FROM duckdb_tables()"
            ).fetchall()
            for (table,) in tables:
                yield str(connection.execute(f"FROM {table}").fetchall())
            for name in ("duckdb_views", "duckdb_functions", "duckdb_columns"):
                yield str(connection.execute(f"FROM {name}()").fetchall())
            for (table,) in tables:
                yield str(connection.execute(f"FROM pragma_storage_info('{table}')").fetchall())
    elif data[:15] == b"SQLite format 3":
        with closing(sqlite3.connect(path)) as con:
            yield from con.iterdump()


def assert_nowhere(home: Path, listeners: Collection[str]) -> None:
    """Assert that no file of a home names a listener, in its bytes or decoded."""
    named = re.compile("|".join(map(re.escape, listeners)))
    for path in sorted(home.rglob("*")):
        if path.is_file() and not path.is_symlink() and "numba" not in path.parts:
            for text in texts_of(path):
                found = named.search(text)
                assert found is None, f"{path}: {text[max(0, found.start() - 60) : found.end()]}"


@pytest.mark.timeout(1200)
def test_nothing_names_them_and_the_next_run_goes_on_without_them(
    published: Published, sample: Sample, tmp_path: Path
) -> None:
    crossfade, home = own(published, tmp_path)
    gone = some_listeners(home, 20)
    leave_traces(home, gone[0], sample)
    with Reader(home.current) as reader:
        before = {name: reader.rows(f"SELECT count(*) AS n FROM {name}")[0]["n"] for name in PLACES}
        others = reader.query("FROM user_recommendations ORDER BY user_id, rank").to_pylist()
    release_id = home.current.readlink().parent.name
    (tmp_path / "ids.txt").write_bytes(
        b"\xef\xbb\xbf" + "\r\n".join([*gone, "", gone[0], "stranger-of-tomorrow"]).encode()
    )
    done = crossfade.here("forget", "--file", tmp_path / "ids.txt")
    assert done.exit_code == 0, done.output
    said = f"{len(gone) + 1} listeners are forgotten: {len(gone)} were known here, 1 were not"
    assert said in done.output
    assert "1 releases rebuilt" in done.output
    assert_nowhere(home.path, [*gone, "stranger-of-tomorrow"])
    assert home.current.readlink().parent.name == release_id
    with Reader(home.current) as reader:
        after = {name: reader.rows(f"SELECT count(*) AS n FROM {name}")[0]["n"] for name in PLACES}
        kept = reader.query("FROM user_recommendations ORDER BY user_id, rank").to_pylist()
    assert after["users"] == before["users"] - len(gone)
    assert kept == [row for row in others if row["user_id"] not in gone]
    for line in (home.path / "prefect" / "worker.log").read_text().splitlines():
        assert re.fullmatch(r"12:0\d (listener x+ with 9 tracks|done)", line)
    assert "revision 1" in crossfade.here("releases").output

    again = crossfade("run", *sample.flags, timeout=500)
    assert again.returncode == 0, again.stderr
    assert home.current.readlink().parent.name > release_id
    assert_nowhere(home.path, [*gone, "stranger-of-tomorrow"])
    with Reader(home.current) as reader:
        assert reader.rows("SELECT count(*) AS n FROM users")[0]["n"] == after["users"]
        ((check),) = reader.rows("FROM data_quality WHERE check_name = 'forgotten_listeners'")
        assert check["observed"] > 0


STEPS = (
    "write_pending", "remember", "clear_leftovers", "forget_in_release", "forget_in_lake",
    "forget_in_samples", "forget_traces", "end_pending",
)  # fmt: skip
"""What a `crossfade forget` does, in this order."""


class Dead(BaseException):
    """The process has died."""


@pytest.mark.timeout(1200)
def test_it_may_die_at_every_step(
    published: Published, sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, whole = own(published, tmp_path / "whole")
    gone = some_listeners(whole, 3)
    monkeypatch.setenv("PREFECT_HOME", str(whole.path / "prefect"))
    leave_traces(whole, gone[0], sample)
    steps = [(name, "before") for name in STEPS]
    for name, when in [*steps, ("forget_in_release", "after"), ("forget_in_lake", "after")]:
        folder = tmp_path / f"{name}-{when}"
        shutil.copytree(whole.path, folder / "home", symlinks=True, copy_function=os.link)
        home = Home(folder / "home")
        _unlinked(home)
        monkeypatch.setenv("PREFECT_HOME", str(home.path / "prefect"))
        with monkeypatch.context() as patch:
            patch.setattr(forgetting, name, _dying(getattr(forgetting, name), when))
            with pytest.raises(Dead):
                _forget(home, gone)
        release = current_release(home)
        assert release is not None
        verify(release)
        if name == "write_pending":  # nothing had begun
            _forget(home, gone)
        else:
            finish_forgetting(home, "500MB")
        assert read_pending(home) is None
        assert all(release.manifest.revision == 1 for release in list_releases(home))
        if when == "after":
            assert_nowhere(home.path, gone)
        shutil.rmtree(folder)


def _forget(home: Home, gone: Collection[str]) -> None:
    begin_forgetting(home, gone)
    finish_forgetting(home, "500MB")


def _unlinked(home: Home) -> None:
    """Give a home files of its own for what is changed in place."""
    for file in [*(home.path / "prefect").rglob("*"), *home.path.glob("*.lock")]:
        if file.is_file():
            shutil.copyfile(file, file.with_suffix(".own"))
            file.with_suffix(".own").replace(file)


def _dying(step: Callable[..., Any], when: str) -> Callable[..., Any]:
    def dies(*arguments: Any) -> None:
        if when == "after":
            step(*arguments)
        raise Dead

    return dies


def test_bad_input_is_one_sentence(published: Published, tmp_path: Path) -> None:
    crossfade, home = own(published, tmp_path)
    before = home.current.readlink()
    done = crossfade.here("forget", "--file", tmp_path)
    assert done.exit_code == 2
    assert "is a folder" in done.output
    with home.locked("run", "test"):
        (tmp_path / "ids.txt").write_text("somebody\n")
        done = crossfade.here("forget", "--file", tmp_path / "ids.txt")
    assert done.exit_code == 1
    assert "another process is at work" in done.output
    assert home.current.readlink() == before
    assert not home.forgotten.exists()
