"""Start Streamlit on the explorer: on the loopback address, no telemetry, nothing from outside."""

import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib.resources import files
from typing import Any

from warehouse.hosts import ANYWHERE, LOOPBACK, OWN, HostGuard
from warehouse.releases.home import Home

WILDCARDS = ("0.0.0.0", "::")

COLOURS: dict[str, Any] = {
    "theme.primaryColor": "#6149df",
    "theme.baseRadius": "0.6rem",
    "theme.headingFontSizes": ["1.9rem", "1.5rem", "1.25rem", "1.1rem", "1rem", "0.9rem"],
    "theme.light.backgroundColor": "#ffffff",
    "theme.light.secondaryBackgroundColor": "#f6f6f9",
    "theme.light.textColor": "#1d1b26",
    "theme.light.borderColor": "#dcdbe4",
    "theme.dark.backgroundColor": "#131218",
    "theme.dark.secondaryBackgroundColor": "#1d1b25",
    "theme.dark.textColor": "#ecebf2",
    "theme.dark.borderColor": "#383544",
    "theme.dark.primaryColor": "#8d7bf5",
}


def options(port: int, host: str, browser: bool) -> dict[str, Any]:
    """Return Streamlit's settings; they win over any config.toml on the machine."""
    return {
        "server.address": host,
        "server.port": port,
        "server.headless": not browser,
        "server.fileWatcherType": "none",
        "server.enableStaticServing": False,
        "server.maxUploadSize": 1,
        # To print an address of its own, Streamlit would ask a server outside for this machine's.
        "browser.serverAddress": "localhost" if host in WILDCARDS else host,
        "browser.gatherUsageStats": False,
        "client.toolbarMode": "minimal",
        "client.showErrorDetails": "none",
        "client.showErrorLinks": False,
        "logger.enableRich": False,
        "runner.magicEnabled": False,
        "runner.postScriptGC": False,  # the next run would wait for a whole collection
        **COLOURS,
    }


def launch(
    home: Home,
    port: int,
    host: str,
    browser: bool,
    hosts: Sequence[str] = (),
    covers: bool = False,
) -> None:
    """Serve the explorer until interrupted; ``hosts``: names it may be opened by beside ``host``.

    ``covers``: show the pictures that the catalogue links to, which are fetched from outside.
    Other hosts and origins are refused here: Streamlit would look up this machine's address
    outside to compare them.
    """
    import pandas  # noqa: F401  # what Streamlit imports for the first page, which would wait for it
    from starlette.middleware import Middleware
    from streamlit.starlette import App

    from warehouse.explorer.covers import COVERS
    from warehouse.explorer.static import StaticFiles

    script = str(files("warehouse.explorer") / "app.py")
    # what Streamlit hands on to the script
    sys.argv = [script, str(home.path), *([COVERS] if covers else [])]
    guard = Middleware(
        HostGuard,
        port=port,
        hosts=hosts if host in (*LOOPBACK, *WILDCARDS) else [*hosts, host],
        addresses=host not in LOOPBACK,
        media=ANYWHERE,  # previews, once somebody plays one
        images=ANYWHERE if covers else OWN,
    )
    app = App(script, middleware=[guard, Middleware(StaticFiles)])
    with suppress(KeyboardInterrupt):  # the way to end it
        app.run(config=options(port, host, browser))
