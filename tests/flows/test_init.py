"""`crossfade init` in a process of its own, with a terminal and without."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tasks.dataset.spec import DatasetSpec
from tests.tasks.dataset.detect.cases import plays_lines, put, tracks_lines


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    put(tmp_path, "tracks.csv", tracks_lines())
    put(tmp_path, "plays.csv", plays_lines())
    return tmp_path


def init(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder, without a terminal."""
    return subprocess.run(
        [sys.executable, "-m", "flows.cli", "init", *arguments],
        cwd=folder, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip


def test_a_toml_is_written_shown_and_checked(folder: Path) -> None:
    done = init(folder, "tracks.csv", "plays.csv")
    assert done.returncode == 0, done.stderr
    assert "plays.csv: the history, comma-separated, header, UTF-8, 800 rows" in done.stdout
    assert "T000  Song 0  Artist 0" in done.stdout
    assert "Wrote dataset.toml" in done.stdout
    spec = DatasetSpec.from_toml(folder / "dataset.toml")
    assert (spec.plays.user, spec.plays.count, spec.tracks.creator) == (
        "user_id", "playcount", "artist",
    )  # fmt: skip
    assert not list(folder.glob(".init-*"))
    checked = init(folder, "--check", "dataset.toml")
    assert checked.returncode == 0, checked.stderr
    assert "Nothing looks wrong." in checked.stdout


def test_an_existing_toml_stays_unless_forced(folder: Path) -> None:
    (folder / "dataset.toml").write_text("mine")
    refused = init(folder, "tracks.csv", "plays.csv", "--yes")
    assert refused.returncode == 2
    assert "dataset.toml exists" in refused.stderr
    assert (folder / "dataset.toml").read_text() == "mine"
    assert init(folder, "tracks.csv", "plays.csv", "--force").returncode == 0
    assert "[plays]" in (folder / "dataset.toml").read_text()


def test_nothing_plausible_ends_with_a_sentence(folder: Path) -> None:
    done = init(folder, "tracks.csv")
    assert done.returncode == 2
    assert "crossfade: the file does not look like a history" in done.stderr
    assert not (folder / "dataset.toml").exists()


def test_a_terminal_is_asked_where_it_is_not_sure(tmp_path: Path) -> None:
    """The first column holds tracks here: a person who knows it answers, and is heard."""
    put(tmp_path, "x.tsv", plays_lines(lambda u, t, n: (f"{t}a", f"{u}b", n), None, "\t"))
    said = talk(tmp_path, ["x.tsv"], answers=10 * [""])
    assert "plays.user: user?" in said
    assert "Wrote dataset.toml" in said
    said = talk(tmp_path, ["x.tsv", "--out", "other.toml"], answers=["", "track", *8 * [""]])
    assert "Wrote other.toml" in said
    spec = DatasetSpec.from_toml(tmp_path / "other.toml")
    assert spec.plays.columns_in_file.index("user") == 1


def talk(folder: Path, arguments: list[str], answers: list[str]) -> str:
    """Run the command on a terminal and type answers; return what it printed."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "flows.cli", "init", *arguments],
        cwd=folder, stdin=slave, stdout=slave, stderr=slave,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "TERM": "dumb"},
    )  # fmt: skip
    os.close(slave)
    os.write(master, "".join(answer + "\n" for answer in answers).encode())
    said = b""
    while True:
        try:
            piece = os.read(master, 4096)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        said += piece
    os.close(master)
    assert process.wait(timeout=60) == 0, said.decode()
    return said.decode()
