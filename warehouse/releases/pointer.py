"""The pointer to the current release: moved by one atomic rename, and moved back."""

import os
from pathlib import Path

from warehouse.errors import UnknownReleaseError
from warehouse.files import sync
from warehouse.releases.home import Home
from warehouse.releases.manifest import Override
from warehouse.releases.pending import check_rebuilt
from warehouse.releases.release import (
    Release,
    current_id,
    find_release,
    is_whole,
    list_releases,
    verify,
)


def named_current(home: Home) -> Release | None:
    """Return the release the pointer names, or None; its file is not read."""
    return next((release for release in list_releases(home) if release.is_current), None)


def current_release(home: Home) -> Release | None:
    """Return the release the pointer names if it is whole, else None."""
    release = named_current(home)
    return release if release is not None and is_whole(release) else None


def make_current(home: Home, release: Release) -> None:
    """Point at a release that verifies; readers see the old one or the new one, never neither."""
    verify(release)
    target = Path("releases") / release.folder.name / release.manifest.file
    link = home.current.with_name(f".current.{os.getpid()}")
    link.unlink(missing_ok=True)
    link.symlink_to(target)
    link.replace(home.current)
    sync(home.current.parent)


def rollback(
    home: Home,
    release_id: str | None = None,
    force: bool = False,
    override: Override | None = None,
) -> Release:
    """Make an earlier release current: the named one, else the last published before this one.

    Raises UnknownReleaseError if there is none, or if the named one was not published, and RunError
    if it still has listeners whom `crossfade forget` is forgetting; ``force`` accepts one that the
    gate refused. It keeps the ``override``, by whom and why, and is the anchor of later
    releases.
    """
    with home.locked("pointer", "rollback"):
        if release_id is not None:
            release = _published(find_release(home, release_id), force)
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
        check_rebuilt(home, release)
        left = named_current(home)
        make_current(home, release)
        if left is not None and left.folder.name > release.folder.name:
            left.noted(rolled_back=True)
        if release.is_published:
            return release.noted(rolled_back=False)
        return release.noted(
            rolled_back=False,
            status="forced",
            override=override,
            anchor=release.manifest.measured,
        )


def _published(release: Release, force: bool) -> Release:
    """Return the release if readers may get it; raises UnknownReleaseError if not."""
    manifest = release.manifest
    if release.is_published or (force and manifest.status == "refused"):
        return release
    if manifest.status == "refused":
        raise UnknownReleaseError(
            f"{manifest.release_id} was refused by the gate ({manifest.reason}) and never was "
            "current; --force makes it current anyway"
        )
    raise UnknownReleaseError(
        f"{manifest.release_id} is not finished: a run is still working on it or was ended; "
        "choose another of `crossfade releases`"
    )


def reason_to_skip_publish(home: Home, fingerprint: str, force: bool) -> tuple[Release, str] | None:
    """Return the current release and why it stays current, if a challenger would change nothing.

    ``fingerprint`` is that of the challenger's content. The current release holds the same, or
    somebody went back to it from a release that does: the next run would undo that otherwise.
    ``force`` publishes again what was rolled back.
    """
    current = current_release(home)
    if current is None:
        return None
    if current.manifest.fingerprint == fingerprint:
        return current, "inputs unchanged"
    gone = None if force else rolled_back(home, fingerprint)
    if gone is None:
        return None
    return current, f"{gone.manifest.release_id} holds the same and was rolled back"


def rolled_back(home: Home, fingerprint: str) -> Release | None:
    """Return the release with that content from which an operator rolled back to the current one.

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
    return same[-1] if same and is_whole(same[-1]) else None
