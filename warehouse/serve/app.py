"""The application of one worker process: endpoints, health, metrics, document and page."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from importlib.resources import files
from typing import Annotated, Any, TypeVar

from fastapi import Body, FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware

from warehouse.hosts import ASGIApp, HostGuard
from warehouse.releases.home import Home
from warehouse.serve.access import TokenGuard
from warehouse.serve.answers import Answers
from warehouse.serve.endpoints import ENDPOINTS, Endpoint
from warehouse.serve.limits import BodyLimit
from warehouse.serve.metrics import Measured, Metrics
from warehouse.serve.problems import (
    MEDIA_TYPE,
    Problem,
    ProblemError,
    printable,
    problem,
    wrong_fields,
)
from warehouse.serve.questions import Question
from warehouse.serve.rows import Answer

Q = TypeVar("Q", bound=Question)

PARENT_SECONDS = 1.0
"""How often a worker looks whether the process that started it is still there."""

REFUSALS = {
    401: "The token is missing or wrong",
    404: "The release is older than the macro",
    410: "The release of `release_id` is not kept",
    413: "The body is too long",
    422: "An argument is wrong: `errors` names it",
    503: "Nothing is published, or there is too much to do: try again",
}


@dataclass(frozen=True)
class Serving:
    """What a worker needs to know."""

    home: Home
    port: int
    hosts: tuple[str, ...] = ()
    """Names it may be asked by beside the loopback ones."""
    addresses: bool = False
    """Whether it may be asked by an IP address: where it listens beyond the loopback interface."""
    origins: tuple[str, ...] = ()
    parent: int | None = None
    """Process to end with."""


class Health(BaseModel):
    """Whether requests are answered."""

    status: str
    """ok, or stale: an earlier release answers, as what the pointer names cannot be read."""
    release_id: str
    detail: str


def create_app(serving: Serving) -> ASGIApp:
    """Return the guarded application."""
    metrics = Metrics()
    answers = Answers(serving.home)
    app = FastAPI(
        title="Crossfade",
        summary="Recommendations of the current release",
        description=(
            "Read-only. A path is the name of a macro or relation of docs/warehouse.md. Every "
            "answer is of one release, which it names; `release_id` asks for the same one again."
        ),
        version="1",
        docs_url=None,
        redoc_url=None,
        lifespan=lambda _app: _lifespan(serving, answers, metrics),
    )
    for endpoint in ENDPOINTS:
        _add(app, endpoint, answers)
    _add_health(app, answers)
    app.add_api_route("/metrics", metrics.report, include_in_schema=False)
    page = files("warehouse.serve").joinpath("assets/docs.html").read_text()
    app.add_api_route("/docs", lambda: HTMLResponse(page), include_in_schema=False)
    _add_problems(app)
    _describe(app)
    paths = {"/health", "/metrics", "/docs", "/openapi.json", *(one.path for one in ENDPOINTS)}
    guarded: Any = Measured(TokenGuard(BodyLimit(app), serving.home), metrics, paths)
    if serving.origins:  # outside the token: a browser asks beforehand, and cannot sign in for it
        guarded = CORSMiddleware(
            guarded,
            allow_origins=serving.origins,
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type", "If-None-Match"],
            expose_headers=["ETag"],
        )
    return HostGuard(
        guarded, serving.port, serving.hosts, serving.addresses, origins=serving.origins
    )


def _add(app: FastAPI, endpoint: Endpoint, answers: Answers) -> None:
    """Add the routes of an endpoint."""
    described: dict[str, Any] = {
        "response_model": None,
        "summary": endpoint.summary,
        "responses": {
            200: {"model": Answer[endpoint.row]},  # type: ignore[name-defined]
            304: {"description": "The client has the answer: If-None-Match named its ETag"},
            **_refusals(),
        },
    }
    if endpoint.by_get:
        by_get = _handler(endpoint, endpoint.question, Query(), answers)
        app.add_api_route(
            endpoint.path, by_get, operation_id=endpoint.name, methods=["GET"], **described
        )
    if endpoint.by_post:
        by_post = _handler(endpoint, endpoint.question, Body(), answers)
        name = f"{endpoint.name}_by_post" if endpoint.by_get else endpoint.name
        app.add_api_route(endpoint.path, by_post, operation_id=name, methods=["POST"], **described)


def _handler(
    endpoint: Endpoint, asked: type[Q], source: Any, answers: Answers
) -> Callable[[Request, Q], Awaitable[Response]]:
    """Return what answers an endpoint with arguments from the address or the body."""

    async def handle(request: Request, question: Q) -> Response:
        return await answers.answer(request, endpoint, question)

    handle.__annotations__["question"] = Annotated[asked, source]
    return handle


def _add_health(app: FastAPI, answers: Answers) -> None:
    @app.get(
        "/health",
        summary="Whether requests are answered",
        operation_id="health",
        responses=_refusals(401, 503),
    )
    async def health() -> Health:
        current, complaint = answers.releases.current, answers.releases.complaint
        if current is None:
            raise ProblemError(503, complaint, headers={"Retry-After": "5"})
        return Health(
            status="stale" if complaint else "ok",
            release_id=current.release_id,
            detail=complaint,
        )


def _add_problems(app: FastAPI) -> None:
    """Have every error answered by a problem document."""

    @app.exception_handler(RequestValidationError)
    async def wrong(_request: Request, error: RequestValidationError) -> Response:
        found = wrong_fields(error.errors())
        said = "; ".join(f"{one.field}: {one.message}" for one in found[:5])
        return problem(422, printable(said), found)

    @app.exception_handler(ProblemError)
    async def refused(_request: Request, error: ProblemError) -> Response:
        return problem(error.status, error.detail, error.errors, error.headers)

    @app.exception_handler(HTTPException)
    async def http(_request: Request, error: HTTPException) -> Response:
        return problem(error.status_code, printable(str(error.detail)), headers=error.headers)

    @app.exception_handler(Exception)
    async def unforeseen(_request: Request, _error: Exception) -> Response:
        return problem(500, "the request failed; the log of the server says why")


def _refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        status: {"description": text, "content": content}
        for status, text in REFUSALS.items()
        if status in (statuses or REFUSALS)
    }


def _describe(app: FastAPI) -> None:
    """Add to the document what FastAPI does not know: problems and the token."""
    document = app.openapi()
    schemas = document["components"]["schemas"]
    problems = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= problems.pop("$defs") | {"Problem": problems}
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemes = {"token": {"type": "http", "scheme": "bearer"}}
    document["components"]["securitySchemes"] = schemes
    document["security"] = [{"token": []}]


@asynccontextmanager
async def _lifespan(serving: Serving, answers: Answers, metrics: Metrics) -> AsyncIterator[None]:
    """Open the current release before the first request, and follow the pointer after it."""

    releases = answers.releases

    def looked() -> None:
        metrics.pointer_readable.set(0 if releases.complaint else 1)
        if releases.current is not None:
            metrics.release_created.set(releases.current.created)

    await releases.look()
    tasks = [asyncio.create_task(releases.follow(looked))]
    if serving.parent is not None:
        tasks.append(asyncio.create_task(_end_with(serving.parent)))
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        answers.close()
        metrics.leave()


async def _end_with(parent: int) -> None:
    """End this process when the one that started it has ended, however it ended."""
    while os.getppid() == parent:
        await asyncio.sleep(PARENT_SECONDS)
    signal.raise_signal(signal.SIGTERM)
