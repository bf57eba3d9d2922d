"""Which browsers a local server answers: its own names and its own pages, nobody else's.

A web page of any origin can make the browser of whoever opens it send requests to a server on
127.0.0.1, and a name that its owner points at 127.0.0.1 makes that page the server's own origin
(DNS rebinding). Both are refused before the server behind sees the request.
"""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping, Sequence
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")

POLICY = (
    "default-src 'self'; script-src 'self' blob: 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src {images}; font-src 'self' data:; "
    "media-src {media}; worker-src 'self' blob:; connect-src 'self'; form-action 'self'; "
    "base-uri 'self'; object-src 'none'; frame-ancestors 'none'"
)
"""Content Security Policy: the browser itself loads nothing from another server."""

OWN, ANYWHERE = "'self' data: blob:", "* data: blob:"
"""Where pictures and audio may come from."""

UNKNOWN_HOST = (
    "unknown host; open the page by its own address, or name this one in the setting `hosts` "
    "(CROSSFADE_HOSTS)\n"
)
FOREIGN_ORIGIN = "requests of other origins are refused\n"


class HostGuard:
    """ASGI middleware: refuses unknown hosts and foreign origins, keeps pages to this server."""

    def __init__(
        self,
        app: ASGIApp,
        port: int,
        hosts: Iterable[str] = (),
        addresses: bool = False,
        media: str = OWN,
        images: str = OWN,
        origins: Iterable[str] = (),
    ) -> None:
        """Answer to the loopback names with ``port`` and to ``hosts``.

        A host with a port is accepted with that port, one without with any. ``addresses``: accept
        IP addresses too, for a server that listens beyond the loopback interface; a page of
        another origin cannot have an address as its own. ``media`` and ``images``: where audio and
        pictures may come from. ``origins``: foreign ones that are let through, for an application
        that knows them.
        """
        self.app = app
        self._port = port
        self._hosts = frozenset(host.strip().lower() for host in hosts if host.strip())
        self._addresses = addresses
        self._origins = frozenset(origins)
        self._headers = (
            (b"content-security-policy", POLICY.format(media=media, images=images).encode()),
            (b"referrer-policy", b"same-origin"),
            (b"x-content-type-options", b"nosniff"),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        hosts, origins = _values(scope, b"host"), _values(scope, b"origin")
        if len(hosts) != 1 or not self.is_known(hosts[0]):
            await refuse(scope, send, 403, UNKNOWN_HOST)
        elif origins and not (_is_own(origins, hosts[0]) or self._origins.issuperset(origins)):
            is_preflight = scope.get("method") == "OPTIONS"
            await refuse(scope, send, 400 if is_preflight else 403, FOREIGN_ORIGIN)
        else:
            await self.app(scope, receive, self._with_headers(send))

    def is_known(self, host: str) -> bool:
        """Tell whether a Host header names this server."""
        name, port = _split(host.lower())
        if name in LOOPBACK and port == self._port:
            return True
        if host.lower() in self._hosts or name in self._hosts:
            return True
        return self._addresses and _is_address(name)

    def _with_headers(self, send: Send) -> Send:
        async def wrapped(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *self._headers]}
            await send(message)

        return wrapped


async def refuse(scope: Scope, send: Send, status: int, sentence: str) -> None:
    """Answer a request with a status and a sentence; close a WebSocket before it is open."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": sentence.strip()})
        return
    body = sentence.encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _values(scope: Scope, name: bytes) -> list[str]:
    headers: Sequence[tuple[bytes, bytes]] = scope["headers"]
    return [value.decode("latin-1").strip() for key, value in headers if key.lower() == name]


def _split(host: str) -> tuple[str, int]:
    """Return name and port of a Host header; the port is -1 where it is no number."""
    name, colon, port = host.rpartition(":")
    if not colon or port.endswith("]"):  # no port, or the colons of an IPv6 address
        return host, 80
    return name, int(port) if port.isascii() and port.isdigit() else -1


def _is_address(name: str) -> bool:
    try:
        ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


def _is_own(origins: Sequence[str], host: str) -> bool:
    """Tell whether the one origin is the address that the request was sent to."""
    try:
        return len(origins) == 1 and urlsplit(origins[0]).netloc.lower() == host.lower()
    except ValueError:
        return False
