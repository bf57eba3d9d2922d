"""Where compiled kernels are kept: with the installation, or else in the home.

`make install` compiles them once, into the folder that NUMBA_CACHE_DIR names, and keeps a link to
it by the digest of the code. By the code, because numba looks only at the file of the function it
is called for: after an upgrade it would go on using an older kernel that this one calls.
"""

import os
from pathlib import Path

from tasks.lake.code import ROOT, tree_digest

PREPARED = ROOT / ".cache" / "numba"


def kernels(home: Path) -> Path:
    """Return the folder for the kernels of this code: prepared ones, if we may add to them."""
    prepared = PREPARED / tree_digest("tasks")
    if prepared.is_dir() and os.access(prepared, os.R_OK | os.W_OK | os.X_OK):
        return prepared
    return home / "cache" / "numba" / prepared.name


def note_prepared(folder: Path) -> None:
    """Have every home use the kernels in ``folder``."""
    link = PREPARED / tree_digest("tasks")
    PREPARED.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(folder.resolve())
