"""Releases: publish, list, verify, roll back, prune. The pointer moves by one atomic rename."""

from dataclasses import dataclass, replace
from pathlib import Path

from warehouse.contract.versions import SCHEMA_VERSION
from warehouse.errors import UnknownReleaseError
from warehouse.files import file_digest, make_folders, sync, sync_tree
from warehouse.releases.home import DATABASE, Home
from warehouse.releases.manifest import KeptModel, Manifest, Override


@dataclass(frozen=True)
class Release:
    """A release on disk."""

    manifest: Manifest
    folder: Path
    is_current: bool

    @property
    def database(self) -> Path:
        """The DuckDB file."""
        return self.folder / self.manifest.file

    @property
    def link(self) -> Path:
        """Where to open it for long: it leads to the DuckDB file after a revision as well."""
        return self.folder / DATABASE

    @property
    def is_published(self) -> bool:
        """Whether it passed the gate or was published by force."""
        return self.manifest.status in ("published", "forced")

    def noted(self, **changes: str | bool | KeptModel | Override | None) -> "Release":
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


def is_whole(release: Release) -> bool:
    """Tell whether the release's file can be served."""
    try:
        verify(release)
    except UnknownReleaseError:
        return False
    return True


def adopt(home: Home, building: Path, manifest: Manifest) -> Release:
    """Move a finished build among the releases, durably; it is not current yet."""
    manifest.write(building)
    sync_tree(building)  # what is in it before its name appears
    make_folders(home.releases)
    folder = home.releases / manifest.release_id
    building.rename(folder)
    sync(home.releases)
    sync(building.parent)
    return Release(manifest, folder, is_current=False)
