"""Stored lists of listeners: requests that wait are answered together, by one query.

Planning is most of the time that one lookup takes, and a query for eight listeners takes about
three times as long as that for one. A request that finds nobody before it is asked for at once;
those that come while its query runs share the next one.
"""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import duckdb

from warehouse.serve.queries import Rows, rows
from warehouse.serve.releases import OpenRelease
from warehouse.statements import statement

TOGETHER = 32
"""Lists that one query reads at most."""


class _Asked(NamedTuple):
    release: OpenRelease
    user_id: str
    after: int
    last: int
    answer: "asyncio.Future[Rows]"


class StoredLists:
    """Reads stored lists by a pair of queries, for one listener and for several."""

    def __init__(self, name: str, threads: ThreadPoolExecutor) -> None:
        """``name``: file of the query in `sql/`; that with `_many` is for several listeners."""
        self._one = statement("warehouse.serve", f"sql/{name}")
        self._many = statement("warehouse.serve", f"sql/{name}_many")
        self._threads = threads
        self._waiting: list[_Asked] = []
        self._running: asyncio.Task[None] | None = None

    async def read(self, release: OpenRelease, user_id: str, after: int, last: int) -> Rows:
        """Return the ranks above ``after`` up to ``last``; none for a listener who is not known."""
        answer: asyncio.Future[Rows] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Asked(release, user_id, after, last, answer))
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        return await answer

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            release = self._waiting[0].release
            asked = [one for one in self._waiting if one.release is release][:TOGETHER]
            self._waiting = [one for one in self._waiting if one not in asked]
            try:
                with release.borrowed() as connection:
                    found = await loop.run_in_executor(
                        self._threads, self._query, connection, asked
                    )
            except Exception as error:  # each of them hears of it
                for one in asked:
                    if not one.answer.done():
                        one.answer.set_exception(error)
                continue
            for one, its_rows in zip(asked, found, strict=True):
                if not one.answer.done():
                    one.answer.set_result(its_rows)
        self._running = None

    def _query(self, connection: duckdb.DuckDBPyConnection, asked: Sequence[_Asked]) -> list[Rows]:
        """Return the rows of each question; called in a thread."""
        if len(asked) == 1:
            one = asked[0]
            values: dict[str, Any] = {"user_id": one.user_id, "after": one.after, "last": one.last}
            return [rows(connection, self._one, values)]
        values = {
            "user_ids": [one.user_id for one in asked],
            "after": min(one.after for one in asked),
            "last": max(one.last for one in asked),
        }
        lists: dict[str, Rows] = {}
        for row in rows(connection, self._many, values):
            lists.setdefault(row.pop("user_id"), []).append(row)
        return [
            [row for row in lists.get(one.user_id, ()) if one.after < row["rank"] <= one.last]
            for one in asked
        ]
