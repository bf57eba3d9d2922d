"""Start the explorer and a real browser, open pages and read them."""

import os
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, Request, expect, sync_playwright
from playwright.sync_api import TimeoutError as LateError

from tests.conftest import BIN, free_port

CHROMIUM = shutil.which("chromium")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PATIENCE = 30_000
"""Milliseconds to wait for a page on a busy machine; no test asserts a time."""

expect.set_options(timeout=PATIENCE)


@dataclass(frozen=True)
class Server:
    """A running `crossfade explore`."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path


@contextmanager
def serve(home: Path, log: Path, *options: str) -> Iterator[Server]:
    """Run `crossfade explore` with options on a free port until the end of the block."""
    port = free_port()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [BIN / "crossfade", "explore", "--home", home, "--port", str(port), "--no-browser",
             *options],
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ,
        )  # fmt: skip
    server = Server(f"http://127.0.0.1:{port}", process, log)
    try:
        _wait(server)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(server: Server) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and server.process.poll() is None:
        try:
            with urllib.request.urlopen(f"{server.url}/_stcore/health", timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"the explorer did not start:\n{server.log.read_text()[-4000:]}")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run the machine's Chromium until the end of the block."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Visit:
    """One viewer: a page, its server, and its requests to other hosts."""

    page: Page
    url: str
    outside: list[str]
    errors: list[str]

    def open(self, path: str = "/") -> "Visit":
        """Open a view; wait for its first content, and until the page is at rest.

        Streamlit may drop a click that arrives while it still draws.
        """
        self.page.goto(self.url + path)
        self.page.locator(".tracklist li, .card h1, .card h2").first.wait_for(timeout=PATIENCE)
        self.page.locator('[data-test-script-state="notRunning"]').wait_for(timeout=PATIENCE)
        return self

    def choose(self, filter_name: str, option: str) -> None:
        """Choose an option of a filter; again if Streamlit dropped a click while it drew.

        A redraw can also close the popover that holds the filters.
        """
        finder = self.page.get_by_role("combobox", name=filter_name)
        chosen = self.page.get_by_role("button", name=f"Remove {option}").first
        deadline = time.monotonic() + PATIENCE / 1000
        while not chosen.count() and time.monotonic() < deadline:
            with suppress(LateError):
                if not finder.is_visible():
                    self.page.get_by_role("button", name="Filters").click(timeout=5_000)
                finder.click(timeout=5_000)
                self.page.get_by_role("option", name=option, exact=True).click(timeout=5_000)
                chosen.wait_for(timeout=5_000)
        expect(chosen).to_be_visible()

    @property
    def rows(self) -> Locator:
        """The rows of the list below the crossfader, or of the most-played list."""
        return self.page.locator(".tracklist li")

    def track_ids(self) -> list[str]:
        """Return the ids of the rows, in order."""
        ids = self.rows.evaluate_all("rows => rows.map(row => row.dataset.trackId)")
        return [str(track_id) for track_id in ids]

    def expect_tracks(self, ids: list[str]) -> None:
        """Wait until the list is exactly this one."""
        deadline = time.monotonic() + PATIENCE / 1000
        while (shown := self.track_ids()) != ids and time.monotonic() < deadline:
            self.page.wait_for_timeout(50)
        assert shown == ids, f"shown {shown}, expected {ids}"


@contextmanager
def visit(browser: Browser, server: Server) -> Iterator[Visit]:
    """Open a new browser profile."""
    context = browser.new_context(viewport={"width": 1200, "height": 900}, accept_downloads=True)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    viewer = Visit(page, server.url, [], [])

    def note(request: Request) -> None:
        if not request.url.startswith((server.url, "blob:", "data:")):
            viewer.outside.append(request.url)

    page.on("request", note)
    page.on("pageerror", lambda error: viewer.errors.append(str(error)))
    yield viewer
    context.close()
