"""Delete old releases and what killed runs left behind."""

import json
import shutil
from pathlib import Path

from warehouse.releases.home import Home
from warehouse.releases.manifest import MANIFEST
from warehouse.releases.release import current_id, list_releases


def prune(home: Home, keep: int) -> list[str]:
    """Delete all but the newest ``keep`` releases, never the current one; return their ids.

    Releases that the gate refused do not count: the last of them is kept for inspection. A
    challenger is left alone, as a run may be working on it.
    """
    with home.locked("pointer", "prune"):
        others = [release for release in list_releases(home) if not release.is_current]
        published = [release for release in others if release.is_published]
        refused = [release for release in others if release.manifest.status == "refused"]
        spare = max(0, keep - 1 if current_id(home) else keep)
        gone = [*published[: max(0, len(published) - spare)], *refused[:-1]]
        for release in gone:
            _discard(home, release.folder)
        return [release.manifest.release_id for release in gone]


def kept_models(home: Home) -> set[Path]:
    """Return the folders in the lake that the measured models of the releases are in."""
    manifests = [release.manifest for release in list_releases(home)]
    kept = [model for one in manifests for model in (one.measured, one.anchor) if model]
    return {home.lake / "measured" / model.key for model in kept}


def clear_leftovers(home: Home) -> None:
    """Delete what a killed run left: half-built releases, candidates, old links.

    For a run that holds the lock of the home. What cannot be read for another reason than that it
    was never finished stays: it may be readable again, or by another version of this program.
    """
    shutil.rmtree(home.building, ignore_errors=True)
    if home.releases.is_dir():
        for folder in home.releases.iterdir():
            if folder.name != current_id(home) and _is_leftover(folder):
                shutil.rmtree(folder, ignore_errors=True)
    with home.locked("pointer", "clean up"):
        for link in home.current.parent.glob(".current.*"):
            link.unlink(missing_ok=True)


def _is_leftover(folder: Path) -> bool:
    """Tell whether a run died before it came to an end with this release."""
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
    except (FileNotFoundError, ValueError):
        return True  # none, or torn
    except OSError:
        return False
    return isinstance(manifest, dict) and manifest.get("status") == "candidate"


def _discard(home: Home, folder: Path) -> None:
    """Delete a release: out of sight by one rename first, so that none is ever half there."""
    home.building.mkdir(parents=True, exist_ok=True)
    doomed = home.building / f"pruned-{folder.name}"
    shutil.rmtree(doomed, ignore_errors=True)
    folder.rename(doomed)
    shutil.rmtree(doomed, ignore_errors=True)
