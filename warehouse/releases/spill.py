"""Where queries on a release spill: a private, bounded folder of this process, never the release.

One folder for the whole process: DuckDB shares a file's cache between connections only if they were
opened with the same settings.
"""

import atexit
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

import psutil

MOST = "4GB"
"""What all queries of a process may spill together; beyond it a query fails, not the disk."""

_PREFIX = "crossfade-"

_folders: dict[int, Path] = {}


def spill_config() -> dict[str, str | bool | int | float | list[str]]:
    """Return DuckDB's settings for spilling.

    DuckDB makes the folder when it first spills, and removes it when the last connection closes.
    """
    return {"temp_directory": str(_folder() / "spill"), "max_temp_directory_size": MOST}


def _folder() -> Path:
    """Return this process's folder; those of processes that were killed go."""
    pid = os.getpid()
    if pid not in _folders or not _folders[pid].is_dir():
        parent = Path(tempfile.gettempdir())
        for left in parent.glob(f"{_PREFIX}[0-9]*-*"):
            if _is_left_over(left):
                shutil.rmtree(left, ignore_errors=True)
        _folders[pid] = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{pid}-", dir=parent))
        atexit.register(shutil.rmtree, _folders[pid], ignore_errors=True)
    return _folders[pid]


def _is_left_over(folder: Path) -> bool:
    """Tell whether a folder is one of ours whose process is gone."""
    with suppress(OSError, ValueError):
        found = folder.lstat()
        pid = int(folder.name.removeprefix(_PREFIX).split("-")[0])
        return found.st_uid == os.getuid() and folder.is_dir() and not psutil.pid_exists(pid)
    return False
