"""Discover: search, crossfader, presets, filters, reasons, previews, downloads, the address."""

import csv
import io
import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import duckdb
import pytest
from playwright.sync_api import Route, expect

from tests.warehouse.explorer.browsing import Visit


@pytest.fixture(scope="module")
def track(release: duckdb.DuckDBPyConnection) -> tuple[str, str, str]:
    """Id, name and artist of a much played track with a unique name."""
    return release.execute(
        "SELECT t.track_id, t.name, t.artist FROM tracks t WHERE len(t.name) >= 8 AND "
        "t.artist IS NOT NULL AND (SELECT count(*) FROM tracks x WHERE x.name = t.name) = 1 "
        "ORDER BY t.listeners DESC, t.track_id LIMIT 1"
    ).fetchall()[0]


def ids(release: duckdb.DuckDBPyConnection, query: str, *values: object) -> list[str]:
    return [row[0] for row in release.execute(query, list(values)).fetchall()]


def similar(release: duckdb.DuckDBPyConnection, track_id: str, weight: float | None) -> list[str]:
    query = "SELECT track_id FROM similar_to(?, k := 20, weight := ?) ORDER BY rank"
    return ids(release, query, track_id, weight)


def test_a_misspelt_song_is_found_by_keyboard(
    viewer: Visit, release: duckdb.DuckDBPyConnection, track: tuple[str, str, str]
) -> None:
    track_id, name, artist = track
    viewer.open()
    viewer.page.keyboard.press("/")
    viewer.page.keyboard.type((name[:3] + name[4:] + " " + artist).upper())
    expect(viewer.page.get_by_role("option").first).to_contain_text(name)
    viewer.page.keyboard.press("Enter")
    expect(viewer.page.locator(".card h1")).to_have_text(name)
    assert parse_qs(urlsplit(viewer.page.url).query)["track"] == [track_id]
    viewer.expect_tracks(similar(release, track_id, None))


def test_the_slider_moves_the_list_and_the_address_carries_it(
    viewer: Visit, release: duckdb.DuckDBPyConnection, track: tuple[str, str, str]
) -> None:
    viewer.open(f"/?track={track[0]}&weight=0.5")
    viewer.expect_tracks(similar(release, track[0], 0.5))
    slider = viewer.page.get_by_role("slider", name="Crossfader")
    slider.focus()
    for _ in range(10):
        viewer.page.keyboard.press("ArrowLeft")
    viewer.expect_tracks(similar(release, track[0], 0.4))
    viewer.page.wait_for_url(re.compile(r"weight=0\.4\b"))
    shared = viewer.page.url.removeprefix(viewer.url)
    viewer.open(shared)
    viewer.expect_tracks(similar(release, track[0], 0.4))
    expect(slider).to_have_value("40")


def test_a_drag_ends_on_the_list_of_its_last_weight(
    viewer: Visit, release: duckdb.DuckDBPyConnection, track: tuple[str, str, str]
) -> None:
    viewer.open(f"/?track={track[0]}&weight=1")
    box = viewer.page.get_by_role("slider", name="Crossfader").bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    viewer.page.mouse.move(box["x"] + box["width"] - 5, middle)
    viewer.page.mouse.down()
    for step in range(30):
        viewer.page.mouse.move(box["x"] + box["width"] * (1 - step / 30), middle)
    viewer.page.mouse.move(box["x"], middle)
    viewer.page.mouse.up()
    viewer.expect_tracks(similar(release, track[0], 0.0))
    viewer.page.wait_for_url(re.compile(r"weight=0(&|$)"))


@pytest.mark.parametrize(
    ("preset", "weight"), [("Content", 0.0), ("Balanced", 0.5), ("Collaborative", 1.0)]
)
def test_presets_are_weights(
    viewer: Visit,
    release: duckdb.DuckDBPyConnection,
    track: tuple[str, str, str],
    preset: str,
    weight: float,
) -> None:
    viewer.open(f"/?track={track[0]}")
    viewer.page.get_by_role("button", name=preset, exact=True).click()
    viewer.expect_tracks(similar(release, track[0], weight))
    viewer.page.get_by_role("button", name="Suggested").click()
    viewer.expect_tracks(similar(release, track[0], None))
    viewer.page.wait_for_url(lambda url: "weight" not in url)


def test_filters_still_fill_the_list(
    viewer: Visit, release: duckdb.DuckDBPyConnection, track: tuple[str, str, str]
) -> None:
    viewer.open(f"/?track={track[0]}")
    viewer.choose("Genre", "Rock")
    expected = ids(
        release,
        "SELECT track_id FROM track_candidates(?) WHERE genre = 'Rock' ORDER BY rank LIMIT 20",
        track[0],
    )
    assert len(expected) == 20
    viewer.expect_tracks(expected)
    viewer.page.wait_for_url(re.compile("genre=Rock"))
    viewer.open(f"/?track={track[0]}&genre=Rock&tag=rock&years=1990&years=2005")
    viewer.expect_tracks(
        ids(
            release,
            "SELECT track_id FROM track_candidates(?) WHERE genre = 'Rock' AND "
            "list_contains(tags, 'rock') AND year BETWEEN 1990 AND 2005 ORDER BY rank LIMIT 20",
            track[0],
        )
    )


def test_filters_in_use_are_chips_that_remove_them(
    viewer: Visit, release: duckdb.DuckDBPyConnection, track: tuple[str, str, str]
) -> None:
    viewer.open(f"/?track={track[0]}&genre=Rock&tag=rock&years=1990&years=2005")
    remove = viewer.page.get_by_role("button", name=re.compile("^Remove "))
    expect(remove).to_have_count(3)
    for name in ("Remove rock", "Remove 1990 to 2005"):
        viewer.page.get_by_role("button", name=name, exact=True).click()
        expect(viewer.page.get_by_role("button", name=name, exact=True)).to_have_count(0)
    query = "SELECT track_id FROM track_candidates(?) WHERE genre = 'Rock' ORDER BY rank LIMIT 20"
    viewer.expect_tracks(ids(release, query, track[0]))
    remove.click()
    viewer.expect_tracks(similar(release, track[0], None))
    viewer.page.wait_for_url(lambda url: "genre" not in url and "years" not in url)


def test_a_tag_of_the_song_is_a_filter_to_press(
    viewer: Visit, release: duckdb.DuckDBPyConnection
) -> None:
    track_id, tag = release.execute(
        "SELECT track_id, tags[1] FROM tracks WHERE listeners > 5 AND len(tags) > 2 "
        "ORDER BY track_id LIMIT 1"
    ).fetchall()[0]
    viewer.open(f"/?track={track_id}")
    pill = viewer.page.locator(".card .chips button").first
    expect(pill).to_have_text(tag)
    pill.click()
    query = (
        "SELECT track_id FROM track_candidates(?) WHERE list_contains(tags, ?) "
        "ORDER BY rank LIMIT 20"
    )
    viewer.expect_tracks(ids(release, query, track_id, tag))
    expect(pill).to_have_attribute("aria-pressed", "true")
    pill.click()
    viewer.expect_tracks(similar(release, track_id, None))


def test_the_sound_of_a_song_stands_beside_the_catalogue(
    viewer: Visit, release: duckdb.DuckDBPyConnection, track: tuple[str, str, str]
) -> None:
    viewer.open(f"/?track={track[0]}")
    expect(viewer.page.locator(".sound li")).to_have_count(8)
    below = ids(
        release,
        "SELECT round(100 * (avg((t.energy < x.energy)::INT) + avg((t.energy <= x.energy)::INT)) "
        "/ 2)::INT FROM tracks t, tracks x WHERE x.track_id = ?",
        track[0],
    )[0]
    near = "|".join(str(int(below) + step) for step in (-1, 0, 1))
    labels = viewer.page.locator(".sound .meter").evaluate_all(
        "all => all.map(one => one.getAttribute('aria-label'))"
    )
    assert any(
        re.fullmatch(rf"energy: higher than in ({near}) of 100 tracks", one) for one in labels
    )


def test_every_row_has_a_reason_and_why_explains_it(
    viewer: Visit, release: duckdb.DuckDBPyConnection, track: tuple[str, str, str]
) -> None:
    viewer.open(f"/?track={track[0]}")
    viewer.expect_tracks(similar(release, track[0], None))
    reasons = viewer.page.locator(".reason").all_text_contents()
    assert len(reasons) == 20
    assert all(reasons)
    viewer.rows.first.get_by_role("button", name="Why?").click()
    first = viewer.track_ids()[0]
    reason = ids(release, "SELECT reason FROM explain(?, ?)", track[0], first)[0]
    expect(viewer.page.locator(".why")).to_contain_text(reason[:1].upper() + reason[1:])
    viewer.rows.first.get_by_role("button", name="Why?").click()
    expect(viewer.page.locator(".why")).to_have_count(0)


def test_a_title_opens_as_the_next_subject(viewer: Visit, track: tuple[str, str, str]) -> None:
    viewer.open(f"/?track={track[0]}")
    second = viewer.rows.nth(1).locator("a")
    name, target = second.text_content(), viewer.track_ids()[1]
    assert parse_qs(urlsplit(str(second.get_attribute("href"))).query)["track"] == [target]
    second.click()
    expect(viewer.page.locator(".card h1")).to_have_text(str(name))
    viewer.page.wait_for_url(re.compile(f"track={target}"))


def test_a_preview_is_fetched_only_on_request(
    viewer: Visit, release: duckdb.DuckDBPyConnection, track: tuple[str, str, str]
) -> None:
    fetched: list[str] = []

    def refuse(route: Route) -> None:
        fetched.append(route.request.url)
        route.abort()

    viewer.page.context.route("https://p.scdn.co/**", refuse)
    viewer.open(f"/?track={track[0]}")
    assert fetched == []
    viewer.rows.first.get_by_role("button", name="Preview").click()
    expect(viewer.page.get_by_text("This preview cannot be played.")).to_be_visible()
    query = "SELECT spotify_preview_url FROM tracks WHERE track_id = ?"
    assert set(fetched) == set(ids(release, query, viewer.track_ids()[0]))
    viewer.outside.clear()  # this request was expected


def test_the_list_can_be_downloaded_as_csv(
    viewer: Visit, release: duckdb.DuckDBPyConnection, track: tuple[str, str, str]
) -> None:
    viewer.open(f"/?track={track[0]}&weight=0.3")
    expected = similar(release, track[0], 0.3)
    viewer.expect_tracks(expected)
    with viewer.page.expect_download() as download:
        viewer.page.get_by_role("button", name="Download this list as CSV").click()
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text())))
    assert [row["track_id"] for row in rows] == expected
    assert [row["rank"] for row in rows] == [str(rank) for rank in range(1, 21)]


def test_an_unknown_track_gets_a_message_and_the_most_played(viewer: Visit) -> None:
    viewer.open("/?track=NOSUCH&weight=hello&years=x&genre=Nonsense")
    expect(viewer.page.get_by_text("No such track in this release")).to_be_visible()
    expect(viewer.rows).to_have_count(20)


def test_the_list_is_near_on_narrow_and_beside_the_song_on_wide_pages(
    viewer: Visit, track: tuple[str, str, str]
) -> None:
    viewer.page.set_viewport_size({"width": 390, "height": 844})
    viewer.open(f"/?track={track[0]}")
    expect(viewer.rows.first).to_be_in_viewport(ratio=1)
    viewer.page.set_viewport_size({"width": 1920, "height": 900})
    expect(viewer.page.locator(".facts")).to_be_visible()
    song = viewer.page.locator(".card h1").bounding_box()
    row = viewer.rows.first.bounding_box()
    assert song is not None
    assert row is not None
    assert row["x"] > song["x"] + song["width"]


def test_reasons_and_marks_follow_the_slider(
    viewer: Visit, release: duckdb.DuckDBPyConnection, track: tuple[str, str, str]
) -> None:
    viewer.open(f"/?track={track[0]}&weight=1")
    before = similar(release, track[0], 1.0)
    viewer.page.get_by_role("button", name="Content", exact=True).click()
    after = similar(release, track[0], 0.0)
    viewer.expect_tracks(after)
    assert (
        "played by the same people"
        not in " ".join(viewer.page.locator(".reason").all_text_contents()).lower()
    )
    steps = [before.index(one) - x if one in before else None for x, one in enumerate(after)]
    expected = ["new" if n is None else f"▲{n}" if n > 0 else f"▼{-n}" for n in steps if n != 0]
    assert viewer.page.locator(".moved").all_text_contents() == expected
