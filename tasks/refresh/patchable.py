"""An earlier file that differs from today's in few lists, and in tables that are quick to write."""

from collections.abc import Iterator
from pathlib import Path

import duckdb

from tasks.lake.dataset import Dataset
from tasks.lake.record import StageResult
from tasks.refresh.base import Found
from tasks.release.candidate import layout
from warehouse.build.patch import Earlier
from warehouse.contract.versions import STORAGE_VERSION
from warehouse.releases.home import Home
from warehouse.releases.release import Release, is_whole, list_releases

NEIGHBOURS = ("weights", "similarity")


def patchable(home: Home, found: Found, lists: StageResult, content: Dataset) -> Earlier | None:
    """Return a release of the same base and neighbours whose file was written as a whole.

    ``lists`` and ``content`` are what the refresh is made of. A patch is never made of a patch, so
    there is one place at most where rows stand that were written later.
    """
    for release in _written_as_a_whole(home, found):
        earlier = found.ranked(home.lake, release)
        if earlier is None:
            continue
        earlier_lists, earlier_content = earlier
        is_same = content.digest == earlier_content.digest and all(
            lists[name].digest == earlier_lists[name].digest for name in NEIGHBOURS
        )
        if is_same and (release == found.current or is_whole(release)):
            return Earlier(release.manifest.release_id, release.database, _parts(earlier_lists))
    return None


def _written_as_a_whole(home: Home, found: Found) -> Iterator[Release]:
    """Yield what the current release was made of, or itself, and its base."""
    known = {one.manifest.release_id: one for one in list_releases(home)}
    current = found.current.manifest
    for name in dict.fromkeys(
        (current.patch_of or current.release_id, found.inherited.base.release_id)
    ):
        release = known.get(name)
        if release is not None and _has_our_layout(release):
            yield release


def _has_our_layout(release: Release) -> bool:
    manifest = release.manifest
    here = (layout(), duckdb.__version__, STORAGE_VERSION)
    return manifest.patch_of is None and here == (
        manifest.layout,
        manifest.duckdb_version,
        manifest.storage_version,
    )


def _parts(lists: StageResult) -> tuple[Path, ...]:
    return tuple(
        lists[name].path for name in sorted(lists.datasets) if name.startswith("listeners_")
    )
