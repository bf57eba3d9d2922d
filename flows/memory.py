"""Peak memory of a run: a process and every process it started, together."""

import threading
from types import TracebackType
from typing import Self

import psutil

INTERVAL_SECONDS = 0.25


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
        while not self._stop.wait(INTERVAL_SECONDS):
            try:
                root = psutil.Process(self._pid)
                processes = [root, *root.children(recursive=True)]
            except psutil.NoSuchProcess:
                return
            self.bytes = max(self.bytes, sum(map(_memory, processes)))


def _memory(process: psutil.Process) -> int:
    try:
        used = process.memory_full_info()
    except psutil.Error:  # it ended meanwhile, or belongs to somebody else
        return 0
    return int(getattr(used, "pss", used.rss))
