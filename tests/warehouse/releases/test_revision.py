"""A release gets another file: readers see the old one or the new one, whenever a process dies."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.warehouse.publishing import answer, assert_serves
from warehouse.errors import RunError
from warehouse.releases.home import DATABASE, Home
from warehouse.releases.pending import Pending, end_pending, read_pending, write_pending
from warehouse.releases.pointer import rollback
from warehouse.releases.reader import Reader
from warehouse.releases.release import Release, list_releases, verify
from warehouse.releases.revision import revise, settle


@pytest.fixture
def three(home: Home, three_published: Home) -> Home:
    """A home of its own with three releases, the last one current."""
    shutil.copytree(three_published.path, home.path, symlinks=True)
    return home


def revised(home: Home, number: int) -> Release:
    """Revise a release by a file that can be told from the one before."""
    release = list_releases(home)[number]
    built = home.path / "built.duckdb"
    shutil.copyfile(release.database, built)
    with duckdb.connect(str(built)) as connection:
        connection.execute(
            "INSERT INTO store.popular SELECT 'revision', max(rank) + 1, 0 FROM store.popular "
            "WHERE scope = 'revision'"
        )
    return revise(home, release, built, row_counts={"users": 1})


def marks(database: Path) -> int:
    """Return how often a file was revised."""
    with duckdb.connect(str(database.resolve()), read_only=True) as connection:
        found = connection.execute("SELECT count(*) FROM store.popular WHERE scope = 'revision'")
        return int(found.fetchall()[0][0])


@pytest.mark.parametrize("number", [0, 2])
def test_id_and_paths_stay_and_a_revision_is_recorded(three: Home, number: int) -> None:
    before = list_releases(three)[number]
    after = revised(three, number)
    assert after.manifest.release_id == before.manifest.release_id
    assert after.manifest.revision == 1
    assert after.manifest.revised_at is not None
    assert after.manifest.row_counts == {"users": 1}
    verify(after)
    assert marks(after.database) == marks(after.folder / DATABASE) == 1
    assert {path.name for path in after.folder.iterdir()} == {
        DATABASE, "crossfade.1.duckdb", "manifest.json",
    }  # fmt: skip
    assert_serves(three)
    again = revised(three, number)
    assert again.manifest.revision == 2
    assert marks(again.folder / DATABASE) == 2
    assert not (again.folder / "crossfade.1.duckdb").exists()
    assert_serves(three)
    assert marks(three.current) == (2 if number == 2 else 0)


def test_open_readers_keep_the_old_file_and_move_on_with_the_next_query(three: Home) -> None:
    count = "SELECT count(*) AS n FROM popular_tracks WHERE scope = 'revision'"
    with (
        Reader(three.current) as first,
        Reader(three.current) as follows,
        Reader(list_releases(three)[2].database) as of_the_release,
    ):
        stays = first.connection()
        assert follows.rows(count) == of_the_release.rows(count) == [{"n": 0}]
        revised(three, 2)
        assert stays.execute(count).fetchall() == [(0,)]
        stays = first.connection()
        assert follows.rows(count) == of_the_release.rows(count) == [{"n": 1}]
        assert stays.execute("SELECT count(*) > 0 FROM tracks").fetchall() == [(True,)]


class Dead(BaseException):
    """The process has died."""


@pytest.mark.parametrize("steps", range(12))
def test_a_process_may_die_anywhere(
    three: Home, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    left = steps

    def dying(name: str) -> None:
        real: Callable[..., Any] = getattr(Path, name)

        def step(self: Path, *arguments: Any, **named: Any) -> Any:
            nonlocal left
            left -= 1
            if left < 0:
                raise Dead
            return real(self, *arguments, **named)

        monkeypatch.setattr(Path, name, step)

    for name in ("replace", "symlink_to", "unlink", "rename"):
        dying(name)
    died = False
    try:
        revised(three, 2)
    except Dead:
        died = True
    monkeypatch.undo()
    assert died == (steps < 7), "more steps than are tried"
    assert answer(three.current)[1]
    for release in list_releases(three):
        verify(release)
    with Reader(three.current) as reader:
        assert reader.rows("SELECT count(*) AS n FROM release") == [{"n": 1}]
    settled = settle(three, list_releases(three)[2])
    assert marks(three.current) == marks(settled.database) == marks(settled.folder / DATABASE)
    assert_serves(three)


def test_no_rollback_to_what_is_not_rebuilt_yet(three: Home) -> None:
    first, second, _ = (release.folder.name for release in list_releases(three))
    write_pending(three, Pending(listeners=("ann",), releases=(second,)))
    assert (three.forgotten / "pending.json").stat().st_mode & 0o777 == 0o600
    with pytest.raises(RunError, match=f"{second} still has listeners"):
        rollback(three)
    assert rollback(three, first).folder.name == first
    end_pending(three)
    assert read_pending(three) is None
    assert list(three.forgotten.iterdir()) == []
    assert rollback(three, second).folder.name == second


def test_a_damaged_state_stops_a_rollback(three: Home) -> None:
    write_pending(three, Pending(listeners=()))
    (three.forgotten / "pending.json").write_text("{")
    with pytest.raises(RunError, match="forget the same listeners again"):
        rollback(three)
