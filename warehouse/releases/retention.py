"""Delete old releases and what killed runs left behind."""

import json
import shutil
from pathlib import Path

from warehouse.releases.home import Home
from warehouse.releases.manifest import MANIFEST
from warehouse.releases.release import current_id, list_releases


def prune(home: Home, keep: int, keep_refreshes: int | None = None) -> list[str]:
    """Delete all but the newest releases; return their ids.

    Never the current one, its base and the release of whose file its own was made. ``keep``
    releases of full runs stay, and ``keep_refreshes`` refreshes (None: as many), so that the
    refreshes of a day do not push out the releases of a week. Releases that the gate refused do not
    count: the last of them is kept for inspection. A challenger is left alone, as a run may be
    working on it.
    """
    with home.locked("pointer", "prune"):
        releases = list_releases(home)
        current = current_id(home)
        used = [(x.manifest.base_id, x.manifest.patch_of) for x in releases if x.is_current]
        in_use = {current, *(name for names in used for name in names)} - {None}
        others = [release for release in releases if release.folder.name not in in_use]
        refused = [release for release in others if release.manifest.status == "refused"]
        refreshes = [one.folder.name for one in releases if one.manifest.base is not None]
        gone = list(refused[:-1])
        for kept, are_refreshes in (
            (keep, False),
            (keep if keep_refreshes is None else keep_refreshes, True),
        ):
            published = [
                release
                for release in others
                if release.is_published and (release.manifest.base is not None) == are_refreshes
            ]
            spare = max(0, kept - sum((name in refreshes) == are_refreshes for name in in_use))
            gone += published[: max(0, len(published) - spare)]
        gone.sort(key=lambda release: release.folder.name)
        for release in gone:
            _discard(home, release.folder)
        return [release.manifest.release_id for release in gone]


def kept_models(home: Home) -> set[Path]:
    """Return the folders in the lake that the measured models of the releases are in."""
    manifests = [release.manifest for release in list_releases(home)]
    kept = [model for one in manifests for model in (one.measured, one.anchor) if model]
    return {home.lake / "measured" / model.key for model in kept}


def kept_parts(home: Home, keep: int) -> set[Path]:
    """Return the folders in the lake that refreshes use.

    Those of the current release, of its base and of the release of whose file its own was made, and
    of the newest ``keep`` releases of full runs, to which somebody may go back.
    """
    published = [release for release in list_releases(home) if release.is_published]
    full = [release for release in published if release.manifest.base is None]
    patched = {release.manifest.patch_of for release in published if release.is_current}
    manifests = [
        release.manifest
        for release in published
        if release.is_current
        or release.manifest.release_id in patched
        or release in full[len(full) - keep :]
    ]
    parts = [
        part
        for one in manifests
        for part in [*one.parts.values(), *(one.base.parts.values() if one.base else ())]
    ]
    return {home.lake / part.folder for part in parts}


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
