"""How far stages are: shown in the Prefect UI, at the terminal and, now and then, in the log."""

import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, cast
from uuid import UUID

from prefect.artifacts import create_progress_artifact, update_progress_artifact

from flows.lines import PROGRESS, Pace
from tasks.lake.blocks import Progress

UPDATE_SECONDS = 2.0
"""Least time between two updates of a progress artifact: each is a call to the API."""

LOG_SECONDS = 30.0
"""Least time between two lines in the log, and before the first."""

logger = logging.getLogger("crossfade")
progress_logger = logging.getLogger(PROGRESS)


class Observer(Protocol):
    """Hears of stages, from the threads in which they run."""

    def begun(self, stage: str) -> None:
        """Hear that a stage has begun."""

    def moved(self, stage: str, done: int, of: int) -> None:
        """Hear how many of a stage's parts are done."""

    def ended(self, stage: str) -> None:
        """Hear that a stage has ended, well or not."""


_observers: list[Observer] = []


@contextmanager
def observed_by(observer: Observer) -> Iterator[None]:
    """Let an observer hear of every stage in this process."""
    _observers.append(observer)
    try:
        yield
    finally:
        _observers.remove(observer)


@contextmanager
def under_way(stage: str) -> Iterator[Progress]:
    """Announce a stage; yields the callback by which it reports how far it is."""
    for observer in _observers:
        observer.begun(stage)
    page, pace, logged = _Page(stage), Pace(), time.monotonic()

    def report(done: int, of: int) -> None:
        nonlocal logged
        pace.update(done, of)
        page.update(pace)
        for observer in _observers:
            observer.moved(stage, done, of)
        now = time.monotonic()
        if done < of and now - logged >= LOG_SECONDS:
            logged = now
            progress_logger.info("%s: %s", stage, pace.words(now))

    try:
        yield report
    finally:
        for observer in _observers:
            observer.ended(stage)


class _Page:
    """A stage's progress artifact, made with its first report."""

    def __init__(self, stage: str) -> None:
        self._stage, self._artifact, self._shown = stage, cast(UUID | None, None), 0.0

    def update(self, pace: Pace) -> None:
        """Show how far the stage is; failing to must not stop the work."""
        now = time.monotonic()
        if self._artifact and pace.done < pace.of and now - self._shown < UPDATE_SECONDS:
            return
        self._shown = now
        percent = 100.0 * pace.done / max(pace.of, 1)
        said = f"{self._stage}: {pace.words(now)}"
        try:
            if self._artifact is None:
                name = re.sub(r"[^a-z0-9]+", "-", self._stage.lower()).strip("-")
                found = create_progress_artifact(percent, key=f"progress-{name}", description=said)
                self._artifact = cast(UUID, found)
            else:
                update_progress_artifact(self._artifact, percent, said)
        except Exception as error:
            logger.warning("%s: the progress page could not be updated (%s)", self._stage, error)
