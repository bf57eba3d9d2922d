"""The Experiments view in a browser: verdict, charts, folded details, foreign text."""

from playwright.sync_api import expect

from tests.warehouse.explorer.browsing import Visit
from tests.warehouse.explorer.hostile import NOTE
from tests.warehouse.explorer.test_release import download


def test_experiments_have_a_view_if_there_are_any(viewer: Visit, stranger: Visit) -> None:
    stranger.open("/?view=experiments")
    expect(stranger.page.locator(".card h1")).to_have_text("<b>exp</b>")
    sections = stranger.page.locator(".answers section")
    expect(sections.nth(0)).to_contain_text("Keep waiting: nothing is measured yet.")
    expect(sections.nth(1)).to_contain_text("Guardrails of **variant**")
    expect(sections.nth(1)).to_contain_text("no clear change +1.0 %, 95 % interval −0.2 to 2.2")
    expect(stranger.page.get_by_test_id("stVegaLiteChart")).to_have_count(1)
    expect(
        stranger.page.get_by_text("The course appears once releases of two days")
    ).to_be_visible()
    stranger.page.get_by_text("All results and notes").click()
    assert download(stranger, "experiments")[0]["note"] == NOTE
    viewer.open()
    expect(viewer.page.get_by_role("link", name="Release")).to_be_visible()
    expect(viewer.page.get_by_role("link", name="Experiments")).to_have_count(0)
