"""Text from the catalogue and the address is never interpreted as HTML or Markdown."""

from urllib.parse import quote

from playwright.sync_api import expect

from tests.warehouse.explorer.browsing import Visit
from tests.warehouse.explorer.hostile import ARTIST, GENRE, LISTENER, LONG, TAGS, TITLES, track_ids


def test_titles_are_shown_as_written(stranger: Visit) -> None:
    stranger.open()
    shown = stranger.page.locator(".tracklist .name").all_text_contents()
    names = dict(zip(track_ids(), TITLES, strict=True))
    for track_id, text in zip(stranger.track_ids(), shown, strict=True):
        name = names[track_id] or track_id
        assert text == name or (len(name) > 300 and name.startswith(text.removesuffix("…")))
    assert ARTIST in stranger.page.locator(".artist").first.text_content()  # type: ignore[operator]
    assert stranger.page.locator(".play").count() == 0  # a javascript: preview is none


def test_each_title_as_a_heading_leaves_the_page_whole(stranger: Visit) -> None:
    for track_id, title in zip(track_ids()[:7], TITLES[:7], strict=True):
        stranger.open(f"/?track={quote(track_id)}")
        heading = stranger.page.locator(".card h1")
        expect(heading).to_have_text(title if title != LONG else LONG[:299] + "…")
        assert stranger.page.locator(".card script, .card img, .card em").count() == 0
        wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        assert not stranger.page.evaluate(wide)
        box = heading.bounding_box()
        assert box is not None
        assert box["height"] < 120
        chips = stranger.page.locator(".chips li").all_text_contents()
        assert chips == TAGS


def test_a_hostile_filter_filters(stranger: Visit) -> None:
    stranger.open(f"/?track=T02&genre={quote(GENRE)}")
    chip = stranger.page.get_by_role("button", name=f"Remove {GENRE}", exact=True)
    expect(chip).to_be_visible()
    expected = {x for x in track_ids()[1::2] if x != "T02"}
    expect(stranger.rows).to_have_count(len(expected))
    assert set(stranger.track_ids()) == expected
    stranger.page.get_by_role("button", name="Filters").click()
    expect(stranger.page.get_by_text(GENRE, exact=True).first).to_be_visible()
    stranger.page.keyboard.press("Escape")
    chip.click()
    expect(stranger.rows).not_to_have_count(len(expected))


def test_a_hostile_search_finds_a_track_or_says_no_matches(stranger: Visit) -> None:
    stranger.open()
    finder = stranger.page.get_by_role("combobox", name="Find a song")
    finder.fill("<script>window.harmed")
    expect(stranger.page.get_by_role("option").first).to_contain_text("<script>")
    finder.fill("zzzzqqqqxxxx")
    expect(stranger.page.get_by_text("No matches")).to_be_visible()


def test_hostile_ids_in_the_address(stranger: Visit) -> None:
    stranger.open(f"/?view=listener&user={quote(LISTENER)}")
    expect(stranger.page.locator(".card h1")).to_have_text(f"Listener {LISTENER}")
    unknown = "<img src=x onerror='window.harmed=true'> [a](javascript:1)"
    stranger.open(f"/?view=listener&user={quote(unknown)}")
    expect(stranger.page.get_by_text(unknown)).to_be_visible()
    stranger.open(f"/?track={quote(unknown)}")
    expect(stranger.page.get_by_text(unknown)).to_be_visible()
    stranger.open(f"/?view=listener&liked={quote(unknown)}&liked=T01")
    expect(stranger.page.get_by_text("1 of 2 are ignored")).to_be_visible()


def test_a_hostile_dataset_name(stranger: Visit) -> None:
    stranger.open("/?view=release")
    expect(stranger.page.locator(".card .subtitle")).to_contain_text(TITLES[2])
