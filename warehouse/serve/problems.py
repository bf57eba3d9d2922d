"""Errors as problem documents (RFC 9457); a wrong argument is named."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
from pydantic import BaseModel, Field
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"


class WrongField(BaseModel):
    """One argument that cannot be used."""

    field: str
    message: str


class Problem(BaseModel):
    """Why a request was not answered."""

    type: str = Field(default="about:blank", description="Kind of problem; the status says enough")
    title: str
    status: int
    detail: str
    errors: list[WrongField] = []


class ProblemError(Exception):
    """Ends a request with a problem document."""

    def __init__(
        self, status: int, detail: str, field: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, headers
        self.errors = [WrongField(field=field, message=detail)] if field else []


def problem(
    status: int,
    detail: str,
    errors: Sequence[WrongField] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return the answer that says what is wrong."""
    document = Problem(
        title=HTTPStatus(status).phrase, status=status, detail=detail, errors=list(errors)
    )
    body = orjson.dumps(document.model_dump())
    return Response(body, status, dict(headers or {}), MEDIA_TYPE)


def wrong_fields(errors: Sequence[Any]) -> list[WrongField]:
    """Return what pydantic found wrong; what was sent is not repeated."""
    return [
        WrongField(field=_field(error["loc"]), message=error["msg"].removeprefix("Value error, "))
        for error in errors
    ]


def _field(place: Sequence[str | int]) -> str:
    """Return the argument's name as it was sent, such as `weight` or `lists.3.0`."""
    inside = [str(part) for part in place[1:]]
    if place[0] == "body" and (not inside or (len(inside) == 1 and inside[0].isdigit())):
        return "body"  # no JSON object at all
    return printable(".".join(inside))


def printable(text: str) -> str:
    """Return a name that a client made up so that it can be written as UTF-8."""
    return text.encode("utf-8", "replace").decode()[:200]
