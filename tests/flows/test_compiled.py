"""Compiled kernels: an installation's own are used where they fit, a home's otherwise."""

import os
from pathlib import Path

import pytest

from flows import compiled


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home beside an installation that has prepared nothing."""
    monkeypatch.setattr(compiled, "PREPARED", tmp_path / "installation" / "numba")
    return tmp_path / "home"


def test_kernels_are_compiled_in_the_home_where_none_are_prepared(home: Path) -> None:
    assert compiled.kernels(home).is_relative_to(home / "cache" / "numba")


def test_prepared_kernels_are_used_by_every_home(home: Path, tmp_path: Path) -> None:
    for name in ("older", "newer"):
        (tmp_path / name).mkdir()
        compiled.note_prepared(tmp_path / name)
    assert compiled.kernels(home).samefile(tmp_path / "newer")


def test_kernels_of_other_code_are_not_used(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled.note_prepared(tmp_path)
    monkeypatch.setattr(compiled, "tree_digest", lambda _package: "changed")
    assert compiled.kernels(home) == home / "cache" / "numba" / "changed"


def test_kernels_that_are_gone_or_not_ours_to_add_to_are_not_used(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "kernels"
    folder.mkdir()
    compiled.note_prepared(folder)
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert compiled.kernels(home).is_relative_to(home)
    monkeypatch.undo()
    monkeypatch.setattr(compiled, "PREPARED", tmp_path / "installation" / "numba")
    folder.rmdir()
    assert compiled.kernels(home).is_relative_to(home)
