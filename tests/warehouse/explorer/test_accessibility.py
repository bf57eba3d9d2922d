"""Every page passes the rules of axe-core in light and dark, and works without a mouse."""

from collections.abc import Iterator
from urllib.parse import quote

import duckdb
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from tests.warehouse.explorer.browsing import Server, Visit, visit

FOCUSED = """
() => {
  let element = document.activeElement;
  while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
  return (element?.getAttribute('aria-label') ?? element?.textContent ?? '').trim();
}
"""
TABS = ("Quality", "Catalogue", "Input", "Changes", "Build")
STOPS = 40
"""Number of Tab presses within which everything above the list is reached."""


@pytest.fixture(scope="module")
def reader(browser: Browser, sample_server: Server) -> Iterator[Visit]:
    """One page on the sample for all tests of this module."""
    with visit(browser, sample_server) as seen:
        yield seen


@pytest.fixture(scope="module")
def pages(release: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    """The addresses of each view on the sample."""
    tracks = [row[0] for row in release.execute(
        "SELECT track_id FROM popular_tracks WHERE scope = 'all' ORDER BY rank LIMIT 2"
    ).fetchall()]  # fmt: skip
    artist = release.execute("SELECT min(artist) FROM tracks").fetchall()[0][0]
    user = release.execute("SELECT min(user_id) FROM users").fetchall()[0][0]
    return {
        "discover": [
            "/",
            "/?track=NOSUCH",
            f"/?track={tracks[0]}&genre=Rock&weight=0.4",
            f"/?track={tracks[0]}&list=radio",
            "/?release=nosuch",
        ],
        "artist": [f"/?view=artist&artist={quote(artist)}", "/?view=artist&artist=nobody"],
        "listener": [
            "/?view=listener",
            f"/?view=listener&user={user}",
            f"/?view=listener&user={user}&list=recommend_artists",
            f"/?view=listener&user={user}&list=new_for_user",
            "/?view=listener&user=nobody",
            f"/?view=listener&liked={tracks[0]}&liked={tracks[1]}",
            f"/?view=listener&liked={tracks[0]}&list=continue_playlist",
        ],
        "release": [f"/?view=release&tab={tab}" for tab in TABS],
    }


def violations(viewer: Visit, path: str) -> list[str]:
    """Return what axe finds in light and in dark, one line for each rule and element."""
    found = []
    for scheme in ("light", "dark"):
        viewer.page.emulate_media(color_scheme=scheme)  # before the page is drawn
        viewer.open(path)
        for rule in Axe().run(viewer.page).response["violations"]:
            found += [f"{scheme}: {rule['id']} at {node['target']}" for node in rule["nodes"]]
    return found


@pytest.mark.parametrize("view", ["discover", "artist", "listener", "release"])
def test_axe_finds_nothing(reader: Visit, pages: dict[str, list[str]], view: str) -> None:
    found = {path: violations(reader, path) for path in pages[view]}
    assert not any(found.values()), found


def test_axe_finds_nothing_where_there_are_experiments(stranger: Visit) -> None:
    assert violations(stranger, "/?view=experiments") == []


def tab_to(viewer: Visit, what: str) -> None:
    """Press Tab until the label or text of what is focused begins with this."""
    for _ in range(STOPS):
        viewer.page.keyboard.press("Tab")
        if viewer.page.evaluate(FOCUSED).startswith(what):
            return
    raise AssertionError(f"{what} is not reached by {STOPS} presses of Tab")


def test_a_song_is_opened_moved_and_explained_by_keyboard(
    reader: Visit, release: duckdb.DuckDBPyConnection
) -> None:
    reader.open()
    name = reader.rows.first.locator("a").text_content()
    tab_to(reader, str(name))
    reader.page.keyboard.press("Enter")
    expect(reader.page.locator(".card h1")).to_have_text(str(name))
    reader.open(reader.page.url.removeprefix(reader.url))
    tab_to(reader, "Crossfader")
    reader.page.keyboard.press("Home")
    track = reader.page.url.partition("track=")[2].partition("&")[0]
    query = "SELECT track_id FROM similar_to(?, k := 20, weight := 0) ORDER BY rank"
    reader.expect_tracks([row[0] for row in release.execute(query, [track]).fetchall()])
    tab_to(reader, "Why?")
    reader.page.keyboard.press("Enter")
    expect(reader.page.locator(".why")).to_be_visible()


def test_views_are_changed_by_keyboard(reader: Visit) -> None:
    reader.open()
    tab_to(reader, "Release")
    reader.page.keyboard.press("Enter")
    expect(reader.page.locator(".card h1")).to_contain_text("Release")
    tab_to(reader, "Quality")
    reader.page.keyboard.press("ArrowRight")
    expect(reader.page.get_by_role("tab", name="Catalogue")).to_be_focused()
