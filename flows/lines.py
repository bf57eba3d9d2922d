"""The lines of a run: the same from a full run and from one that finds nothing changed."""

import logging
import time
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:  # its package takes half a second, and a command says what it does before that
    from tasks.blend.parameters import Segment
    from tasks.lake.record import StageResult
    from warehouse.releases.release import Release

logger = logging.getLogger("crossfade")

PROGRESS = "crossfade.progress"
"""The logger of lines on how far a stage is: passing, so no part of what a run has to say."""


class RunLines(logging.Handler):
    """Collects the log lines of a run, from all of its threads, while the context is open."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines: list[str] = []
        self.errors = 0
        """Exceptions among them: the run went on without what raised them."""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record's line, unless it is one on progress."""
        if record.name == PROGRESS:
            return
        mark = "" if record.levelno < logging.WARNING else f"{record.levelname}: "
        self.lines.append(mark + record.getMessage())
        self.errors += record.exc_info is not None

    def __enter__(self) -> Self:
        logger.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        logger.removeHandler(self)


def log_stage(result: "StageResult", name: str = "") -> None:
    """Log a stage's counts, also under another name."""
    took = "unchanged, reused" if result.reused else f"{result.seconds:.1f} s"
    counts = counts_in_words(result)
    logger.info("%s: %s%s", name or result.stage, took, f" ({counts})" if counts else "")


def counts_in_words(result: "StageResult") -> str:
    """Return a stage's counts as people read them, those of nothing left out.

    "tracks 50,683, users 962,037"
    """
    return ", ".join(
        f"{name.replace('_', ' ')} {value:,}" if isinstance(value, int) else f"{name} {value}"
        for name, value in result.counts.items()
        if value
    )


def log_held_out(listeners: int | None) -> None:
    """Log how many listeners are held out; None: nobody is."""
    if listeners is None:
        logger.warning("holdout: nobody is held out, so nothing is measured and nothing is gated")
    else:
        logger.info("holdout: %s listeners are kept out of the model", f"{listeners:,}")


def log_moved(before: "Sequence[Segment]", now: "Sequence[Segment]") -> None:
    """Log which collaborative shares the temporal split has moved, if any."""
    moved = [
        f"{new.segment}: {old.weight:.2f} to {new.weight:.2f}"
        for old, new in zip(before, now, strict=True)
        if old.weight != new.weight
    ]
    if moved:
        logger.info(
            "blend: collaborative shares moved by what is played next: %s", ", ".join(moved)
        )


def log_feedback(files: int, new: int, broken: Collection[str]) -> None:
    """Log how many files of feedback there are, and a sentence on each that was skipped."""
    for sentence in broken:
        logger.warning("feedback: skipped: %s", sentence)
    fresh = f", {new:,} of them new" if new else ""
    logger.info("feedback: %s%s", counted(files, "file"), fresh)


def log_still_current(because: str, release_id: str) -> None:
    """Log that nothing is published, and why."""
    logger.info("%s: %s stays current", because, release_id)


class Pace:
    """How far a stage is and how long it still takes, by the speed since its first report."""

    def __init__(self) -> None:
        self.done, self.of = 0, 0
        self._first, self._begun, self._moved = 0, 0.0, 0.0

    def update(self, done: int, of: int) -> None:
        """Take a report: ``done`` parts of ``of``; the first one may be of work done before."""
        self._moved = time.monotonic()
        if not self.of:
            self._first, self._begun = done, self._moved
        self.done, self.of = done, of

    def seconds_left(self, now: float) -> float | None:
        """Return how long the rest takes; None as long as nothing is known."""
        done, took = self.done - self._first, self._moved - self._begun
        if done <= 0 or took <= 0:
            return None
        return max(0.0, (self.of - self.done) * took / done - (now - self._moved))

    def words(self, now: float) -> str:
        """Return how far it is: "12 of 64, about 40 s left"; empty before the first report."""
        if not self.of:
            return ""
        left = self.seconds_left(now)
        return f"{self.done} of {self.of}" + (f", about {duration(left)} left" if left else "")


def duration(seconds: float) -> str:
    """Return a time as people say it: 40 s, 3 min 20 s, 2 h 5 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    minutes = round(whole / 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"


def counted(number: int, thing: str) -> str:
    """Return a count with its noun: 1 file, 1,200 files, no files."""
    return f"1 {thing}" if number == 1 else f"{f'{number:,}' if number else 'no'} {thing}s"


def log_force_not_needed(undone: "Release | None") -> None:
    """Log that the gate passes what was to be forced; ``undone`` holds the same, rolled back."""
    if undone is None:
        logger.info("publish: --force was not needed, the gate passes the release")
    else:
        rolled_back = undone.manifest.release_id
        logger.warning("publish: by force: %s holds the same and was rolled back", rolled_back)


TERMINAL = "terminal"
"""The tag of a run that was started at a terminal; deployments have tags of their own."""

RUN, PREFIX = "run", "crossfade-"
"""What a run at a terminal is called; what the names of all other flows begin with."""


def kind_of_flow(flow: str) -> str:
    """Return what a run at a terminal is called by its flow: run, check, backtest, tune."""
    return flow.removeprefix(PREFIX) if flow.startswith(PREFIX) else RUN


def run_name(kind: str, *facts: str) -> str:
    """Return a run's name in Prefect: ``nightly · 9.7 M plays · …``."""
    return " · ".join([kind, *facts])


def plays_in_short(ingested: "StageResult") -> str:
    """Return how many plays a dataset has, for the name of a run."""
    return f"{in_short(int(ingested.counts['play_records']))} plays"


def in_short(number: int) -> str:
    """Return a count in short form: 962 k, 9.7 M."""
    for limit, unit in ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")):
        if number >= limit:
            return f"{number / limit:.3g} {unit}"
    return str(number)
