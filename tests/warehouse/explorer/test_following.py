"""An open page follows the pointer: no release, the first, the next, a broken one."""

import re
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.warehouse.explorer.browsing import serve, visit
from tests.warehouse.publishing import publish, release_id
from warehouse.build.writer import BuildInput
from warehouse.releases.home import DATABASE, Home


def test_an_open_page_follows_the_pointer(
    browser: Browser, home: Home, given: BuildInput, tmp_path: Path
) -> None:
    with serve(home.path, tmp_path / "log") as server, visit(browser, server) as viewer:
        page = viewer.page
        viewer.open()
        expect(page.get_by_text("Nothing is published yet")).to_be_visible()
        expect(page.get_by_text("make run")).to_be_visible()

        publish(home, given, 0)
        expect(viewer.rows.first).to_be_visible()

        track = viewer.track_ids()[0]
        viewer.open(f"/?track={track}&weight=0.25")
        expect(viewer.rows.first).to_be_visible()
        listed = viewer.track_ids()
        publish(home, given, 1)
        expect(page.get_by_text(f"A new release is served: {release_id(1)}")).to_be_visible()
        page.wait_for_url(re.compile(r"weight=0\.25"))
        expect(page.get_by_role("slider", name="Crossfader")).to_have_value("25")
        viewer.expect_tracks(listed)
        page.get_by_role("button", name="Balanced").click()  # the page still responds
        expect(page.get_by_role("slider", name="Crossfader")).to_have_value("50")

        broken = home.releases / release_id(1) / DATABASE
        whole = broken.read_bytes()
        home.current.unlink()
        broken.write_bytes(whole[: len(whole) // 2])
        home.current.symlink_to(broken)
        viewer.open()
        expect(page.get_by_text("The current release cannot be read")).to_be_visible()
        expect(page.get_by_text("crossfade rollback")).to_be_visible()
        assert viewer.outside == []
        assert viewer.errors == []
