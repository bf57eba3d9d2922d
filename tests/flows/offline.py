"""Opens explorer and Prefect UI where there is no way out, and prints what asked for one anyway.

`python -m tests.flows.offline HOME FOLDER`, in a network namespace that has only the loopback
interface. Browsers report their requests; our servers report by an audit hook which names they
looked up and where they connected to.
"""

import http.client
import json
import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, Request

from tests.flows.own_server import OwnServer, own_server
from tests.warehouse.explorer.browsing import Server, chromium, serve

EXPLORER_PAGES = ("/", "/?view=listener", "/?view=release")
UI_PAGES = ("/dashboard", "/runs", "/deployments", "/blocks/catalog", "/automations", "/v2/")

SETTLE_MS, PATIENCE_MS = 4000, 120_000

HOOK = """
import os, socket, sys

NEAR = {"127.0.0.1", "localhost", "::1", "0.0.0.0", "::", "", None, socket.gethostname()}

def note(event, given):
    if event in ("socket.getaddrinfo", "socket.gethostbyname"):
        asked = given[0]
    elif event in ("socket.connect", "socket.sendto") and isinstance(given[1], tuple):
        asked = given[1][0]
    else:
        return
    asked = asked.decode() if isinstance(asked, bytes) else asked
    if asked not in NEAR:
        with open(os.environ["NOTED"], "a") as file:
            file.write(f"{event} {asked}\\n")

sys.addaudithook(note)
"""


def foreign(url: str) -> list[int]:
    """Ask as a page of another origin and by another name would; return the statuses."""
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    }
    statuses = []
    for headers in (
        {"Host": "rebound.example"},
        {"Origin": "http://evil.example"},
        {"Origin": "http://evil.example", **upgrade},
        {"Host": "rebound.example", "Origin": "http://rebound.example", **upgrade},
    ):
        for path in ("/", "/_stcore/stream", "/_stcore/health", "/api/events/out"):
            connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
            connection.request("GET", path, headers=headers)
            statuses.append(connection.getresponse().status)
            connection.close()
    return statuses


def noting(browser: Browser, root: str, outside: list[str]) -> Page:
    """Return a page that notes every request to anywhere but ``root``.

    What the page's own content policy stopped, such as logos of blocks, never left the browser.
    """
    page = browser.new_page()
    page.set_default_timeout(PATIENCE_MS)

    def note(asked: Request) -> None:
        stopped = "csp" in (asked.failure or "").lower()
        if not stopped and not asked.url.startswith((root, "data:", "blob:")):
            outside.append(asked.url)

    page.on("requestfailed", note)
    page.on("requestfinished", note)
    return page


def explore(browser: Browser, server: Server, outside: list[str]) -> None:
    """Open the explorer's pages."""
    page = noting(browser, server.url, outside)
    for path in EXPLORER_PAGES:
        page.goto(server.url + path)
        page.locator(".tracklist li, .card h1, .card h2").first.wait_for()
        page.wait_for_timeout(SETTLE_MS)


def operate(browser: Browser, server: OwnServer, outside: list[str]) -> None:
    """Sign in to the Prefect UI and open its pages."""
    page = noting(browser, server.root, outside)
    page.goto(server.root, wait_until="commit")
    page.locator("input").first.fill(server.auth)
    page.locator("input").first.press("Enter")
    page.wait_for_url("**/dashboard")
    for path in UI_PAGES:
        page.goto(server.root + path, wait_until="commit")
        page.wait_for_timeout(SETTLE_MS)


def main() -> None:
    """Print what was asked for outside, and the answers that foreign pages got."""
    home, folder = Path(sys.argv[1]), Path(sys.argv[2])
    (folder / "sitecustomize.py").write_text(HOOK)
    os.environ |= {"PYTHONPATH": str(folder), "NOTED": str(folder / "noted")}
    outside: list[str] = []
    with (
        serve(home, folder / "log") as explorer,
        own_server(folder / "prefect") as prefect,
        chromium() as browser,
    ):
        statuses = foreign(explorer.url) + foreign(prefect.root)
        explore(browser, explorer, outside)
        operate(browser, prefect, outside)
    noted = folder / "noted"
    lookups = noted.read_text().splitlines() if noted.exists() else []
    print(json.dumps({"requests": outside, "lookups": lookups, "statuses": statuses}))


if __name__ == "__main__":
    main()
