"""The releases that a process has open: the current one, and one that clients page through.

A release is open once per process, and each query gets a connection of its own to it, so queries of
several threads run side by side on one cache. When the pointer has moved, the new release is opened
and tried before it answers; the old one closes after its last query. All bookkeeping happens in the
event loop, so it needs no locks.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from warehouse.errors import CrossfadeError, UnknownReleaseError
from warehouse.releases.home import DATABASE, Home
from warehouse.releases.manifest import Manifest
from warehouse.releases.reader import Reader

A = TypeVar("A")
R = TypeVar("R")

MEMORY = "512MB"
"""What DuckDB may use for a release in one process: its cache and the queries; then it spills."""

LOOK_SECONDS = 0.2
"""How often a process looks whether the pointer has moved: one `readlink`."""

FORM = "1"
"""Version of the answers' form; part of the ETag."""

WARM_UP = (
    "FROM user_recommendations WHERE user_id = (SELECT min(user_id) FROM users)",
    "FROM recommend_user('', k := 1)",
)
"""Asked once before a release answers anybody."""


class OpenRelease:
    """One release's file; closes once it is retired and nobody holds it."""

    def __init__(self, reader: Reader) -> None:
        """``reader`` is of the release's own file, and closed with it."""
        self._reader = reader
        self._root = reader.connection()
        row = self._root.execute(
            "SELECT r.release_id, epoch(r.created_at), d.path FROM release r, duckdb_databases() d "
            "WHERE d.database_name = current_database()"
        ).fetchall()[0]
        self.release_id, self.created, self._file = str(row[0]), float(row[1]), Path(row[2])
        found = self._file.stat()
        stamp = f"{FORM} {found.st_size} {found.st_mtime_ns}".encode()
        self.etag = f'"{self.release_id}-{hashlib.blake2b(stamp, digest_size=4).hexdigest()}"'
        """Changes with all that an answer depends on beside its address."""
        self._names = {
            track_id: (name, artist)  # tuples of texts cost the garbage collector nothing
            for track_id, name, artist in self._root.execute(
                "SELECT track_id, name, artist FROM tracks"
            ).fetchall()
        }
        self._idle: list[duckdb.DuckDBPyConnection] = []
        self._holders = 0
        self._is_retired = False

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Keep the release open meanwhile."""
        self._holders += 1
        try:
            yield
        finally:
            self._holders -= 1
            self._close_if_done()

    @contextlib.contextmanager
    def borrowed(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Lend a connection that nobody else has, to a holder."""
        with self.held():
            connection = self._idle.pop() if self._idle else self._root.cursor()
            try:
                yield connection
            finally:
                self._idle.append(connection)

    def named(self, row: dict[str, Any]) -> dict[str, Any]:
        """Return a row of a stored list as `recommend_user` has it, with the track's names.

        To join them in SQL would take several times as long as the lookup.
        """
        name, artist = self._names[row["track_id"]]
        first = {"rank": row["rank"], "track_id": row["track_id"], "name": name, "artist": artist}
        return first | row

    @property
    def is_revised(self) -> bool:
        """Whether its path leads to another file by now, without listeners who were forgotten."""
        return self._file.resolve() != self._file

    def retire(self) -> None:
        """Close as soon as nobody holds it."""
        self._is_retired = True
        self._close_if_done()

    def _close_if_done(self) -> None:
        if self._is_retired and not self._holders:
            for connection in self._idle:
                connection.close()
            self._idle.clear()
            self._reader.close()


def open_release(file: Path) -> OpenRelease:
    """Open a release's file and try it; raises UnknownReleaseError if it cannot be read."""
    reader = Reader(file, threads=1, memory_limit=MEMORY)
    try:
        opened = OpenRelease(reader)
        for sql in WARM_UP:
            reader.connection().execute(sql).fetchall()
    except duckdb.Error as error:
        reader.close()
        raise UnknownReleaseError(f"{file} cannot be read as a release ({error})") from error
    return opened


class Releases:
    """What a process has open."""

    def __init__(self, home: Home, run: Executor) -> None:
        """``run`` opens files, which takes longer than the event loop may stand still."""
        self._home = home
        self._run = run
        self._named: Path | None = None
        self._pinned: OpenRelease | None = None
        self._pinning = asyncio.Lock()
        self.current: OpenRelease | None = None
        self.complaint = "nothing is published yet; publish a release with `crossfade run`"
        """Why the release that the pointer names does not answer; empty if it does."""

    async def follow(self, looked: Callable[[], None]) -> None:
        """Follow the pointer for ever; ``looked`` is called after each look."""
        while True:
            await self.look()
            looked()
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Open what the pointer names if that is not open; the release before it closes.

        So does the other release if it was revised.
        """
        if self._pinned is not None and self._pinned.is_revised:
            self._pinned.retire()
            self._pinned = None
        named = self._pointed_at()
        if named is None or (named == self._named and not self.complaint):
            return
        try:
            opened = await self._in_thread(open_release, named)
        except (CrossfadeError, OSError) as error:
            self.complaint = str(error)
            return
        before, self.current = self.current, opened
        self._named, self.complaint = named, ""
        if before is not None:
            before.retire()

    async def of_id(self, release_id: str) -> OpenRelease:
        """Return a published release by its id; raises UnknownReleaseError if it is not kept."""
        for opened in (self.current, self._pinned):
            if opened is not None and opened.release_id == release_id:
                return opened
        async with self._pinning:
            if self._pinned is None or self._pinned.release_id != release_id:
                file = await self._in_thread(self._file_of, release_id)
                opened = await self._in_thread(open_release, file)
                before, self._pinned = self._pinned, opened
                if before is not None:
                    before.retire()
            return self._pinned

    def close(self) -> None:
        """Close everything that is idle, and the rest after its last query."""
        for opened in (self.current, self._pinned):
            if opened is not None:
                opened.retire()
        self.current = self._pinned = None

    def _pointed_at(self) -> Path | None:
        try:
            return self._home.current.resolve(strict=True)
        except OSError:
            return None

    def _file_of(self, release_id: str) -> Path:
        """Return the file of a release that readers may see."""
        known = {path.name: path for path in self._home.releases.iterdir()}
        if release_id in known:
            with contextlib.suppress(OSError, ValueError):
                if Manifest.read(known[release_id]).status in ("published", "forced"):
                    return known[release_id] / DATABASE
        raise UnknownReleaseError(f"release {release_id} is not kept")

    async def _in_thread(self, call: Callable[[A], R], given: A) -> R:
        return await asyncio.get_running_loop().run_in_executor(self._run, call, given)
