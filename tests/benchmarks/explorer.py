"""What the explorer costs: `python -m tests.benchmarks.explorer HOME [--moves N]`.

Serves the home's current release, opens it in Chromium and measures what a viewer sees: from the
first request to a page with its list, from a move of the slider to the new list in the page (in
the browser's own clock), and the server's memory after all of it. Prints Markdown.
"""

import argparse
import os
import platform
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import psutil
from playwright.sync_api import Browser

from tests.warehouse.explorer.browsing import Server, chromium, serve, visit
from warehouse.releases.home import Home

MOVE = """
async (moves) => {
  const parts = [...document.querySelectorAll('[data-testid=stBidiComponentIsolated]')];
  const find = (what) => parts.map((part) => part.shadowRoot.querySelector(what)).find((x) => x);
  const slider = find('.crossfader input'), list = find('.tracklist ol'), took = [];
  for (let x = 0; x < moves; x += 1) {
    const before = list.dataset.token;
    const began = performance.now();
    const arrived = new Promise((done) => {
      const watch = new MutationObserver(() => {
        if (list.dataset.token === before) return;
        watch.disconnect();
        requestAnimationFrame(() => done(performance.now()));
      });
      watch.observe(list, {attributes: true});
    });
    slider.value = (x * 37 + 11) % 100;
    slider.dispatchEvent(new Event('input', {bubbles: true}));
    slider.dispatchEvent(new Event('change', {bubbles: true}));
    took.push(await arrived - began);
    await new Promise((done) => setTimeout(done, 300));
  }
  return took;
}
"""


def subjects(home: Home) -> dict[str, str]:
    """Return the measured views: a track, listeners of several lengths of history."""
    with duckdb.connect(str(home.current.resolve()), read_only=True) as connection:
        found = connection.execute(
            "SELECT segment, min(user_id) FROM users GROUP BY segment ORDER BY min(tracks_played)"
        ).fetchall()
        track = connection.execute(
            "SELECT track_id FROM popular_tracks WHERE scope = 'all' AND rank = 10"
        ).fetchall()[0][0]
    listeners = {
        f"a listener of {segment} tracks": f"/?view=listener&user={u}" for segment, u in found
    }
    return {"a track": f"/?track={track}", **listeners}


def first_page(browser: Browser, server: Server, path: str) -> float:
    """Return seconds from the first request of a new profile to the list on the page."""
    with visit(browser, server) as viewer:
        began = time.perf_counter()
        viewer.page.goto(server.url + path, wait_until="commit")
        viewer.rows.first.wait_for()
        return time.perf_counter() - began


def slider(browser: Browser, server: Server, path: str, moves: int) -> Any:
    """Return milliseconds from each move of the slider to its list, as the browser saw them."""
    with visit(browser, server) as viewer:
        viewer.open(path)
        viewer.rows.first.wait_for()
        viewer.page.wait_for_timeout(1000)
        return viewer.page.evaluate(MOVE, moves)


def main() -> None:
    """Parse the command line and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("home", type=Path)
    parser.add_argument("--moves", type=int, default=20)
    given = parser.parse_args()
    home = Home(given.home.resolve())
    print(f"{os.cpu_count()} cores ({platform.machine()}), load {os.getloadavg()[0]:.1f} before\n")
    with tempfile.TemporaryDirectory() as scratch, chromium() as browser:
        with browser.new_context() as viewer:  # whose browser has been open before
            viewer.new_page().set_content("<p>ready</p>")
        began = time.perf_counter()
        with serve(home.path, Path(scratch) / "log") as server:
            print(f"Server answers {time.perf_counter() - began:.1f} s after its start.\n")
            print("| first page of a new visitor | seconds |\n|---|---|")
            for name, path in {"the first": "/", "the next": "/", **subjects(home)}.items():
                print(f"| {name} | {first_page(browser, server, path):.2f} |", flush=True)
            print("\n| slider to new list | median ms | p90 | max | moves |\n|---|---|---|---|---|")
            for name, path in subjects(home).items():
                took = np.array(slider(browser, server, path, given.moves))
                p50, p90 = np.percentile(took, [50, 90])
                print(f"| {name} | {p50:.0f} | {p90:.0f} | {took.max():.0f} | {len(took)} |")
            with visit(browser, server) as viewer:
                viewer.open("/?view=release")
                viewer.page.wait_for_timeout(5000)
            memory = psutil.Process(server.process.pid).memory_info()
            print(f"\nServer memory after all of it: {memory.rss / 1e6:.0f} MB.")
            print(f"Load {os.getloadavg()[0]:.1f} after.")


if __name__ == "__main__":
    main()
