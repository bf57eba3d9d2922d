import threading
from pathlib import Path

import pytest

from tasks.dataset import folders
from tasks.dataset.folders import data_files
from warehouse.errors import InputError


def _files(folder: Path, *names: str) -> list[Path]:
    made = [folder / name for name in names]
    for file in made:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    return made


def test_hidden_files_and_folders_are_left_out(tmp_path: Path) -> None:
    seen = _files(tmp_path, "a.csv", "day=1/b.csv", "day=2/deep/c.csv")
    _files(tmp_path, ".d.csv", "_SUCCESS", ".git/e.csv", "day=1/_temporary/f.csv")
    assert data_files(tmp_path) == seen


def test_links_to_files_count_and_links_to_folders_are_not_followed(tmp_path: Path) -> None:
    (real,) = _files(tmp_path / "elsewhere", "a.csv")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "link.csv").symlink_to(real)
    (folder / "loop").symlink_to(folder)
    assert data_files(folder) == [folder / "link.csv"]


def test_what_is_removed_meanwhile_is_not_there(tmp_path: Path) -> None:
    kept = _files(tmp_path, "z.csv")
    done = threading.Event()

    def come_and_go() -> None:
        while not done.is_set():
            places = [tmp_path / "gone" / str(number) for number in range(50)]
            for place in places:
                place.mkdir(parents=True)
            for place in places:
                place.rmdir()

    thread = threading.Thread(target=come_and_go)
    thread.start()
    try:
        for _ in range(300):
            assert kept[0] in data_files(tmp_path)
    finally:
        done.set()
        thread.join()


def test_hidden_entries_do_not_count_towards_the_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "MOST_ENTRIES", 3)
    seen = _files(tmp_path, "a.csv", "b.csv", "c.csv")
    _files(tmp_path, *(f".hidden/{number}.csv" for number in range(10)))
    assert data_files(tmp_path) == seen
    _files(tmp_path, "d.csv")
    with pytest.raises(InputError, match=r"holds more than 3 files and folders"):
        data_files(tmp_path)
