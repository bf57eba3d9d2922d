"""The releases that are kept beside the one on the page."""

from collections.abc import Iterator

from warehouse.errors import UnknownReleaseError
from warehouse.explorer.snapshot import Snapshot, open_release
from warehouse.releases.home import Home
from warehouse.releases.manifest import Manifest
from warehouse.releases.release import find_release, list_releases


def kept_releases(home: Home) -> list[str]:
    """Return the ids of the published releases, the latest first."""
    published = (one.manifest.release_id for one in list_releases(home) if one.is_published)
    return sorted(published, reverse=True)


def manifest_of(home: Home, release_id: str) -> Manifest | None:
    """Return a release's manifest, or None if it was pruned meanwhile."""
    try:
        return find_release(home, release_id).manifest
    except UnknownReleaseError:
        return None


def open_kept(home: Home, release_id: str) -> Snapshot | None:
    """Open a kept release, or return None if it is damaged or was pruned meanwhile."""
    try:
        return open_release(find_release(home, release_id).link)
    except UnknownReleaseError:
        return None


def earlier_releases(home: Home, release_id: str) -> Iterator[Snapshot]:
    """Open the releases published before this one, the latest first; a damaged one is left out."""
    for name in kept_releases(home):
        if name < release_id and (opened := open_kept(home, name)) is not None:
            yield opened
