"""One browser for the views; servers on the sample's release and on a hostile catalogue."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from playwright.sync_api import Browser

from tests.conftest import Published
from tests.warehouse.explorer.browsing import CHROMIUM, Server, Visit, chromium, serve, visit
from tests.warehouse.explorer.hostile import hostile_home
from warehouse.releases.home import Home


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium, closed before tests elsewhere start event loops of their own."""
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine: apt-get install chromium")
    with chromium() as running:
        yield running


@pytest.fixture(scope="package")
def sample_server(
    browser: Browser,  # noqa: ARG001 - skips without a browser
    published: Published,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Server]:
    """The explorer on the sample's release."""
    with serve(published.home, tmp_path_factory.mktemp("explorer") / "log") as server:
        yield server
        assert "Traceback" not in server.log.read_text()


@pytest.fixture
def viewer(browser: Browser, sample_server: Server) -> Iterator[Visit]:
    """A viewer of the sample; fails on requests to other hosts and on page errors."""
    with visit(browser, sample_server) as seen:
        yield seen
        assert seen.outside == []
        assert seen.errors == []


@pytest.fixture(scope="package")
def release(published: Published) -> Iterator[duckdb.DuckDBPyConnection]:
    """The sample's release, for the same queries as the page."""
    with duckdb.connect(str(published.database.resolve()), read_only=True) as connection:
        yield connection


@pytest.fixture(scope="package")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with two releases of a hostile catalogue."""
    return hostile_home(tmp_path_factory.mktemp("hostile"))


@pytest.fixture(scope="package")
def hostile_server(
    browser: Browser,  # noqa: ARG001
    hostile: Home,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Server]:
    """The explorer on the hostile catalogue."""
    log: Path = tmp_path_factory.mktemp("explorer") / "log"
    with serve(hostile.path, log) as server:
        yield server
        assert "Traceback" not in server.log.read_text()


@pytest.fixture
def stranger(browser: Browser, hostile_server: Server) -> Iterator[Visit]:
    """A viewer of the hostile catalogue; none of its text may run or fetch anything."""
    with visit(browser, hostile_server) as seen:
        yield seen
        assert seen.outside == []
        assert seen.errors == []
        assert seen.page.evaluate("window.harmed") is None
