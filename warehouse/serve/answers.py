"""From question to answer: which release, whether the client has it already, the query, JSON."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import duckdb
import orjson
from starlette.requests import Request
from starlette.responses import Response

from warehouse.errors import UnknownReleaseError
from warehouse.releases.home import Home
from warehouse.serve.endpoints import STORED_LIST, Endpoint, next_after
from warehouse.serve.problems import ProblemError
from warehouse.serve.questions import Question, RecommendUser
from warehouse.serve.releases import OpenRelease, Releases
from warehouse.statements import statement

THREADS, BATCH_THREADS = 4, 1
"""Queries of one process at a time; those for many lists do not take turns with the others."""

WAITING = 256
"""Requests that may wait for a thread; beyond it a client hears so at once."""

QUERY_SECONDS = 30.0
"""Longest time of a query; then it is interrupted."""

_STORED = statement("warehouse.serve", f"sql/{STORED_LIST}")

Rows = list[dict[str, Any]]


class Answers:
    """Answers the questions of one process."""

    def __init__(self, home: Home) -> None:
        self._threads = ThreadPoolExecutor(THREADS, "query")
        self._batches = ThreadPoolExecutor(BATCH_THREADS, "batch")
        self._waiting = 0
        self.releases = Releases(home, self._threads)

    async def answer(self, request: Request, endpoint: Endpoint, question: Question) -> Response:
        """Return the answer, or 304 if the client has it; raises ProblemError."""
        release = await self._release(question)
        headers = {"ETag": release.etag, "Cache-Control": "private, no-cache"}
        if request.method == "GET" and _has(request, release.etag):
            return Response(status_code=304, headers=headers)
        body = await self._run(endpoint, question, release)
        return Response(body, headers=headers, media_type="application/json")

    def close(self) -> None:
        """Let go of threads and files."""
        self.releases.close()
        for threads in (self._threads, self._batches):
            threads.shutdown(wait=False, cancel_futures=True)

    async def _release(self, question: Question) -> OpenRelease:
        if question.release_id is not None:
            try:
                return await self.releases.of_id(question.release_id)
            except (UnknownReleaseError, OSError):
                raise ProblemError(
                    410,
                    "this release is not kept; begin again without `release_id`",
                    field="release_id",
                ) from None
        if self.releases.current is None:
            raise ProblemError(503, self.releases.complaint, headers={"Retry-After": "5"})
        return self.releases.current

    async def _run(self, endpoint: Endpoint, question: Question, release: OpenRelease) -> bytes:
        if self._waiting >= WAITING:
            raise ProblemError(503, "too many requests wait", headers={"Retry-After": "1"})
        loop = asyncio.get_running_loop()
        threads = self._threads if endpoint.by_get else self._batches
        self._waiting += 1
        try:
            with release.borrowed() as connection:
                run = loop.run_in_executor(
                    threads, answered, connection, endpoint, question, release.release_id
                )
                late = loop.call_later(QUERY_SECONDS, connection.interrupt)
                try:
                    # shielded: a connection goes back when its query has ended, not before
                    return await asyncio.shield(run)
                except asyncio.CancelledError:
                    connection.interrupt()
                    await asyncio.wait([run])
                    raise
                finally:
                    late.cancel()
        except duckdb.InterruptException:
            raise ProblemError(503, f"the query took longer than {QUERY_SECONDS:g} s") from None
        except duckdb.OutOfMemoryException:
            raise ProblemError(503, "the query needs more memory than a worker has") from None
        finally:
            self._waiting -= 1


def answered(
    connection: duckdb.DuckDBPyConnection, endpoint: Endpoint, question: Question, release_id: str
) -> bytes:
    """Run the query and return the answer as JSON; called in a thread."""
    found = _stored(connection, question) if isinstance(question, RecommendUser) else None
    if found is None:
        found = rows(connection, endpoint.sql, question.values())
    document = {
        "release_id": release_id,
        "rows": found,
        "next_after": next_after(question, found),
    }
    return orjson.dumps(document)


def rows(connection: duckdb.DuckDBPyConnection, sql: str, values: dict[str, Any]) -> Rows:
    """Run one query and return its rows."""
    result = connection.execute(sql, values or None)
    columns = [column[0] for column in result.description or ()]
    return [dict(zip(columns, row, strict=True)) for row in result.fetchall()]


def _stored(connection: duckdb.DuckDBPyConnection, question: RecommendUser) -> Rows | None:
    """Return the stored list if it is what was asked for and as long; None: to be computed."""
    if not question.is_stored():
        return None
    values = question.values()
    found = rows(connection, _STORED, {x: values[x] for x in ("user_id", "after", "last")})
    return found if len(found) == question.k else None


def _has(request: Request, etag: str) -> bool:
    """Tell whether the client named this ETag in If-None-Match."""
    named = request.headers.get("if-none-match", "")
    tags = {tag.strip().removeprefix("W/") for tag in named.split(",")}
    return etag in tags or "*" in tags
