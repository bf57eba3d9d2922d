"""Who may ask: whoever has the token, which is in a file that only the home's owner can read."""

import base64
import binascii
import hmac
import time
from pathlib import Path

from warehouse.hosts import ASGIApp, Receive, Scope, Send
from warehouse.releases.home import Home
from warehouse.secret_file import replace, secret
from warehouse.serve.problems import problem

FILE = "serve-token"

LOOK_SECONDS = 1.0
"""How soon a renewed token counts in processes that run."""

BROWSER_PATHS = ("/docs", "/openapi.json")
"""What people open in a browser, which signs in by asking them: any name, the token as password."""


def token_file(home: Home) -> Path:
    """Return the file that has the token."""
    return home.path / FILE


def token(home: Home) -> str:
    """Return the token, made the first time."""
    home.path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return secret(token_file(home), "token")


def renew(home: Home) -> None:
    """Replace the token; processes that run take the new one within LOOK_SECONDS."""
    home.path.mkdir(mode=0o700, parents=True, exist_ok=True)
    replace(token_file(home))


class TokenGuard:
    """ASGI middleware: answers 401 without the token, whatever the path."""

    def __init__(self, app: ASGIApp, home: Home) -> None:
        self.app = app
        self._home = home
        self._token = token(home).encode()
        self._read = time.monotonic()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on, or refuse it."""
        if scope["type"] != "http" or self._is_known(scope):
            await self.app(scope, receive, send)
            return
        kind = "Basic" if scope["path"] in BROWSER_PATHS else "Bearer"
        refusal = problem(
            401,
            "give the token of `crossfade serve --token` as `Authorization: Bearer …`",
            headers={"WWW-Authenticate": f'{kind} realm="crossfade"'},
        )
        await refusal(scope, receive, send)

    def _is_known(self, scope: Scope) -> bool:
        given = dict(scope["headers"]).get(b"authorization", b"")
        scheme, _, value = given.partition(b" ")
        if scheme.lower() == b"basic":
            value = _password(value)
        elif scheme.lower() != b"bearer":
            return False
        if time.monotonic() - self._read > LOOK_SECONDS:
            self._token, self._read = token(self._home).encode(), time.monotonic()
        return hmac.compare_digest(value.strip(), self._token)


def _password(encoded: bytes) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True).partition(b":")[2]
    except (binascii.Error, ValueError):
        return b""
