"""How much a request may send."""

from collections.abc import MutableMapping
from typing import Any

from starlette.exceptions import HTTPException

from warehouse.hosts import ASGIApp, Receive, Scope, Send
from warehouse.serve.problems import problem

BODY_BYTES = 1_000_000
"""Longest body: a thousand ids of any length that occurs, many times over."""

TOO_LONG = f"the body is longer than {BODY_BYTES:,} bytes; ask in several requests"


class BodyLimit:
    """ASGI middleware: refuses bodies that are too long before they are in memory."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if announced.isdigit() and int(announced[:20]) > BODY_BYTES:
            await problem(413, TOO_LONG)(scope, receive, send)
            return
        came = 0

        async def counted() -> MutableMapping[str, Any]:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            if came > BODY_BYTES:
                raise HTTPException(413, TOO_LONG)
            return message

        await self.app(scope, counted, send)
