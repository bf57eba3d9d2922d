"""From question to answer: which release, whether the client has it already, the query, JSON."""

import asyncio
from concurrent.futures import Executor, ThreadPoolExecutor
from operator import itemgetter

import duckdb
import orjson
from starlette.requests import Request
from starlette.responses import Response

from warehouse.errors import UnknownReleaseError
from warehouse.releases.home import Home
from warehouse.serve.endpoints import STORED_LIST, Endpoint, next_after
from warehouse.serve.problems import ProblemError
from warehouse.serve.queries import Rows, rows
from warehouse.serve.questions import Question, RecommendUser, UserRecommendations
from warehouse.serve.releases import OpenRelease, Releases

THREADS = 3
"""Queries that one process computes at a time, beside one of a batch."""

WAITING = 256
"""Requests that may wait for an answer; beyond it a client hears so at once."""

QUERY_SECONDS = 30.0
"""Longest time of a query; then it is interrupted."""


class Answers:
    """Answers the questions of one process."""

    def __init__(self, home: Home) -> None:
        self._threads = ThreadPoolExecutor(THREADS, "query")
        self._batches = ThreadPoolExecutor(1, "batch")
        self._waiting = 0
        self.releases = Releases(home, self._threads)

    async def answer(self, request: Request, endpoint: Endpoint, question: Question) -> Response:
        """Return the answer, or 304 if the client has it; raises ProblemError."""
        release = await self._release(question)
        headers = {"ETag": release.etag, "Cache-Control": "private, no-cache"}
        if request.method == "GET" and _has(request, release.etag):
            return Response(status_code=304, headers=headers)
        if self._waiting >= WAITING:
            raise ProblemError(503, "too many requests wait", headers={"Retry-After": "1"})
        self._waiting += 1
        try:
            with release.held():
                found = await self._rows(endpoint, question, release)
        except duckdb.InterruptException:
            raise ProblemError(503, f"the query took longer than {QUERY_SECONDS:g} s") from None
        except duckdb.CatalogException:
            raise ProblemError(
                404, f"release {release.release_id} is older than `{endpoint.name}`"
            ) from None
        except duckdb.BinderException:
            if not question.is_varied():
                raise
            raise ProblemError(
                404, f"release {release.release_id} is older than `diversity` and `calibrated`"
            ) from None
        except duckdb.OutOfMemoryException:
            raise ProblemError(503, "the query needs more memory than a worker has") from None
        finally:
            self._waiting -= 1
        document = {
            "release_id": release.release_id,
            "rows": found,
            "next_after": next_after(question, found),
        }
        return Response(orjson.dumps(document), headers=headers, media_type="application/json")

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

    async def _rows(self, endpoint: Endpoint, question: Question, release: OpenRelease) -> Rows:
        if isinstance(question, UserRecommendations):
            return _stored(release, question)
        if isinstance(question, RecommendUser) and question.is_stored():
            found = _stored(release, question)
            if len(found) == question.k:
                return [release.named(row) for row in found]
            # the list goes on, or the listener is not known
        threads = self._threads if endpoint.by_get else self._batches
        sql = endpoint.varied_sql if question.is_varied() else endpoint.sql
        return await self._run(threads, release, sql, question.values())

    async def _run(
        self, threads: Executor, release: OpenRelease, sql: str, values: dict[str, object]
    ) -> Rows:
        loop = asyncio.get_running_loop()
        with release.borrowed() as connection:
            run = loop.run_in_executor(threads, rows, connection, sql, values)
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


def _stored(release: OpenRelease, question: UserRecommendations | RecommendUser) -> Rows:
    """Look up a listener's stored list, in the event loop.

    A lookup takes two milliseconds of planning and reading; a thread's turns with Python's lock
    would add half of that.
    """
    with release.borrowed() as connection:
        found = rows(connection, STORED_LIST, {"user_id": question.user_id})
    first, last = question.after, question.after + question.k
    return sorted((row for row in found if first < row["rank"] <= last), key=itemgetter("rank"))


def _has(request: Request, etag: str) -> bool:
    """Tell whether the client named this ETag in If-None-Match."""
    named = request.headers.get("if-none-match", "")
    tags = {tag.strip().removeprefix("W/") for tag in named.split(",")}
    return etag in tags or "*" in tags
