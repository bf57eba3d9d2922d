"""Delete results of stages that no run uses any more."""

import shutil
import time
from collections.abc import Collection
from pathlib import Path

BY_FILE = ("exposures", "events")
"""Stages with one result per input file, so that the next run reads only new files."""

PER_RUN = {"collaborative": 4, "content": 4, "evaluation": 2}
"""Stages with several results per run: the measured model, the published one, γ's, and that of the
past."""

KEPT_SECONDS = 30 * 86_400
"""How long the result for a file is kept that no run uses any more."""


def forget_unused(lake: Path, keep: int, in_use: Collection[Path] = ()) -> list[Path]:
    """Delete all but what the last ``keep`` runs may have used of every stage.

    That is its most recently used results, as many per run as `PER_RUN` says. Those of `BY_FILE`
    stages stay while a run has used them within `KEPT_SECONDS`. Folders ``in_use``, such as
    ``lake/measured/<key>``, stay in any case.
    """
    gone = []
    oldest = time.time() - KEPT_SECONDS
    for stage in sorted(path for path in lake.iterdir() if path.is_dir()):
        by_use = sorted(stage.iterdir(), key=lambda path: path.stat().st_mtime_ns, reverse=True)
        unused = [path for path in by_use if path.stat().st_mtime < oldest]
        for folder in (
            unused if stage.name in BY_FILE else by_use[keep * PER_RUN.get(stage.name, 1) :]
        ):
            if folder in in_use:
                continue
            shutil.rmtree(folder, ignore_errors=True)
            gone.append(folder)
    return gone
