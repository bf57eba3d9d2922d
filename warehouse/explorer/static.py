"""Streamlit's own files without its detours: a first page is about sixty of them."""

import mimetypes
from importlib.resources import files
from pathlib import Path

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

YEAR = 31_536_000
"""Seconds; a file's name has its digest, so what is behind the name never changes."""


class StaticFiles:
    """Middleware that answers for `/static/…` of Streamlit and hands everything else on.

    Streamlit's way to a file leads through sessions, compression and several threads, which takes
    longer than to read it; a browser that comes for the first time waits for all of them.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        root = Path(str(files("streamlit") / "static"))
        # by exact name, so that no path leads anywhere else
        self.files = {
            f"/{file.relative_to(root).as_posix()}": file
            for file in (root / "static").rglob("*")
            if file.is_file()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        is_read = scope["type"] == "http" and scope["method"] == "GET"
        file = self.files.get(scope["path"]) if is_read else None
        if file is None:
            await self.app(scope, receive, send)
            return
        response = Response(
            file.read_bytes(),
            media_type=mimetypes.guess_type(file.name)[0],
            headers={"Cache-Control": f"public, immutable, max-age={YEAR}"},
        )
        await response(scope, receive, send)
