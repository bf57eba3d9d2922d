"""Releases: publish, list, verify, roll back, prune. The pointer moves by one atomic rename."""

import json
import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from warehouse.errors import UnknownReleaseError
from warehouse.home import DATABASE, Home
from warehouse.manifest import MANIFEST, SCHEMA_VERSION, Manifest, file_digest


@dataclass(frozen=True)
class Release:
    """A release on disk."""

    manifest: Manifest
    folder: Path
    is_current: bool

    @property
    def database(self) -> Path:
        """The DuckDB file."""
        return self.folder / DATABASE

    @property
    def is_published(self) -> bool:
        """Whether it passed the gate, or was published all the same."""
        return self.manifest.status in ("published", "forced")

    def noted(self, **changes: str | bool) -> "Release":
        """Change fields of the manifest, on disk too; return the release as it is then."""
        manifest = self.manifest.model_copy(update=changes)
        if manifest != self.manifest:
            manifest.write(self.folder)
        return replace(self, manifest=manifest)


def current_id(home: Home) -> str | None:
    """Return the id the pointer names, or None when nothing was published yet."""
    if not home.current.is_symlink():
        return None
    return home.current.readlink().parent.name


def list_releases(home: Home) -> list[Release]:
    """Return the releases with a readable manifest, oldest first."""
    if not home.releases.is_dir():
        return []
    current, found = current_id(home), []
    for folder in sorted(home.releases.iterdir()):
        try:
            manifest = Manifest.read(folder)
        except (OSError, ValueError):
            continue  # not ours, or torn: never served, never counted
        found.append(Release(manifest, folder, folder.name == current))
    return found


def find_release(home: Home, release_id: str) -> Release:
    """Return one release; raises UnknownReleaseError that lists the ids there are."""
    known = list_releases(home)
    for release in known:
        if release.manifest.release_id == release_id:
            return release
    ids = ", ".join(release.manifest.release_id for release in known) or "none yet"
    raise UnknownReleaseError(f"no release {release_id} in {home.releases}; there are: {ids}")


def named_current(home: Home) -> Release | None:
    """Return the release the pointer names, or None; its file is not read."""
    return next((release for release in list_releases(home) if release.is_current), None)


def current_release(home: Home) -> Release | None:
    """Return the release the pointer names if it is whole, else None."""
    release = named_current(home)
    return release if release is not None and _is_whole(release) else None


def verify(release: Release) -> None:
    """Raise UnknownReleaseError if the release's file is torn, foreign or of another contract."""
    manifest, file = release.manifest, release.database
    if manifest.schema_version != SCHEMA_VERSION:
        raise UnknownReleaseError(
            f"{file} has schema version {manifest.schema_version}, this program serves "
            f"{SCHEMA_VERSION}; publish a new release with `crossfade run`"
        )
    if not file.is_file() or file.stat().st_size != manifest.bytes:
        raise UnknownReleaseError(f"{file} is missing or cut short; roll back to another release")
    if file_digest(file) != manifest.digest:
        raise UnknownReleaseError(f"{file} is damaged; roll back to another release")


def _is_whole(release: Release) -> bool:
    """Tell whether the release's file can be served."""
    try:
        verify(release)
    except UnknownReleaseError:
        return False
    return True


def adopt(home: Home, building: Path, manifest: Manifest) -> Release:
    """Move a finished build among the releases; it is not current yet."""
    manifest.write(building)
    for path in building.iterdir():
        _sync(path)
    home.releases.mkdir(parents=True, exist_ok=True)
    folder = home.releases / manifest.release_id
    building.rename(folder)
    _sync(home.releases)
    return Release(manifest, folder, is_current=False)


def make_current(home: Home, release: Release) -> None:
    """Point at a release that verifies; readers see the old one or the new one, never neither."""
    verify(release)
    target = Path("releases") / release.folder.name / DATABASE
    link = home.current.with_name(f".current.{os.getpid()}")
    link.unlink(missing_ok=True)
    link.symlink_to(target)
    link.replace(home.current)
    _sync(home.current.parent)


def rollback(home: Home, release_id: str | None = None) -> Release:
    """Make an earlier release current: the named one, else the last published before this one."""
    with home.locked("pointer", "rollback"):
        if release_id is not None:
            release = find_release(home, release_id)
        else:
            now = current_id(home)
            earlier = [
                release
                for release in list_releases(home)
                if release.is_published and release.folder.name < (now or "")
            ]
            if not earlier:
                raise UnknownReleaseError(
                    f"there is no release before {now or 'the first'} to go back to; "
                    "`crossfade releases` lists what there is"
                )
            release = earlier[-1]
        left = named_current(home)
        make_current(home, release)
        if left is not None and left.folder.name > release.folder.name:
            left.noted(rolled_back=True)
        return release.noted(rolled_back=False)


def rolled_back(home: Home, fingerprint: str) -> Release | None:
    """Return the release with that content from which somebody went back to the current one.

    None if there is none, or if its file is no longer whole.
    """
    now = current_id(home) or ""
    same = [
        release
        for release in list_releases(home)
        if release.folder.name > now
        and release.manifest.rolled_back
        and release.manifest.fingerprint == fingerprint
    ]
    return same[-1] if same and _is_whole(same[-1]) else None


def prune(home: Home, keep: int) -> list[str]:
    """Delete all but the newest ``keep`` releases, never the current one; return their ids.

    Those that the gate refused do not count: the last of them stays, to be looked at. A candidate
    is left alone, as a run may be at work on it.
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


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
