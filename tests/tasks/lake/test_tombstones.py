"""Tombstones: keyed hashes that tell who was forgotten, and nothing else."""

from pathlib import Path

import pyarrow as pa
import pytest

from tasks.forgetting.remember import remember
from tasks.lake.tombstones import NOBODY, Tombstones, tombstones_of
from warehouse.errors import RunError
from warehouse.releases.home import Home


def _remembered(path: Path, *listeners: str) -> Tombstones:
    home = Home(path / "home")
    remember(home, listeners)
    return tombstones_of(home.lake)


def test_without_forgetting_there_is_nobody(tmp_path: Path) -> None:
    assert tombstones_of(tmp_path / "lake") == NOBODY
    assert not NOBODY
    assert NOBODY.digest == ""
    assert not NOBODY.among(pa.array(["a", None])).any()
    assert not NOBODY.name("a,b", is_split=False)


def test_ids_are_known_by_their_hash_alone(tmp_path: Path) -> None:
    found = _remembered(tmp_path, "ann", "日本語")
    assert found.among(pa.array(["ann", " ann\t", "anne", "日本語", None])).tolist() == [
        True, True, False, True, False,
    ]  # fmt: skip
    files = [path for path in (tmp_path / "home").rglob("*") if path.is_file()]
    assert {path.name for path in files} == {"key", "hashes"}
    for path in files:
        assert path.stat().st_mode & 0o777 == 0o600
        assert b"ann" not in path.read_bytes()
    assert (tmp_path / "home" / "forgotten").stat().st_mode & 0o777 == 0o700


def test_another_home_has_other_hashes(tmp_path: Path) -> None:
    one, other = (_remembered(tmp_path / name, "ann") for name in ("one", "other"))
    assert not one.hashes & other.hashes


def test_more_are_added_and_repeating_changes_nothing(tmp_path: Path) -> None:
    before = _remembered(tmp_path, "ann")
    again = _remembered(tmp_path, "ann")
    after = _remembered(tmp_path, "bob")
    assert before == again
    assert before.digest != after.digest
    assert after.among(pa.array(["ann", "bob"])).all()


@pytest.mark.parametrize(
    ("row", "is_split", "is_named"),
    [
        ("TR1,listener-1,3", True, True),
        ('"TR1","listener-1"', False, True),
        ('{"user": "listener-1"', False, True),
        ("TR1,listener-12,3", False, False),
        ("TR1,7,3", True, False),
        ("TR1,7", False, True),
        ("Mr. Smith & Co|TR1", False, True),
        ("TR1,77", False, False),
    ],
)
def test_a_row_that_is_set_aside_names_a_listener(
    tmp_path: Path, row: str, is_split: bool, is_named: bool
) -> None:
    found = _remembered(tmp_path, "listener-1", "7", "Mr. Smith & Co")
    assert found.name(row, is_split) is is_named


@pytest.mark.parametrize("damage", ["key", "hashes"])
def test_damage_stops_a_run(tmp_path: Path, damage: str) -> None:
    _remembered(tmp_path, "ann")
    file = tmp_path / "home" / "forgotten" / damage
    if damage == "key":
        file.unlink()
    else:
        file.write_text("no hash\n")
    with pytest.raises(RunError, match="would come back"):
        tombstones_of(tmp_path / "home" / "lake")
