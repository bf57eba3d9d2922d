"""What Prometheus reads at `/metrics`: requests, their time, and the release that is served.

Each process writes its numbers into a folder of mapped files, so that any of them can report for
all. No label holds an id.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Collection, Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from starlette.responses import Response

from warehouse.hosts import ASGIApp, Receive, Scope, Send

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Variable that prometheus_client looks for when it is imported."""

BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@contextmanager
def shared_folder() -> Iterator[None]:
    """Give the processes that are started meanwhile a folder for their numbers."""
    folder = tempfile.mkdtemp(prefix="crossfade-metrics-")
    os.environ[FOLDER] = folder
    try:
        yield
    finally:
        os.environ.pop(FOLDER, None)
        shutil.rmtree(folder, ignore_errors=True)


class Metrics:
    """The numbers of this process."""

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

        registry = CollectorRegistry()
        self.requests = Counter(
            "crossfade_http_requests",
            "Requests by path, method and status",
            ("path", "method", "status"),
            registry=registry,
        )
        self.seconds = Histogram(
            "crossfade_http_request_seconds",
            "Time from request to answer",
            ("path",),
            buckets=BUCKETS,
            registry=registry,
        )
        self.release_created = Gauge(
            "crossfade_release_created_timestamp_seconds",
            "When the oldest release that a worker serves was built",
            multiprocess_mode="livemin",
            registry=registry,
        )
        self.pointer_readable = Gauge(
            "crossfade_pointer_readable",
            "1: every worker serves what the pointer names",
            multiprocess_mode="livemin",
            registry=registry,
        )
        self._registry = registry
        _forget_dead()

    def leave(self) -> None:
        """Take this process's gauges out of the report; what it counted stays."""
        _forget(os.getpid())

    def report(self) -> Response:
        """Return the numbers of all processes."""
        from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
        from prometheus_client.multiprocess import MultiProcessCollector

        registry = self._registry
        if FOLDER in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


def _forget_dead() -> None:
    """Take the gauges of processes that were killed out of the report."""
    for file in Path(os.environ[FOLDER]).glob("gauge_*.db") if FOLDER in os.environ else ():
        pid = int(file.stem.rpartition("_")[2])
        if not psutil.pid_exists(pid):
            _forget(pid)


def _forget(pid: int) -> None:
    from prometheus_client.multiprocess import mark_process_dead

    if FOLDER in os.environ:
        mark_process_dead(pid)  # type: ignore[no-untyped-call]


class Measured:
    """ASGI middleware: counts and times requests."""

    def __init__(self, app: ASGIApp, metrics: Metrics, paths: Collection[str]) -> None:
        """``paths``: those that exist; all others count as one."""
        self.app = app
        self._metrics = metrics
        self._paths = frozenset(paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun, status = time.perf_counter(), 500

        async def watched(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watched)
        finally:
            path = scope["path"] if scope["path"] in self._paths else "other"
            method = scope["method"] if scope["method"] in ("GET", "POST", "OPTIONS") else "other"
            self._metrics.requests.labels(path, method, str(status)).inc()
            self._metrics.seconds.labels(path).observe(time.perf_counter() - begun)
