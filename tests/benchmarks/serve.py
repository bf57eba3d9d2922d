"""`crossfade serve` under load: requests per second, latency at half of it, memory.

    python -m tests.benchmarks.serve HOME [--workers 2] [--seconds 8] [--requests 100000]

Each request asks for the stored list of another random listener, over kept-alive connections on the
loopback interface. The load generator is one asyncio process on the same processors, so its
processor time is reported too. Latency at a rate counts from when a request was due, so a request
that waits behind a slow one counts as slow as well. `reference` is the same query by DuckDB in one
thread without HTTP: on a shared machine compare with that.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from warehouse.releases.home import Home
from warehouse.releases.reader import Reader
from warehouse.serve.access import token

CONNECTIONS = 32


@dataclass
class Load:
    """What came of some requests."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    failures: int = 0

    def line(self) -> str:
        """Return the figures in a line."""
        done = sorted(self.latencies)
        at = {share: done[int(share * (len(done) - 1))] * 1e3 for share in (0.5, 0.95, 0.99)}
        return (
            f"{len(done) / self.seconds:8.0f} requests/s  "
            f"p50 {at[0.5]:6.1f}  p95 {at[0.95]:6.1f}  p99 {at[0.99]:6.1f} ms  "
            f"{self.failures} failures of {len(done)}"
        )


async def ask(
    port: int, requests: Sequence[bytes], load: Load, due: Iterator[float] | None
) -> None:
    """Send the requests one after the other on one connection; ``due``: when each may go."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for request in requests:
        begun = time.perf_counter()
        if due is not None:
            begun = next(due)
            await asyncio.sleep(max(0.0, begun - time.perf_counter()))
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n", 1)[0])
        body = await reader.readexactly(length)
        load.latencies.append(time.perf_counter() - begun)
        if not head.startswith(b"HTTP/1.1 200") or b'"rank":1,' not in body:
            load.failures += 1
    writer.close()


async def measure(port: int, requests: Sequence[bytes], rate: float | None = None) -> Load:
    """Send the requests, as fast as they are answered or at a rate per second."""
    load = Load()
    begun = time.perf_counter()
    parts = [requests[x::CONNECTIONS] for x in range(CONNECTIONS)]
    plans = [_due(begun + 0.1, x, rate) if rate else None for x in range(CONNECTIONS)]
    await asyncio.gather(
        *(ask(port, part, load, due) for part, due in zip(parts, plans, strict=True))
    )
    load.seconds = time.perf_counter() - begun
    return load


def _due(begin: float, connection: int, rate: float) -> Iterator[float]:
    number = connection
    while True:
        yield begin + number / rate
        number += CONNECTIONS


@contextmanager
def serving(home: Path, workers: int) -> Iterator[tuple[int, psutil.Process]]:
    """Serve the home; yield port and process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "flows.cli", "serve", "--home", str(home)]
    process = subprocess.Popen([*command, "--port", str(port), "--workers", str(workers)])
    try:
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/health",
            headers={"Authorization": f"Bearer {token(Home(home))}"},
        )
        for _ in range(600):
            try:
                with urllib.request.urlopen(request, timeout=5):
                    break
            except OSError:
                time.sleep(0.1)
        time.sleep(3)  # until every worker is there
        yield port, psutil.Process(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def requests_for(users: Sequence[str], port: int, secret: str, path: str) -> list[bytes]:
    """Return a request for each listener."""
    return [
        f"GET /v1/{path}?user_id={user} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        f"Authorization: Bearer {secret}\r\n\r\n".encode()
        for user in users
    ]


def listeners(home: Path, n: int) -> list[str]:
    """Return random listeners."""
    with Reader(Home(home).current) as reader:
        ids = reader.query("SELECT user_id FROM users").column(0)
    return [ids[x].as_py() for x in random.Random(7).choices(range(len(ids)), k=n)]


def reference(home: Path, users: Sequence[str]) -> float:
    """Return the processor seconds of one lookup by DuckDB alone."""
    with Reader(Home(home).current, threads=1) as reader:
        connection = reader.connection()
        sql = "FROM user_recommendations WHERE user_id = ? AND rank <= 20 ORDER BY rank"
        begun = 0.0
        for number, user in enumerate(users):
            if number == 20:
                begun = time.process_time()
            connection.execute(sql, [user]).fetchall()
        return (time.process_time() - begun) / (len(users) - 20)


def memory(process: psutil.Process) -> float:
    """Return the memory of a process and its children, in MB: what no others share."""
    return (
        sum(one.memory_full_info().uss for one in [process, *process.children(recursive=True)])
        / 1e6
    )


def processor_seconds(process: psutil.Process) -> float:
    """Return the processor time of a process's children so far."""
    return sum(sum(one.cpu_times()[:2]) for one in process.children(recursive=True))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.serve", description=__doc__)
    parser.add_argument("home", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--requests", type=int, default=0, help="of the memory run; 0: none")
    parser.add_argument("--path", default="user_recommendations")
    given = parser.parse_args()
    users = listeners(given.home, 20_000)
    print(f"load average {os.getloadavg()[0]:.1f}")
    print(f"reference: {reference(given.home, users[:220]) * 1e3:.2f} ms of processor time")
    with serving(given.home, given.workers) as (port, process):
        requests = requests_for(users, port, token(Home(given.home)), given.path)
        asyncio.run(measure(port, requests[:400]))
        for rate in (None, 200.0):
            count = int(given.seconds * (rate or 300))
            before, own = processor_seconds(process), time.process_time()
            load = asyncio.run(measure(port, requests[:count], rate))
            spent = (processor_seconds(process) - before) / count * 1e3
            own = (time.process_time() - own) / count * 1e3
            print(
                f"{f'at {rate:g}/s' if rate else 'as fast as possible':20} {load.line()}  "
                f"{spent:.2f} + {own:.2f} ms of processor time (server, generator)"
            )
        if given.requests:
            marks = [memory(process)]
            for part in range(10):
                some = [requests[(part * 1000 + x) % len(requests)]
                        for x in range(given.requests // 10)]  # fmt: skip
                load = asyncio.run(measure(port, some))
                marks.append(memory(process))
                print(json.dumps({"requests": (part + 1) * len(some), "mb": round(marks[-1])}))


if __name__ == "__main__":
    main()
