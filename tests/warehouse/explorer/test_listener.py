"""Listener: a known one with history and weight, an unknown id, a new one with liked songs."""

import re
from urllib.parse import parse_qs, urlsplit

import duckdb
import pytest
from playwright.sync_api import expect

from tests.warehouse.explorer.browsing import Visit
from tests.warehouse.explorer.test_discover import ids


@pytest.fixture(scope="module")
def user(release: duckdb.DuckDBPyConnection) -> tuple[str, int, float]:
    """Id, tracks played and suggested weight of a listener."""
    return release.execute(
        "SELECT user_id, tracks_played, weight FROM users WHERE segment = '6-20' "
        "ORDER BY user_id LIMIT 1"
    ).fetchall()[0]


def test_a_pasted_id_shows_history_weight_and_list(
    viewer: Visit, release: duckdb.DuckDBPyConnection, user: tuple[str, int, float]
) -> None:
    viewer.open("/?view=listener")
    field = viewer.page.get_by_label("Listener id")
    field.fill(f"  {user[0]} ")
    field.press("Enter")
    expect(viewer.page.locator(".card h1")).to_have_text(f"Listener {user[0]}")
    expect(viewer.page.locator(".facts")).to_contain_text(f"{round(100 * user[2])} % collaborative")
    viewer.expect_tracks(ids(release, "SELECT track_id FROM recommend_user(?)", user[0]))
    expect(viewer.page.locator(".reason").first).to_contain_text("Because you played")
    viewer.page.get_by_text(f"History: {user[1]} tracks").click()
    expect(viewer.page.get_by_test_id("stDataFrame")).to_be_visible()
    viewer.page.get_by_role("button", name="Content", exact=True).click()
    query = "SELECT track_id FROM recommend_user(?, weight := 0)"
    viewer.expect_tracks(ids(release, query, user[0]))
    viewer.page.get_by_role("button", name="Suggested").click()
    viewer.expect_tracks(ids(release, "SELECT track_id FROM recommend_user(?)", user[0]))


def test_played_songs_can_be_included_and_filters_fill_the_list(
    viewer: Visit, release: duckdb.DuckDBPyConnection, user: tuple[str, int, float]
) -> None:
    viewer.open(f"/?view=listener&user={user[0]}")
    viewer.page.get_by_text("Include songs already played").click()
    query = "SELECT track_id FROM recommend_user(?, heard := true)"
    viewer.expect_tracks(ids(release, query, user[0]))
    viewer.open(f"/?view=listener&user={user[0]}&genre=Pop&weight=0.2")
    query = (
        "SELECT track_id FROM user_candidates(?, weight := 0.2) WHERE genre = 'Pop' "
        "ORDER BY rank LIMIT 20"
    )
    viewer.expect_tracks(ids(release, query, user[0]))


def test_a_list_can_be_varied_unless_it_is_filtered(
    viewer: Visit, release: duckdb.DuckDBPyConnection, user: tuple[str, int, float]
) -> None:
    viewer.open(f"/?view=listener&user={user[0]}&order=More%20varied")
    query = "SELECT track_id FROM recommend_user(?, diversity := 0.5)"
    viewer.expect_tracks(ids(release, query, user[0]))
    viewer.page.get_by_role("button", name=re.compile("More varied")).click()
    viewer.expect_tracks(ids(release, "SELECT track_id FROM recommend_user(?)", user[0]))
    viewer.open(f"/?view=listener&user={user[0]}&order=More%20varied&genre=Pop")
    query = "SELECT track_id FROM user_candidates(?) WHERE genre = 'Pop' ORDER BY rank LIMIT 20"
    viewer.expect_tracks(ids(release, query, user[0]))


def test_a_random_listener_of_a_segment(viewer: Visit, release: duckdb.DuckDBPyConnection) -> None:
    viewer.open("/?view=listener")
    viewer.page.get_by_role("button", name=re.compile("Random listener with 2.5 tracks")).click()
    expect(viewer.page.locator(".card h1")).to_contain_text("Listener")
    viewer.page.wait_for_url(re.compile("user="))
    found = parse_qs(urlsplit(viewer.page.url).query)["user"][0]
    assert ids(release, "SELECT segment FROM users WHERE user_id = ?", found) == ["2-5"]
    viewer.expect_tracks(ids(release, "SELECT track_id FROM recommend_user(?)", found))


def test_an_unknown_id_gets_the_popular_list(
    viewer: Visit, release: duckdb.DuckDBPyConnection
) -> None:
    viewer.open("/?view=listener&user=nobody%20of%20that%20name")
    expect(viewer.page.get_by_text("No such listener in this release")).to_be_visible()
    viewer.expect_tracks(ids(release, "SELECT track_id FROM recommend_user('nobody')"))


def test_a_new_listener_has_a_list_with_the_first_song(
    viewer: Visit, release: duckdb.DuckDBPyConnection
) -> None:
    wanted = release.execute(
        "SELECT track_id, name FROM tracks WHERE listeners > 5 AND len(name) > 8 "
        "AND name IN (SELECT name FROM tracks GROUP BY name HAVING count(*) = 1) "
        "ORDER BY track_id LIMIT 2"
    ).fetchall()
    viewer.open("/?view=listener")
    viewer.page.get_by_text("New listener").click()
    liked: list[str] = []
    query = "SELECT track_id FROM recommend_tracks(?)"
    for track_id, name in wanted:
        finder = viewer.page.get_by_role("combobox", name="Songs this listener likes")
        finder.fill(name)
        viewer.page.get_by_role("option", name=name).first.click()
        liked.append(track_id)
        viewer.expect_tracks(ids(release, query, liked))
    assert parse_qs(urlsplit(viewer.page.url).query)["liked"] == liked
    viewer.open(viewer.page.url.removeprefix(viewer.url))  # the shared address
    viewer.expect_tracks(ids(release, query, liked))
    viewer.page.get_by_role("button", name=f"Remove {wanted[0][1]}").click()
    viewer.expect_tracks(ids(release, query, liked[1:]))
    viewer.rows.first.locator("a").click()
    expect(viewer.page.get_by_role("combobox", name="Find a song")).to_be_visible()
