"""Artist pages, and the lists of music beside a subject's own."""

import re
import shutil
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import duckdb
import pytest
from playwright.sync_api import expect

from tests.conftest import Published
from tests.warehouse.explorer.browsing import Visit
from tests.warehouse.explorer.hostile import ARTIST
from tests.warehouse.explorer.test_discover import ids
from warehouse.explorer.artist import artist_links
from warehouse.explorer.snapshot import open_release


@pytest.fixture(scope="module")
def artist(release: duckdb.DuckDBPyConnection) -> str:
    """The artist with the most tracks."""
    return str(
        release.execute(
            "SELECT a.artist FROM (SELECT unnest(t.artists) AS artist FROM tracks t) a "
            "GROUP BY a.artist ORDER BY count(*) DESC, a.artist LIMIT 1"
        ).fetchall()[0][0]
    )


def near(release: duckdb.DuckDBPyConnection, artist: str, weight: float | None) -> list[str]:
    query = "SELECT artist FROM similar_artists(?, k := 20, weight := ?) ORDER BY rank"
    return ids(release, query, artist, weight)


def expect_artists(viewer: Visit, names: list[str]) -> None:
    """Wait until the list of artists is exactly this one."""
    shown = viewer.page.get_by_role("list", name="Artists, the closest first").locator(".name")
    expect(shown).to_have_text(names)


def test_a_song_leads_to_its_artist_with_songs_and_similar_artists(
    viewer: Visit, release: duckdb.DuckDBPyConnection, artist: str
) -> None:
    songs = ids(release, "SELECT track_id FROM artist_tracks(?, k := 10) ORDER BY rank", artist)
    viewer.open(f"/?track={songs[0]}")
    viewer.page.get_by_role("link", name=artist, exact=True).click()
    expect(viewer.page.locator(".card h1")).to_have_text(artist)
    assert parse_qs(urlsplit(viewer.page.url).query) == {"view": ["artist"], "artist": [artist]}
    listed = viewer.page.get_by_role("list", name="Songs, the best known and most typical first")
    expect(listed.locator("li")).to_have_count(len(songs))
    shown = listed.locator("li").evaluate_all("rows => rows.map(row => row.dataset.trackId)")
    assert shown == songs
    count = ids(release, "SELECT count(*) FROM artist_tracks(?, k := 100000)", artist)[0]
    expect(viewer.page.locator(".facts")).to_contain_text(re.compile(rf"Songs\s*{count}"))
    expect_artists(viewer, near(release, artist, None))


def test_similar_artists_follow_the_slider_and_lead_on(
    viewer: Visit, release: duckdb.DuckDBPyConnection, artist: str
) -> None:
    viewer.open(f"/?view=artist&artist={quote(artist)}")
    viewer.page.get_by_role("button", name="Content", exact=True).click()
    expect_artists(viewer, near(release, artist, 0.0))
    viewer.page.wait_for_url(re.compile(r"weight=0(&|$)"))
    following = near(release, artist, 0.0)[0]
    viewer.page.get_by_role("link", name=following, exact=True).click()
    expect(viewer.page.locator(".card h1")).to_have_text(following)
    expect_artists(viewer, near(release, following, 0.0))


def test_an_artist_that_is_not_in_the_release(viewer: Visit) -> None:
    viewer.open("/?view=artist&artist=nobody%20of%20that%20name")
    expect(viewer.page.get_by_text("No such artist in this release")).to_be_visible()


def test_a_hostile_artist_is_shown_as_written(stranger: Visit) -> None:
    stranger.open(f"/?view=artist&artist={quote(ARTIST)}")
    expect(stranger.page.locator(".card h1")).to_have_text(ARTIST)


def test_a_release_that_is_older_than_the_macros_has_no_links(
    published: Published, tmp_path: Path
) -> None:
    whole, older = tmp_path / "whole.duckdb", tmp_path / "older.duckdb"
    for file in (whole, older):
        shutil.copyfile(published.database, file)
    with duckdb.connect(str(older)) as connection:
        track = ids(connection, "SELECT track_id FROM tracks WHERE artist IS NOT NULL LIMIT 1")[0]
        connection.execute("DROP MACRO TABLE artist_tracks")
    assert artist_links(open_release(whole), track)
    # another id: what a release has is remembered by it
    assert artist_links(replace(open_release(older), release_id="older"), track) == []


def test_a_listener_has_other_lists(viewer: Visit, release: duckdb.DuckDBPyConnection) -> None:
    user = ids(release, "SELECT user_id FROM users WHERE segment = '6-20' ORDER BY user_id")[0]
    viewer.open(f"/?view=listener&user={user}")
    viewer.page.get_by_text("Artists", exact=True).click()
    names = ids(release, "SELECT artist FROM recommend_artists(?) ORDER BY rank", user)
    expect(viewer.page.locator(".tracklist .name")).to_have_text(names)
    viewer.page.wait_for_url(re.compile("list=recommend_artists"))
    viewer.open(viewer.page.url.removeprefix(viewer.url))  # the shared address
    expect(viewer.page.locator(".tracklist .name")).to_have_text(names)
    viewer.page.get_by_text("Recommended", exact=True).click()
    viewer.expect_tracks(ids(release, "SELECT track_id FROM recommend_user(?)", user))


@pytest.mark.parametrize("name", ["new_for_user", "on_repeat", "rediscover"])
def test_lists_that_need_times_are_offered_only_where_they_have_rows(
    viewer: Visit, release: duckdb.DuckDBPyConnection, name: str
) -> None:
    user = ids(release, "SELECT user_id FROM users WHERE segment = '6-20' ORDER BY user_id")[0]
    viewer.open(f"/?view=listener&user={user}")
    for title in ("New", "On repeat", "Rediscover"):
        expect(viewer.page.get_by_text(title, exact=True)).to_have_count(0)
    viewer.page.goto(f"{viewer.url}/?view=listener&user={user}&list={name}")
    expect(viewer.page.get_by_text("This list needs the times of plays")).to_be_visible()
    expect(viewer.page.get_by_role("slider", name="Crossfader")).to_have_count(0)


def test_a_radio_starts_from_a_song_and_another_one_differs(
    viewer: Visit, release: duckdb.DuckDBPyConnection
) -> None:
    track = ids(release, "SELECT track_id FROM popular_tracks WHERE scope = 'all' AND rank = 3")[0]
    query = "SELECT track_id FROM radio([?], k := 20, seed := ?) ORDER BY rank"
    viewer.open(f"/?track={track}&list=radio")
    viewer.expect_tracks(ids(release, query, track, 0))
    viewer.page.get_by_role("button", name="Another radio").click()
    viewer.expect_tracks(ids(release, query, track, 1))


def test_a_playlist_goes_on_from_liked_songs(
    viewer: Visit, release: duckdb.DuckDBPyConnection
) -> None:
    liked = ids(release, "SELECT track_id FROM popular_tracks WHERE scope = 'all' AND rank <= 2")
    viewer.open(f"/?view=listener&liked={liked[0]}&liked={liked[1]}&list=continue_playlist")
    query = "SELECT track_id FROM continue_playlist(?, k := 20) ORDER BY rank"
    viewer.expect_tracks(ids(release, query, liked))
