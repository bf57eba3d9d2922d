"""Power cuts: whatever has reached the disk at a moment is a home with a whole release.

A home lies on a file system in an image. The image is copied while releases are published, which
is what a disk holds when the power goes: what was synced, and perhaps more. CROSSFADE_POWER_CUTS
says how many cuts there are on each file system (default 6), CROSSFADE_SEED which ones.
"""

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.warehouse.publishing import (
    assert_serves,
    assert_tidy,
    processes,
    publish,
    release_id,
    run,
)
from warehouse.build.writer import BuildInput
from warehouse.releases.home import Home
from warehouse.releases.release import current_id, list_releases

CUTS = int(os.environ.get("CROSSFADE_POWER_CUTS", "6"))
SEED = int(os.environ.get("CROSSFADE_SEED", "0"))

MEGABYTES = 320
"""Size of an image: XFS takes none below 300."""


OPTIONS = {"ext4": "loop", "xfs": "loop,nouuid"}
"""How to mount an image; XFS refuses two of the same UUID, such as an image and its copy."""


@contextmanager
def _mounted(image: Path, kind: str, folder: Path) -> Iterator[Path]:
    """Mount an image; replays the journal if it was not unmounted."""
    folder.mkdir()
    subprocess.run(["mount", "-o", OPTIONS[kind], image, folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)
        folder.rmdir()


@pytest.fixture
def image(tmp_path: Path, kind: str) -> Path:
    """An image with an empty file system; skips without the means to make and mount one."""
    if not (mkfs := shutil.which(f"mkfs.{kind}")):
        pytest.skip(f"no mkfs.{kind} on this machine")
    image = tmp_path / "image"
    with image.open("wb") as file:
        file.truncate(MEGABYTES << 20)
    subprocess.run([mkfs, "-q", image], check=True)
    try:
        with _mounted(image, kind, tmp_path / "tried"):
            return image
    except subprocess.CalledProcessError:
        pytest.skip("no right to mount an image here")


def _publish_for_ever(home: Home, given: BuildInput, told: Path) -> None:
    """Publish again and again; note the number of each release that is published for good."""
    number = 0
    while True:
        number += 1
        run(home, given, number)
        told.write_text(str(number))


@pytest.mark.slow
@pytest.mark.timeout(120 + 30 * CUTS)
@pytest.mark.parametrize("kind", OPTIONS)
def test_a_power_cut_loses_nothing_that_was_published(
    given: BuildInput, tmp_path: Path, image: Path, kind: str
) -> None:
    told = tmp_path / "told"
    drawn = random.Random(f"{SEED}-{kind}")
    with _mounted(image, kind, tmp_path / "disk") as disk:
        home = Home(disk / "home")
        publish(home, given, 0)
        told.write_text("0")
        writer = processes().Process(target=_publish_for_ever, args=(home, given, told))
        writer.start()
        try:
            for _ in range(CUTS):
                time.sleep(drawn.uniform(0.2, 2.5))
                assert writer.pid is not None
                assert writer.is_alive()
                os.kill(writer.pid, signal.SIGSTOP)  # or the copy would be of several moments
                published = int(told.read_text())
                copy = tmp_path / "copy"
                subprocess.run(["cp", "--sparse=always", image, copy], check=True)
                os.kill(writer.pid, signal.SIGCONT)
                with _mounted(copy, kind, tmp_path / "after") as after:
                    _assert_whole(Home(after / "home"), given, published)
                copy.unlink()
        finally:
            writer.kill()
            writer.join()


def _assert_whole(home: Home, given: BuildInput, published: int) -> None:
    """Assert that a home is whole, has what was published, and goes on."""
    assert_serves(home)
    assert (current_id(home) or "") >= release_id(published)
    for release in list_releases(home):
        assert release.database.stat().st_size == release.manifest.bytes
    number = published + 100
    run(home, given, number)
    assert current_id(home) == release_id(number)
    assert_serves(home)
    assert_tidy(home)
