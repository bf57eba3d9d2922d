"""What people come with, from the start page on, by what the page offers (docs/explorer.md)."""

import duckdb
from playwright.sync_api import expect

from tests.warehouse.explorer.browsing import Visit
from tests.warehouse.explorer.test_release import download


def start(viewer: Visit, view: str) -> None:
    """Open the start page and choose a view."""
    viewer.open("/")
    viewer.page.get_by_role("link", name=view).click()


def test_is_the_last_release_better_and_why(stranger: Visit) -> None:
    start(stranger, "Release")
    better = stranger.page.locator(".answers section").first
    expect(better).to_contain_text("Yes: of 100 tracks people went on to play")
    expect(better).to_contain_text("Data, parameters and code are the same.")


def test_should_an_experiment_ship(stranger: Visit) -> None:
    start(stranger, "Experiments")
    verdict = stranger.page.locator(".answers section").first
    expect(verdict).to_contain_text("Keep waiting: nothing is measured yet.")


def test_why_did_a_listener_get_a_song(viewer: Visit, release: duckdb.DuckDBPyConnection) -> None:
    user, track, played, name, because = release.execute(
        "SELECT r.user_id, r.track_id, r.because_track_id, t.name, b.name "
        "FROM user_recommendations r JOIN tracks t USING (track_id) "
        "JOIN tracks b ON b.track_id = r.because_track_id "
        "WHERE r.rank = 5 ORDER BY r.user_id LIMIT 1"
    ).fetchall()[0]
    query = "SELECT reason FROM explain(?, ?)"
    reason = release.execute(query, [played, track]).fetchall()[0][0]
    start(viewer, "Listener")
    box = viewer.page.get_by_label("Listener id")
    box.fill(user)
    box.press("Enter")
    row = viewer.page.locator(f'.tracklist li[data-track-id="{track}"]')
    expect(row.locator(".name")).to_have_text(name)
    expect(row.locator(".reason b")).to_have_text(because)
    row.get_by_role("button", name="Why?").click()
    expect(row.locator(".why")).to_contain_text(reason[1:])


def test_which_artists_are_over_exposed(viewer: Visit, release: duckdb.DuckDBPyConnection) -> None:
    artist = release.execute(
        "SELECT t.artist FROM user_recommendations r JOIN tracks t USING (track_id) "
        "GROUP BY t.artist ORDER BY count(*) / (SELECT count(*) FROM user_recommendations) - "
        "(SELECT sum(p.plays) FROM tracks p WHERE p.artist = t.artist) "
        "/ (SELECT sum(p.plays) FROM tracks p WHERE p.artist IS NOT NULL) DESC LIMIT 1"
    ).fetchall()[0][0]
    start(viewer, "Release")
    viewer.page.get_by_role("tab", name="Catalogue").click()
    expect(viewer.page.get_by_text(f"Most of all {artist}:")).to_be_visible()
    viewer.page.get_by_text("All of these artists").click()
    assert download(viewer, "artists")[0]["artist"] == artist


def test_what_went_wrong_with_the_input(stranger: Visit) -> None:
    start(stranger, "Release")
    answer = stranger.page.locator(".answers section").nth(2)
    expect(answer).to_contain_text("1 row was set aside (too | many 1)")
    stranger.page.get_by_role("tab", name="Input").click()
    row = download(stranger, "rejected-rows")[0]
    assert (row["file"], row["record"], row["reason"]) == ("<b>a.csv</b>", "7", "too | many")
