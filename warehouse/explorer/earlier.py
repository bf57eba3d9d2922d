"""The releases published before one that are still kept."""

from collections.abc import Iterator

from warehouse.errors import UnknownReleaseError
from warehouse.explorer.snapshot import Snapshot, open_release
from warehouse.releases.home import Home
from warehouse.releases.release import list_releases


def earlier_releases(home: Home, release_id: str) -> Iterator[Snapshot]:
    """Open the releases published before this one, the latest first; a damaged one is left out."""
    for release in reversed(list_releases(home)):
        if release.is_published and release.manifest.release_id < release_id:
            try:
                yield open_release(release.database)
            except UnknownReleaseError:
                continue


def previous_release(home: Home, release_id: str) -> Snapshot | None:
    """Open the release published before this one, or return None if there is none."""
    return next(earlier_releases(home, release_id), None)
