"""The Release view: quality, catalogue, input, changes, build; tables as CSV."""

import csv
import io
from pathlib import Path

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
    viewer.page.get_by_role("tab", name="Catalogue").click()
    expect(viewer.page.get_by_text("Tracks by listeners")).to_be_visible()
    viewer.page.get_by_role("tab", name="Build").click()
    expect(viewer.page.get_by_text("Time by stage").last).to_be_visible()
    viewer.page.get_by_role("tab", name="Changes").click()
    expect(viewer.page.get_by_text("There is no earlier release")).to_be_visible()


def test_checks_and_rejected_rows_are_downloaded_unchanged(stranger: Visit) -> None:
    stranger.open("/?view=release")
    stranger.page.get_by_role("tab", name="Input").click()
    assert download(stranger, "data-quality")[0]["details"] == NOTE
    assert download(stranger, "rejected-rows")[0]["raw"].startswith("<script>")


def test_the_previous_release_is_compared(stranger: Visit) -> None:
    stranger.open("/?view=release")
    stranger.page.get_by_role("tab", name="Changes").click()
    expect(stranger.page.get_by_text(f"Compared with {release_id(0)}")).to_be_visible()
    rows = {row["relation"]: row for row in download(stranger, "difference-rows")}
    assert rows["tracks"]["previous"] == rows["tracks"]["current"] == "12"
    stranger.page.get_by_role("button", name="Compare the lists").click()
    expect(stranger.page.get_by_text("Listeners in both releases: 1.")).to_be_visible()
    for label in ("Tracks kept", "Overlap, weighted by rank", "Same first track"):
        metric = stranger.page.get_by_test_id("stMetric").filter(has_text=label)
        expect(metric.get_by_test_id("stMetricValue")).to_have_text("100%")
