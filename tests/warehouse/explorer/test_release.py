"""The Release view: quality, catalogue, input, changes, build; tables as CSV."""

import csv
import io
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import duckdb
from playwright.sync_api import expect

from tests.warehouse.explorer.browsing import Visit
from tests.warehouse.explorer.hostile import NOTE
from tests.warehouse.publishing import release_id


def download(viewer: Visit, name: str) -> list[dict[str, str]]:
    """Press a table's CSV button and return its rows."""
    with viewer.page.expect_download() as started:
        viewer.page.locator(f".st-key-csv-{name} button").click()
    return list(csv.DictReader(io.StringIO(Path(started.value.path()).read_text())))


def test_quality_and_catalogue_are_plotted(
    viewer: Visit, release: duckdb.DuckDBPyConnection
) -> None:
    viewer.open("/?view=release")
    name = release.execute("SELECT release_id FROM release").fetchall()[0][0]
    expect(viewer.page.locator(".card h1")).to_have_text(f"Release {name}")
    expect(viewer.page.get_by_test_id("stVegaLiteChart").first).to_be_visible()
    viewer.page.get_by_text("All measured values").click()
    measured = release.execute("SELECT count(*) FROM evaluation").fetchall()[0][0]
    assert len(download(viewer, "evaluation")) == measured
    viewer.page.get_by_text("Checks against the best single signal").click()
    of_the_model = {row["check_name"] for row in download(viewer, "model-checks")}
    assert {name.partition(":")[0] for name in of_the_model} == {"hybrid_keeps_up"}
    viewer.page.get_by_role("tab", name="Input").click()
    of_the_input = {row["check_name"] for row in download(viewer, "data-quality")}
    every = {row[0] for row in release.execute("SELECT check_name FROM data_quality").fetchall()}
    assert of_the_input | of_the_model == every
    assert of_the_input & of_the_model == set()
    viewer.page.get_by_role("tab", name="Catalogue").click()
    expect(viewer.page.get_by_text("Tracks by listeners")).to_be_visible()
    viewer.page.get_by_role("tab", name="Build").click()
    expect(viewer.page.get_by_text("Time by stage").last).to_be_visible()
    viewer.page.get_by_role("tab", name="Changes").click()
    expect(viewer.page.get_by_text("There is no other release to compare with.")).to_be_visible()


def test_checks_and_rejected_rows_are_downloaded_unchanged(stranger: Visit) -> None:
    stranger.open("/?view=release")
    stranger.page.get_by_role("tab", name="Input").click()
    assert download(stranger, "data-quality")[0]["details"] == NOTE
    assert download(stranger, "rejected-rows")[0]["raw"].startswith("<script>")


def test_three_answers_beside_the_previous_release(stranger: Visit) -> None:
    stranger.open("/?view=release")
    better, lists, data = (stranger.page.locator(".answers section").nth(x) for x in range(3))
    expect(better).to_contain_text(
        "Yes: of 100 tracks people went on to play, 38.3 were in their first 20, 37.1 before "
        "(+3.1 %, interval 1.2 to 5.0)."
    )
    expect(better).to_contain_text(f"Compared with {release_id(0)}")
    expect(lists).to_contain_text("Nothing: all lists are the same.")
    expect(data).to_contain_text("Yes: 1 check of 1 failed (**check**), and 1 row was set aside")
    expect(data).to_contain_text(NOTE)
    stranger.page.get_by_role("tab", name="Changes").click()
    expect(stranger.page.get_by_text(f"Compared with {release_id(0)}").last).to_be_visible()
    rows = {row["relation"]: row for row in download(stranger, "difference-rows")}
    assert rows["tracks"]["other release"] == rows["tracks"]["this release"] == "12"
    stranger.page.get_by_text("Tracks that anybody is shown").click()
    expect(stranger.page.get_by_test_id("stDataFrame").last).to_be_visible()
    stranger.page.get_by_role("tab", name="Catalogue").click()
    expect(stranger.page.get_by_text("Over-exposed artists")).to_be_visible()
    # the one artist of this catalogue has all plays, so nobody is
    expect(stranger.page.get_by_text("No artist has a larger share")).to_be_visible()


def test_an_older_release_is_opened_and_keeps_its_address(stranger: Visit) -> None:
    page = stranger.page
    stranger.open("/?view=release")
    permalink = page.get_by_role("link", name="Permalink")
    assert parse_qs(urlsplit(str(permalink.get_attribute("href"))).query) == {
        "view": ["release"], "release": [release_id(1)],
    }  # fmt: skip
    page.locator(".st-key-opened-release").get_by_role("combobox").click()
    page.get_by_role("option", name=release_id(0)).click()
    expect(page.locator(".card h1")).to_have_text(f"Release {release_id(0)}")
    expect(page.locator(".answers section").first).to_contain_text(
        f"Unknown: the gate did not compare it with {release_id(1)}."
    )
    page.get_by_role("link", name="Discover").click()
    expect(page.get_by_text(f"Earlier release {release_id(0)}")).to_be_visible()
    assert release_id(0) in str(stranger.rows.first.locator("a").get_attribute("href"))
    stranger.open(page.url.removeprefix(stranger.url))
    page.get_by_role("link", name="Go to the current release").click()
    expect(page.get_by_text("Earlier release")).to_have_count(0)
    page.wait_for_url(lambda url: "release" not in url)


def test_a_release_that_is_not_kept(stranger: Visit) -> None:
    stranger.open("/?release=../../etc")
    expect(stranger.page.get_by_text("This release cannot be opened")).to_be_visible()
    stranger.page.get_by_role("button", name="Open the current release").click()
    expect(stranger.rows.first).to_be_visible()
