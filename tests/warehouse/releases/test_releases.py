"""Publish, list, verify, roll back, prune; damage is recognised; locks and kills."""

import json
import multiprocessing
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from tests.warehouse.publishing import (
    answer,
    assert_serves,
    assert_tidy,
    keep,
    kill_in_the_middle,
    processes,
    publish,
    release_id,
    run,
)
from warehouse.build.writer import BuildInput
from warehouse.errors import LockedError, UnknownReleaseError
from warehouse.releases.home import DATABASE, Home
from warehouse.releases.pointer import current_release, make_current, rollback, rolled_back
from warehouse.releases.release import Release, current_id, list_releases, verify
from warehouse.releases.retention import clear_leftovers, prune


@pytest.fixture
def three(home: Home, three_published: Home) -> Home:
    """A home of its own with three releases, the last one current."""
    shutil.copytree(three_published.path, home.path, symlinks=True)
    return home


def _ids(home: Home) -> list[str]:
    return [release.manifest.release_id for release in list_releases(home)]


def test_an_empty_home_has_no_releases(home: Home) -> None:
    assert list_releases(home) == []
    assert current_id(home) is None
    assert current_release(home) is None
    with pytest.raises(UnknownReleaseError, match="no release before the first"):
        rollback(home)


def test_publishing_makes_the_newest_current(three: Home) -> None:
    assert _ids(three) == [release_id(number) for number in range(3)]
    assert current_id(three) == release_id(2)
    assert not three.current.readlink().is_absolute()
    assert_serves(three)


def test_the_whole_home_can_be_moved(three: Home, tmp_path: Path) -> None:
    moved = Home(tmp_path / "elsewhere")
    three.path.rename(moved.path)
    assert_serves(moved)


def test_rollback_goes_to_the_one_before_and_to_any_by_name(three: Home) -> None:
    assert rollback(three).manifest.release_id == release_id(1)
    assert rollback(three).manifest.release_id == release_id(0)
    with pytest.raises(UnknownReleaseError, match="no release before"):
        rollback(three)
    rollback(three, release_id(2))
    assert current_id(three) == release_id(2)
    with pytest.raises(UnknownReleaseError, match=release_id(1)):
        rollback(three, "nonsense")
    assert_serves(three)


def test_rollback_passes_over_refused_candidates(three: Home) -> None:
    list_releases(three)[1].noted(status="refused")
    assert rollback(three).manifest.release_id == release_id(0)


@pytest.mark.parametrize(
    ("keeps", "left"), [(1, [2]), (2, [1, 2]), (3, [0, 1, 2]), (4, [0, 1, 2]), (14, [0, 1, 2])]
)
def test_prune_keeps_the_newest(three: Home, keeps: int, left: list[int]) -> None:
    gone = prune(three, keeps)
    assert _ids(three) == [release_id(number) for number in left]
    assert gone == [release_id(number) for number in range(3) if number not in left]
    assert_tidy(three, keeps)


def test_prune_never_takes_the_current_one(three: Home) -> None:
    rollback(three, release_id(0))
    prune(three, 1)
    assert _ids(three) == [release_id(0)]
    assert_serves(three)


def test_refused_releases_take_nobody_elses_place_and_do_not_pile_up(
    three: Home, given: BuildInput
) -> None:
    for number in (3, 4, 5):
        keep(three, given, number).noted(status="refused")
    assert prune(three, 2) == [release_id(0), release_id(3), release_id(4)]
    assert _ids(three) == [release_id(1), release_id(2), release_id(5)]
    assert rollback(three).manifest.release_id == release_id(1)


def test_a_candidate_is_a_runs_own(three: Home, given: BuildInput) -> None:
    keep(three, given, 3).noted(status="candidate")
    prune(three, 1)
    assert _ids(three) == [release_id(2), release_id(3)]
    clear_leftovers(three)  # by the next run, which holds the lock
    assert _ids(three) == [release_id(2)]
    assert_serves(three)


def test_what_was_rolled_back_is_known_while_it_is_whole(three: Home) -> None:
    newest = release_id(2)  # also its fingerprint
    assert rolled_back(three, newest) is None
    rollback(three)
    gone = rolled_back(three, newest)
    assert gone is not None
    assert gone.manifest.release_id == newest
    assert rolled_back(three, release_id(0)) is None
    rollback(three, newest)
    assert rolled_back(three, newest) is None
    rollback(three, release_id(0))
    assert rolled_back(three, newest) is not None
    _cut(gone.database)
    assert rolled_back(three, newest) is None


def test_a_release_that_was_never_current_was_not_rolled_back(
    three: Home, given: BuildInput
) -> None:
    keep(three, given, 3)  # as by a run that was killed just before it moved the pointer
    assert rolled_back(three, release_id(3)) is None


def test_a_release_that_only_cannot_be_read_now_is_kept(three: Home) -> None:
    of_a_newer_program, hidden = (list_releases(three)[x].folder for x in (0, 1))
    newer = json.loads((of_a_newer_program / "manifest.json").read_text())
    (of_a_newer_program / "manifest.json").write_text(json.dumps({**newer, "signed_by": "us"}))
    (hidden / "manifest.json").rename(hidden / "kept")
    (hidden / "manifest.json").mkdir()  # reading it fails as a broken network file system may
    clear_leftovers(three)
    assert of_a_newer_program.is_dir()
    assert hidden.is_dir()


def _cut(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def _flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 0xFF
    file.write_bytes(data)


def _foreign(file: Path) -> None:
    file.unlink()
    with duckdb.connect(str(file)) as connection:
        connection.execute("CREATE TABLE something AS SELECT 1 AS one")


def _text(file: Path) -> None:
    file.write_text("track_id,name\n")


DAMAGE = [_cut, _flip, _foreign, _text, Path.unlink]


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_release_is_recognised_and_never_made_current(
    three: Home, damage: Callable[[Path], None]
) -> None:
    before = list_releases(three)[1]
    damage(before.database)
    with pytest.raises(UnknownReleaseError, match=r"damaged|cut short"):
        verify(before)
    with pytest.raises(UnknownReleaseError):
        rollback(three)
    assert current_id(three) == release_id(2)
    assert_serves(three)


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_current_release_counts_as_none(
    three: Home, damage: Callable[[Path], None]
) -> None:
    damage(three.releases / release_id(2) / DATABASE)
    assert current_release(three) is None
    rollback(three)
    assert_serves(three)


def test_a_release_of_another_contract_is_never_made_current(three: Home) -> None:
    newer = list_releases(three)[1]
    manifest = newer.manifest.model_copy(update={"schema_version": 99})
    manifest.write(newer.folder)
    with pytest.raises(UnknownReleaseError, match="schema version 99"):
        make_current(three, Release(manifest, newer.folder, False))


def test_what_a_killed_run_left_is_cleared(three: Home, given: BuildInput) -> None:
    (three.building / "half" / "scratch").mkdir(parents=True)
    torn = keep(three, given, 7)
    (torn.folder / "manifest.json").write_text('{"release_id": "2026')
    three.current.with_name(".current.999").symlink_to("nowhere")
    assert release_id(7) not in _ids(three)
    clear_leftovers(three)
    assert_tidy(three)
    assert_serves(three)


def _hold(home: Home, held: "multiprocessing.synchronize.Event") -> None:
    with home.locked("run", "run"):
        held.set()
        held.wait()
        while True:
            pass


def test_a_second_run_is_told_who_is_at_work(home: Home) -> None:
    context = processes()
    held = context.Event()
    holder = context.Process(target=_hold, args=(home, held), daemon=True)
    holder.start()
    assert held.wait(60)
    with (
        pytest.raises(LockedError, match=rf'"doing": "run", "pid": {holder.pid}'),
        home.locked("run", "another run"),
    ):
        pass
    holder.kill()  # the operating system lets go of the lock
    holder.join()
    with home.locked("run", "the next run"):
        pass


def test_the_pointer_is_waited_for(three: Home) -> None:
    context = processes()
    publisher = context.Process(target=rollback, args=(three, release_id(0)))
    with three.locked("pointer", "test"):
        publisher.start()
        publisher.join(0.5)
        assert current_id(three) == release_id(2)
    publisher.join(60)
    assert current_id(three) == release_id(0)


def _kill_and_recover(home: Home, given: BuildInput, seed: int) -> None:
    kill_in_the_middle(home, given, seed, longest=2.5)
    assert_serves(home)
    number = int((current_id(home) or "")[9:15]) + 100
    run(home, given, number)
    assert current_id(home) == release_id(number)
    assert_serves(home)
    assert_tidy(home)


@pytest.mark.parametrize("seed", range(3))
def test_a_kill_at_any_moment_harms_nothing(home: Home, given: BuildInput, seed: int) -> None:
    publish(home, given, 0)
    _kill_and_recover(home, given, seed)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_hundred_kills_harm_nothing_and_leave_nothing(home: Home, given: BuildInput) -> None:
    publish(home, given, 0)
    for seed in range(100):
        _kill_and_recover(home, given, 1000 + seed)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MB; needs the right to mount."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", disk], check=False
    ).returncode == 0  # fmt: skip
    if not mounted:
        pytest.skip("no right to mount a tmpfs here")
    yield disk
    subprocess.run(["umount", disk], check=True)


@pytest.mark.slow
def test_a_full_disk_harms_nothing(small_disk: Path, given: BuildInput) -> None:
    home = Home(small_disk / "home")
    publish(home, given, 0)
    ballast, failed = small_disk / "ballast", 0
    for number, spare in enumerate(range(0, 3_000_000, 100_000), start=1):
        free = shutil.disk_usage(small_disk).free
        ballast.write_bytes(bytes(max(0, free - spare)))
        try:
            run(home, given, number)
        except (duckdb.Error, OSError):
            failed += 1
        assert_serves(home)
        ballast.unlink()
    assert failed > 3
    run(home, given, 999)
    assert answer(home.current) == (release_id(999), True)
    assert_tidy(home)
    assert not (home.releases / release_id(999) / f"{DATABASE}.wal").exists()
