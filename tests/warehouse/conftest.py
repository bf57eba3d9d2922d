"""One small world for all tests that publish it."""

from pathlib import Path

import pytest

from tests.warehouse.publishing import publish
from tests.warehouse.worlds import build_world
from warehouse.build.writer import BuildInput
from warehouse.releases.home import Home


@pytest.fixture(scope="session")
def given(tmp_path_factory: pytest.TempPathFactory) -> BuildInput:
    """What a small release is built from."""
    return build_world(tmp_path_factory.mktemp("given"), seed=5, n=30, users=10).given


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """An empty home."""
    return Home(tmp_path / "home")


@pytest.fixture(scope="session")
def three_published(tmp_path_factory: pytest.TempPathFactory, given: BuildInput) -> Home:
    """A home with three releases, the last one current; to be read or copied, not changed."""
    home = Home(tmp_path_factory.mktemp("three") / "home")
    for number in range(3):
        publish(home, given, number)
    return home
