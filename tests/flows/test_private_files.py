"""Listening histories are their owner's, or the group's where a setting says so."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from flows.settings import load_settings

SCRIPT = """
import sys
from pathlib import Path
from flows.environment import prepare_process
home = Path(sys.argv[1])
prepare_process(home, shared=sys.argv[2] == "shared")
(home / "lake" / "plays").mkdir(parents=True)
(home / "lake" / "plays" / "part.parquet").touch()
(home / "prefect" / "prefect.db").touch()
"""


def _modes(home: Path) -> dict[str, str]:
    names = (".", "lake", "lake/plays", "lake/plays/part.parquet", "warehouse", "prefect")
    there = [name for name in names if (home / name).exists()]
    return {name: oct(stat.S_IMODE((home / name).stat().st_mode))[2:] for name in there}


@pytest.mark.parametrize(
    ("shared", "folder", "file"), [("private", "700", "600"), ("shared", "750", "640")]
)
def test_new_and_older_folders_are_restricted(
    tmp_path: Path, shared: str, folder: str, file: str
) -> None:
    home = tmp_path / "home"
    for older in ("older", "older/warehouse", "older/prefect"):
        (tmp_path / older).mkdir()
        (tmp_path / older).chmod(0o755)  # whatever this process's own umask is
    for made in (home, tmp_path / "older"):
        subprocess.run(
            [sys.executable, "-c", SCRIPT, str(made), shared],
            env={name: value for name, value in os.environ.items() if "PREFECT" not in name},
            check=True,
            umask=0o022,
        )
        expected = {
            # a folder that was there may be anything, the user's own too
            ".": folder if made == home else "755",
            "lake": folder,
            "lake/plays": folder,
            "lake/plays/part.parquet": file,
            "prefect": "700",
        }
        if made != home:
            expected["warehouse"] = folder
        assert _modes(made) == expected


def test_hosts_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().hosts == ()
    monkeypatch.setenv("CROSSFADE_HOSTS", "music.example,10.0.0.5:8501")
    assert load_settings().hosts == ("music.example", "10.0.0.5:8501")
