"""Peak memory of a run: a process and every process it started, together."""

import threading
import time
from types import TracebackType
from typing import Self

import psutil

INTERVAL_SECONDS = 0.25

GROWTH = 1.05
"""How much more must be resident than at the last exact look for another one at once."""

REST = 25
"""How long there is none otherwise, as a multiple of the time of the last one."""


class PeakMemory:
    """Samples the memory of a process tree while the context is open.

    What several processes share (libraries, mapped files) counts once: each is charged its
    proportional share where the system tells it, all that is resident elsewhere.
    """

    def __init__(self, pid: int | None = None) -> None:
        """``pid``: the root of the tree, by default this process."""
        self.bytes = 0
        self._pid = pid
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        # An exact look walks the page tables of every process and holds up their page faults: four
        # a second took 15 % of a core. So a cheap figure, what is resident, says when to look.
        highest, rested = 0, 0.0
        while not self._stop.wait(INTERVAL_SECONDS):
            try:
                root = psutil.Process(self._pid)
                processes = [root, *root.children(recursive=True)]
            except psutil.NoSuchProcess:
                return
            resident = sum(map(_resident, processes))
            begin = time.monotonic()
            if resident > GROWTH * highest or (resident > highest / GROWTH and begin > rested):
                self.bytes = max(self.bytes, sum(map(_shared_out, processes)))
                highest = max(highest, resident)
                end = time.monotonic()
                rested = end + REST * (end - begin)


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:  # it ended meanwhile
        return 0


def _shared_out(process: psutil.Process) -> int:
    try:
        used = process.memory_full_info()
    except psutil.Error:  # it ended meanwhile, or belongs to somebody else
        return 0
    return int(getattr(used, "pss", used.rss))
