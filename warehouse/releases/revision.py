"""Give a release another file: the only way in which a published release changes.

Readers that have the old file open keep it until they close it; whoever opens the release, by the
pointer or by its own path, gets the old file or the new one.
"""

import secrets
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from warehouse.files import file_digest, sync
from warehouse.releases.home import DATABASE, Home
from warehouse.releases.manifest import Manifest
from warehouse.releases.pointer import make_current
from warehouse.releases.release import Release, current_id


def revise(home: Home, release: Release, built: Path, **changes: Any) -> Release:
    """Make ``built`` the file of a release, as its next revision; return the release as it is then.

    ``changes``: fields of the manifest. A process that is killed on the way leaves either file; the
    next `settle` finishes it.
    """
    revision = release.manifest.revision + 1
    name = f"{Path(DATABASE).stem}.{revision}.duckdb"
    sync(built)
    built.replace(release.folder / name)
    sync(release.folder)
    file = release.folder / name
    facts = {
        "file": name,
        "revision": revision,
        "revised_at": datetime.now(UTC),
        "bytes": file.stat().st_size,
        "digest": file_digest(file),
    }
    with home.locked("pointer", "forget"):  # a rollback writes into manifests too
        manifest = Manifest.read(release.folder).model_copy(update={**changes, **facts})
        manifest.write(release.folder)
    return settle(home, replace(release, manifest=manifest))


def settle(home: Home, release: Release) -> Release:
    """Let every path of a release lead to its latest file, and delete the others."""
    folder, name = release.folder, release.manifest.file
    if name == DATABASE:
        return release
    with home.locked("pointer", "forget"):
        is_current = current_id(home) == folder.name
        if is_current and home.current.readlink().name != name:
            make_current(home, release)
        path = folder / DATABASE
        if not path.is_symlink() or path.readlink() != Path(name):
            link = folder / f".{DATABASE}-{secrets.token_hex(4)}"
            link.symlink_to(name)
            link.replace(path)
        for other in [*folder.glob("crossfade.*.duckdb"), *folder.glob(f".{DATABASE}-*")]:
            if other.name != name:
                other.unlink()
        sync(folder)
    return replace(release, is_current=is_current)
