"""The lines of a run: the same from a full run and from one that finds nothing changed."""

import logging
from collections.abc import Collection
from typing import Self

from tasks.lake.record import StageResult, counts_in_words

logger = logging.getLogger("crossfade")


class RunLines(logging.Handler):
    """Collects the log lines of a run, from all of its threads, while the context is open."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines: list[str] = []
        self.errors = 0
        """Exceptions among them: the run went on without what raised them."""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record's line."""
        mark = "" if record.levelno < logging.WARNING else f"{record.levelname}: "
        self.lines.append(mark + record.getMessage())
        self.errors += record.exc_info is not None

    def __enter__(self) -> Self:
        logger.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        logger.removeHandler(self)


def log_stage(result: StageResult, name: str = "") -> None:
    """Log a stage's counts, also under another name."""
    took = "unchanged, reused" if result.reused else f"{result.seconds:.1f} s"
    logger.info("%s: %s (%s)", name or result.stage, took, counts_in_words(result))


def log_held_out(listeners: int | None) -> None:
    """Log how many listeners are held out; None: nobody is."""
    if listeners is None:
        logger.warning("holdout: nobody is held out, so nothing is measured and nothing is gated")
    else:
        logger.info("holdout: %s listeners are kept out of the model", f"{listeners:,}")


def log_feedback(files: int, new: int, broken: Collection[str]) -> None:
    """Log how many files of feedback there are, and a sentence on each that was skipped."""
    for sentence in broken:
        logger.warning("feedback: skipped: %s", sentence)
    logger.info("feedback: %s files, %s of them new", files, new)


def log_still_current(because: str, release_id: str) -> None:
    """Log that nothing is published, and why."""
    logger.info("%s: %s stays current", because, release_id)


AT_TERMINAL = "run"
"""The kind of a run that no deployment started."""


def run_name(kind: str, *facts: str) -> str:
    """Return a run's name in Prefect: ``nightly · 9.7 M plays · …``."""
    return " · ".join([kind, *facts])


def plays_in_short(ingested: StageResult) -> str:
    """Return how many plays a dataset has, for the name of a run."""
    return f"{in_short(int(ingested.counts['play_records']))} plays"


def in_short(number: int) -> str:
    """Return a count in short form: 962 k, 9.7 M."""
    for limit, unit in ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")):
        if number >= limit:
            return f"{number / limit:.3g} {unit}"
    return str(number)
