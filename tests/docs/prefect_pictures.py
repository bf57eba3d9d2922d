"""Pictures of the Prefect UI for the docs: `make ui-pictures`, with `make ui` up and a run done.

Takes the newest published run of the server that `make ui` keeps.
"""

import io
import os
import sys
from pathlib import Path
from typing import Any

import httpx
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from flows.environment import prepare_for_server
from flows.settings import load_settings
from tests.flows.own_server import signed_in

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
OUT = Path(__file__).parents[2] / "docs" / "images"
WIDTH, HEIGHT, COLOURS = 1280, 860, 64
SETTLE_MS = 6000
"""The graph of a run draws itself after the text is there."""
PATIENCE_MS = 60_000


def pages(api: httpx.Client) -> dict[str, tuple[str, str]]:
    """Return the pages worth a picture: name → path in the UI, text that shows when it is drawn."""
    runs = api.post("/flow_runs/filter", json={"sort": "START_TIME_DESC", "limit": 200}).json()
    published = [
        run for run in runs if "is published" in ((run["state"] or {}).get("message") or "")
    ]
    if not published:
        sys.exit("no run on this server has published a release yet; start one and try again")
    run = published[0]
    of_run = {"flow_run_id": {"any_": [run["id"]]}, "key": {"any_": ["report"]}}
    report = api.post("/artifacts/filter", json={"artifacts": of_run}).json()[0]["id"]
    nightly = next(
        one["id"]
        for one in api.post("/deployments/filter", json={}).json()
        if one["name"] == "nightly"
    )
    return {
        "run": (f"/runs/flow-run/{run['id']}", run["name"]),
        "deployment": (f"/deployments/deployment/{nightly}", run["name"]),
        "report": (f"/artifacts/artifact/{report}", "fifty_fifty"),
        "automations": ("/automations", "crossfade: run failed"),
    }


def shoot(page: Page, url: str, text: str, file: Path) -> None:
    """Take a picture of one page, in few colours so that it stays small."""
    page.goto(url, wait_until="commit", timeout=PATIENCE_MS)
    page.get_by_text(text).first.wait_for(timeout=PATIENCE_MS)
    page.wait_for_timeout(SETTLE_MS)
    picture: Any = Image.open(io.BytesIO(page.screenshot()))
    small = picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    small.save(file, optimize=True)
    print(f"{file}: {file.stat().st_size / 1000:.0f} kB")


def main() -> None:
    """Take all pictures."""
    prepare_for_server(load_settings().home)
    url, auth = os.environ["PREFECT_API_URL"], os.environ["PREFECT_API_AUTH_STRING"]
    OUT.mkdir(parents=True, exist_ok=True)
    with signed_in(url, auth) as api, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto(url.removesuffix("/api"), wait_until="commit", timeout=PATIENCE_MS)
        page.locator("input").first.fill(auth, timeout=PATIENCE_MS)
        page.locator("input").first.press("Enter")
        page.wait_for_url("**/dashboard", timeout=PATIENCE_MS)
        for name, (path, text) in pages(api).items():
            shoot(page, url.removesuffix("/api") + path, text, OUT / f"prefect-{name}.png")
        browser.close()


if __name__ == "__main__":
    main()
