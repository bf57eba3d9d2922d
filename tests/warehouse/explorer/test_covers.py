"""Pictures of the catalogue: fetched only if the explorer was started with them."""

import base64
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.warehouse.explorer.browsing import Server, Visit, serve, visit
from tests.warehouse.explorer.hostile import COVERS, track_ids
from tests.warehouse.explorer.test_accessibility import violations
from warehouse.releases.home import Home

PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
"""One pixel, PNG."""


@pytest.fixture(scope="module")
def server_with_covers(
    browser: Browser,  # noqa: ARG001
    hostile: Home,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Server]:
    """The explorer on the hostile catalogue, with pictures."""
    log: Path = tmp_path_factory.mktemp("explorer") / "log"
    with serve(hostile.path, log, "--covers") as server:
        yield server
        assert "Traceback" not in log.read_text()


def answer(route: Route) -> None:
    """Stand in for the host of the pictures, which has one of them."""
    if route.request.url.endswith("/0.png"):
        route.fulfill(body=PICTURE, content_type="image/png")
    else:
        route.fulfill(status=404)


def test_no_picture_unless_asked(stranger: Visit) -> None:
    stranger.open()
    expect(stranger.rows).not_to_have_count(0)
    expect(stranger.page.locator("img.cover")).to_have_count(0)  # and nothing fetched: fixture


def test_pictures_of_the_catalogue(browser: Browser, server_with_covers: Server) -> None:
    with visit(browser, server_with_covers) as viewer:
        viewer.page.route(f"{COVERS}/**", answer)
        viewer.open()
        first = viewer.rows.first.locator("img.cover")
        expect(first).to_have_js_property("naturalWidth", 1)
        expect(first).to_have_attribute("alt", "Cover of <script>window.harmed = true</script>")
        # neither the link that is no web address, nor the picture that is gone
        expect(viewer.page.locator("img.cover")).to_have_count(1)
        assert set(viewer.outside) == {f"{COVERS}/0.png", f"{COVERS}/gone.png"}
        path = f"/?track={quote(track_ids()[0])}"
        viewer.open(path)
        expect(viewer.page.locator(".card img.cover")).to_have_js_property("naturalWidth", 1)
        assert violations(viewer, path) == []
        assert viewer.page.evaluate("window.harmed") is None
