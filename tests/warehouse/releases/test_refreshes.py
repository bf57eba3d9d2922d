"""Refreshes among releases: counted apart, and what they need is kept."""

import shutil
from pathlib import Path

import pytest

from tests.warehouse.publishing import assert_serves, keep, release_id
from warehouse.build.writer import BuildInput
from warehouse.releases.home import Home
from warehouse.releases.manifest import Base, LakePart
from warehouse.releases.pointer import make_current, rollback
from warehouse.releases.release import Release, list_releases
from warehouse.releases.retention import kept_parts, prune


def parts_of(number: int) -> dict[str, LakePart]:
    return {"lists": LakePart(folder=f"lists/{number}", digest=str(number))}


@pytest.fixture
def mixed(tmp_path: Path, three_published: Home, given: BuildInput) -> Home:
    """Full runs 0, 1 and 2, then the refreshes 3, 4 and 5 of 2; 5 is current."""
    home = Home(tmp_path / "home")
    shutil.copytree(three_published.path, home.path, symlinks=True)
    for number in (3, 4, 5):
        make_current(home, keep(home, given, number))
    for number, release in enumerate(list_releases(home)):
        base = Base(release_id=release_id(2), parts=parts_of(2)) if number > 2 else None
        facts = {"parts": parts_of(number), "base": base}
        release.manifest.model_copy(update=facts).write(release.folder)
    return home


def numbers(home: Home) -> list[int]:
    return [int(release.manifest.release_id[9:15]) for release in list_releases(home)]


@pytest.mark.parametrize(
    ("full", "refreshes", "left"),
    [
        (1, 1, [2, 5]),  # the current one and its base
        (2, 1, [1, 2, 5]),
        (1, 2, [2, 4, 5]),
        (3, 8, [0, 1, 2, 3, 4, 5]),
        (14, 1, [0, 1, 2, 5]),
        (2, None, [1, 2, 4, 5]),
    ],
)
def test_full_runs_and_refreshes_are_counted_apart(
    mixed: Home, full: int, refreshes: int | None, left: list[int]
) -> None:
    gone = prune(mixed, full, refreshes)
    assert numbers(mixed) == left
    assert gone == [release_id(number) for number in range(6) if number not in left]
    assert_serves(mixed)


def test_refreshes_before_a_full_run_do_not_push_it_out(mixed: Home, given: BuildInput) -> None:
    make_current(mixed, keep(mixed, given, 6))
    prune(mixed, 2, 1)
    assert numbers(mixed) == [2, 5, 6]


def test_a_rollback_goes_to_the_refresh_before(mixed: Home) -> None:
    assert rollback(mixed).manifest.base_id == release_id(2)
    assert rollback(mixed, release_id(1)).manifest.base_id is None


def test_the_lake_keeps_what_refreshes_use(mixed: Home) -> None:
    def folders(keep: int) -> set[int]:
        return {int(folder.name) for folder in kept_parts(mixed, keep)}

    assert folders(1) == {2, 5}
    assert folders(2) == {1, 2, 5}
    rollback(mixed, release_id(0))
    assert folders(1) == {0, 2}


def test_what_the_file_of_the_current_release_was_made_of_is_kept(mixed: Home) -> None:
    current = list_releases(mixed)[-1]
    current.manifest.model_copy(update={"patch_of": release_id(3)}).write(current.folder)
    assert {folder.name for folder in kept_parts(mixed, 1)} == {"2", "3", "5"}
    prune(mixed, 1, 1)
    assert numbers(mixed) == [2, 3, 5]


def test_what_a_refused_release_was_made_of_is_not_kept(mixed: Home, given: BuildInput) -> None:
    refused: Release = keep(mixed, given, 7)
    facts = {"parts": parts_of(7), "status": "refused"}
    refused.manifest.model_copy(update=facts).write(refused.folder)
    assert {folder.name for folder in kept_parts(mixed, 1)} == {"2", "5"}
