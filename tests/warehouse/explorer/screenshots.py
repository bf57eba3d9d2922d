"""Take the pictures of docs/images: `python -m tests.warehouse.explorer.screenshots HOME`."""

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import duckdb

from tests.warehouse.explorer.browsing import chromium, serve
from warehouse.releases.home import Home

IMAGES = Path(__file__).parents[3] / "docs" / "images"
HEIGHT = 800


@dataclass(frozen=True)
class Picture:
    """What a picture shows."""

    address: str
    theme: Literal["light", "dark"] = "light"
    width: int = 1100


def pictures(home: Home) -> dict[str, Picture]:
    """Return the pictures by file name; tracks with Latin names, which any font has."""
    query = """
    SELECT t.track_id FROM tracks t
    WHERE regexp_full_match(t.name || coalesce(t.artist, ''), '[A-Za-z ]+') AND len(t.tags) >= 3
    ORDER BY t.genre IS NULL, t.listeners DESC, t.track_id LIMIT 30
    """
    with duckdb.connect(str(home.current.resolve()), read_only=True) as connection:
        tracks = [row[0] for row in connection.execute(query).fetchall()]
        artist = connection.execute(
            "SELECT t.artist FROM tracks t WHERE t.track_id = ?", [tracks[20]]
        ).fetchall()[0][0]
    discover = f"/?track={tracks[20]}&weight=0.5"
    liked = f"/?view=listener&liked={tracks[11]}&liked={tracks[25]}&weight=0.5"
    return {
        "discover": Picture(discover),
        "discover-dark": Picture(discover, "dark"),
        "artist": Picture(f"/?view=artist&artist={quote(artist)}", width=1600),
        "listener": Picture(liked),
        "release": Picture("/?view=release"),
    }


def main() -> None:
    """Take every picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("home", type=Path)
    home = Home(parser.parse_args().home.resolve())
    IMAGES.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as scratch,
        serve(home.path, Path(scratch) / "log") as server,
        chromium() as browser,
    ):
        for name, picture in pictures(home).items():
            page = browser.new_page(
                viewport={"width": picture.width, "height": HEIGHT}, color_scheme=picture.theme
            )
            page.goto(server.url + picture.address)
            page.locator(".tracklist li, [data-testid=stVegaLiteChart]").first.wait_for()
            page.wait_for_timeout(3000)
            page.screenshot(path=IMAGES / f"{name}.png")
            page.close()


if __name__ == "__main__":
    main()
