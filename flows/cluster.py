"""The Dask cluster of a run: an existing scheduler, or worker processes of our own."""

import os
import signal
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import dask
import psutil
from distributed import Client, LocalCluster
from distributed.security import Security

from flows.settings import DaskTls, Settings, worker_memory
from warehouse.errors import ClusterError, InputError

CONNECT_SECONDS = 10

PRELOADED = (
    *(f"tasks.{package}.stage" for package in ("collaborative", "content", "evaluation", "blend")),
    "tasks.content.model",
)
"""What workers import as they start, so that no block waits for it."""


KEPT_MEMORY = {f"MALLOC_{name}_THRESHOLD_": str(256 << 20) for name in ("TRIM", "MMAP")}
"""The environment by which a worker keeps that many bytes of freed memory for its next block:
getting them anew from the system costs more than many a block's work."""

UNSERVED: dict[str, list[str]] = {
    f"distributed.{role}.http.routes": [] for role in ("scheduler", "worker")
}
"""Scheduler and workers serve pages about a run, to whoever asks, unless they have none."""

RARELY = {
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "2s",
    "distributed.worker.profile.enabled": False,
}
"""How often Dask's processes monitor themselves. By default each wakes up fifty times a second
and a worker samples what it does a hundred times: time that blocks lack where two cores do all."""


class Cluster:
    """Starts or joins a cluster when the first block is to be computed, not before.

    A run that reuses every stage never pays for worker processes; one that begins to compute can
    have them start at the side of what needs no workers. Give it to the stages where they want a
    Client.
    """

    def __init__(
        self,
        address: str | None,
        workers: int,
        memory_per_worker: int,
        tls: DaskTls | None = None,
    ) -> None:
        """``address``: a scheduler to join, or None for ``workers`` processes of our own.

        ``tls``: certificates for a scheduler to join. Processes of our own always talk by TLS,
        with a certificate made for this cluster: a scheduler runs whatever its clients send it.
        """
        self._address = address
        self._tls = tls
        self._workers = workers
        self._memory = memory_per_worker
        self._lock = threading.Lock()
        self._cluster: LocalCluster | None = None
        self._client: Client | None = None
        self._unreachable: ClusterError | None = None
        self._asked = 0.0
        self._starting: threading.Thread | None = None
        self._aborted = False

    def start_soon(self) -> None:
        """Start or join the cluster in the background; `client` reports what goes wrong."""

        def start() -> None:
            with suppress(Exception):
                self.client()

        if self._starting is None:
            self._starting = threading.Thread(target=start, name="cluster", daemon=True)
            self._starting.start()

    def client(self) -> Client:
        """Return the connected client; raises ClusterError when the scheduler cannot be reached."""
        with self._lock:
            if self._unreachable and time.monotonic() - self._asked < CONNECT_SECONDS / 2:
                raise self._unreachable  # stages run side by side; one wait is enough
            if self._client is not None and self._client.status in ("closing", "closed"):
                self._client = None
            if self._client is None and not self._aborted:
                self._client = self._connect()
            if self._client is None or self._aborted:
                raise ClusterError("the run was stopped, and its Dask workers with it")
            return self._client

    def abort(self) -> None:
        """End our workers at once; whoever waits for a block gets an error. For other threads."""
        self._aborted = True
        if self._cluster is not None:
            for nanny in list(self._cluster.workers.values()):
                nanny.auto_restart = False
                if nanny.pid is not None:
                    with suppress(psutil.Error):
                        psutil.Process(nanny.pid).kill()
        if self._client is not None:
            self._client.close(timeout=1)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client(), name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._starting is not None:
            self._starting.join()
        if self._client is not None:
            self._client.close()
        if self._cluster is not None:
            self._cluster.close()

    def _connect(self) -> Client:
        if self._address is not None:
            security = _security(self._tls)
            try:
                return Client(self._address, timeout=CONNECT_SECONDS, security=security)
            except (OSError, TimeoutError, TypeError, ValueError) as error:  # TypeError: no TLS
                self._asked = time.monotonic()
                self._unreachable = ClusterError(
                    f"no Dask scheduler answers at {self._address} ({error}); start one with "
                    "`dask scheduler` or leave --dask away"
                )
                raise self._unreachable from None
        _start_quiet_tracker()
        before = "distributed.nanny.pre-spawn-environ"
        kept = {f"{before}.{name}": value for name, value in KEPT_MEMORY.items()}
        with dask.config.set({**kept, **RARELY, **UNSERVED}), _interrupts_blocked():
            self._cluster = LocalCluster(
                n_workers=self._workers,
                threads_per_worker=1,
                processes=True,
                memory_limit=self._memory,
                host="127.0.0.1",
                dashboard_address="127.0.0.1:0",
                scheduler_kwargs={"dashboard": False},
                security=Security.temporary(),
                silence_logs=50,
                preload=list(PRELOADED),
            )
        return Client(self._cluster)


def cluster_of(settings: Settings) -> Cluster:
    """Return the cluster that the settings describe; it is not started yet."""
    return Cluster(
        settings.dask, settings.workers, worker_memory(settings.workers), settings.dask_tls
    )


def _security(tls: DaskTls | None) -> Security | None:
    """Return the certificates as Dask takes them; raises InputError if they are of no use.

    None leaves it to Dask's own configuration, which may name certificates too.
    """
    if tls is None:
        return None
    security = Security(
        require_encryption=True,
        tls_ca_file=str(tls.ca),
        tls_client_cert=str(tls.cert),
        tls_client_key=None if tls.key is None else str(tls.key),
    )
    try:
        security.get_connection_args("client")
    except (OSError, ssl.SSLError) as error:
        raise InputError(
            f"the certificates of dask_tls cannot be used ({error}); ca ({tls.ca}), cert "
            f"({tls.cert}) and key ({tls.key or 'in cert'}) must be PEM files that belong together"
        ) from None
    return security


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Block SIGINT in this thread, and for good in threads and processes that it starts.

    A terminal sends Ctrl-C to workers too. They would die with a traceback each, and their nannies
    would start others, while the run ends them in an order of its own.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _start_quiet_tracker() -> None:
    """Start the process by which Python removes semaphores, with no terminal to write to.

    It reports those that killed workers have left, after the run's own last line.
    """
    try:
        standard_error = os.dup(2)
    except OSError:  # it is closed: nothing can be written to it
        return
    try:
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
            resource_tracker.ensure_running()
    finally:
        os.dup2(standard_error, 2)
        os.close(standard_error)
