"""The prepared database: copied where there is none, and one that Prefect takes as its own."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from flows.server import database


@pytest.fixture
def prepared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for what `make install` prepares."""
    monkeypatch.setattr(database, "PREPARED", tmp_path / "prepared")
    file = database.prepared()
    file.parent.mkdir()
    file.write_bytes(b"prepared")
    return file


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home of Prefect without a database."""
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def test_a_home_without_a_database_gets_a_copy(prepared: Path, home: Path) -> None:
    database.provide(home, {})
    assert [path.name for path in home.iterdir()] == [database.FILE]
    assert (home / database.FILE).read_bytes() == prepared.read_bytes()


def test_a_database_that_is_there_stays(prepared: Path, home: Path) -> None:
    assert prepared.exists()
    (home / database.FILE).write_bytes(b"of earlier runs")
    database.provide(home, {})
    assert (home / database.FILE).read_bytes() == b"of earlier runs"


def test_a_database_that_another_process_makes_meanwhile_stays(
    prepared: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert prepared.exists()
    copy = shutil.copyfile

    def copy_while_another_makes_one(source: Path, target: Path) -> None:
        copy(source, target)
        (home / database.FILE).write_bytes(b"of a server that runs")

    monkeypatch.setattr(shutil, "copyfile", copy_while_another_makes_one)
    database.provide(home, {})
    assert [path.name for path in home.iterdir()] == [database.FILE]
    assert (home / database.FILE).read_bytes() == b"of a server that runs"


@pytest.mark.parametrize("left", ["-wal", "-journal"])
def test_the_log_of_a_lost_database_is_not_applied_to_a_copy(
    prepared: Path, home: Path, left: str
) -> None:
    assert prepared.exists()
    (home / (database.FILE + left)).write_bytes(b"log")
    database.provide(home, {})
    assert not (home / database.FILE).exists()


@pytest.mark.parametrize(
    "name", ["PREFECT_SERVER_DATABASE_CONNECTION_URL", "PREFECT_API_DATABASE_CONNECTION_URL"]
)
def test_a_database_elsewhere_is_left_to_prefect(prepared: Path, home: Path, name: str) -> None:
    assert prepared.exists()
    database.provide(home, {name: "postgresql+asyncpg://db/prefect"})
    assert list(home.iterdir()) == []


def test_without_a_prepared_one_prefect_makes_it(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "PREPARED", tmp_path / "nothing")
    database.provide(home, {})
    assert list(home.iterdir()) == []


@pytest.mark.skipif(not database.prepared().exists(), reason="`make install` prepares it")
def test_the_prepared_one_is_up_to_date_and_has_no_secrets_and_no_runs() -> None:
    from alembic.script import ScriptDirectory
    from prefect.server.database import alembic_commands

    scripts = ScriptDirectory(
        str(Path(alembic_commands.__file__).parent / "_migrations"),
        version_locations=[
            str(Path(alembic_commands.__file__).parent / "_migrations" / "versions" / "sqlite")
        ],
    )
    with closing(sqlite3.connect(database.prepared())) as connection:
        found = connection.execute("SELECT version_num FROM alembic_version").fetchall()
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        filled = {
            name
            for (name,) in tables.fetchall()
            if connection.execute(f'SELECT 1 FROM "{name}" LIMIT 1').fetchall()
        }
    assert found == [(scripts.get_current_head(),)]
    assert filled == {"alembic_version", "block_type", "block_schema", "block_schema_reference"}
