"""Prefect's server application behind a guard: known hosts, own pages, nothing unused."""

import hmac
from pathlib import Path
from typing import cast

from flows.server.auth import basic
from warehouse.hosts import ASGIApp, HostGuard, Receive, Scope, Send, refuse

LEFT_OUT = frozenset(
    f"{prefix}/{name}"
    for prefix in ("", "/api")
    for name in ("docs", "docs/oauth2-redirect", "redoc", "openapi.json")
)
"""Pages about the API, which load scripts of other servers and answer without a sign-in."""

NEWER_UI = "/v2"
"""Prefect's newer UI loads a script of another server; the older one does all that is needed."""


class SignedIn:
    """ASGI middleware: leaves out what nobody needs, and has the whole API sign in.

    Prefect checks the auth string too, but answers some requests before it does. WebSockets sign
    in by their first message, which Prefect checks; a preflight cannot sign in.
    """

    def __init__(self, app: ASGIApp, auth: str) -> None:
        """``auth``: the server's auth string."""
        self.app = app
        self._expected = basic(auth).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on, or refuse it."""
        path = scope.get("path", "")
        if path in LEFT_OUT or path == NEWER_UI or path.startswith(NEWER_UI + "/"):
            await refuse(scope, send, 404, "not found\n")
        elif self._must_sign_in(scope, path) and not self._is_signed_in(scope):
            await refuse(scope, send, 401, "sign in first\n")
        else:
            await self.app(scope, receive, send)

    def _must_sign_in(self, scope: Scope, path: str) -> bool:
        is_request = scope["type"] == "http" and scope["method"] != "OPTIONS"
        return is_request and (path == "/api" or path.startswith("/api/"))

    def _is_signed_in(self, scope: Scope) -> bool:
        given = dict(scope["headers"]).get(b"authorization", b"")
        return hmac.compare_digest(given, self._expected)


def create_app(port: int, hosts: tuple[str, ...], auth: str) -> ASGIApp:
    """Return the guarded application; Prefect's settings come from the environment.

    ``port``: the one it is served on. ``hosts``: names it may have beside the loopback ones.
    """
    import prefect

    # Prefect serves every UI whose files it finds. A setting only chooses the one to open first.
    prefect.__ui_v2_static_path__ = Path(prefect.__ui_v2_static_path__) / "left-out"
    from prefect.server.api.server import create_app as prefect_app

    guarded = SignedIn(cast(ASGIApp, prefect_app(final=True)), auth)
    return HostGuard(guarded, port, hosts)
