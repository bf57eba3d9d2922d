"""A run in which nothing has changed, found out and ended before Prefect is imported.

It looks at everything that a full run looks at: the content of the input files and of the feedback,
settings, code, every result in the lake and the current release, by the same functions. What it
cannot be sure of is left to a full run. docs/operations.md says what is different for people.
"""

import logging
import resource
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple, NoReturn

import pyarrow.parquet as pq

from flows import interrupts
from flows.artifacts.report import KEY, report_markdown
from flows.decision import Decision, FeedbackKeys, asked_of, read_decision, sizes_of
from flows.environment import prepare_process
from flows.lines import (
    RUN,
    TERMINAL,
    RunLines,
    log_feedback,
    log_held_out,
    log_stage,
    log_still_current,
    plays_in_short,
    run_name,
)
from flows.outcome import Outcome
from flows.run_records import dead_records, tag, watch_pointer
from flows.server.report import Ended, Page, known_server
from flows.settings import Settings
from flows.tidying import tidy
from tasks.feedback.stage import Feedback, feedback_stage
from tasks.ingest.checks import log_quality
from tasks.ingest.stage import finished_ingest
from tasks.lake.record import StageResult, finished_in
from warehouse.errors import CrossfadeError
from warehouse.releases.home import Home
from warehouse.releases.pending import pending_file
from warehouse.releases.pointer import reason_to_skip_publish
from warehouse.releases.release import Release, current_id
from warehouse.releases.retention import clear_leftovers

logger = logging.getLogger("crossfade")


class _NotReadError(Exception):
    """There is a file of feedback that no run has read."""


class _Found(NamedTuple):
    """What a full run would arrive at."""

    release: Release
    because: str
    stages: dict[str, StageResult]
    read: Feedback | None


def run_unchanged(settings: Settings, given: Mapping[str, Any], force: bool) -> Outcome | None:
    """Return the outcome of a run in which nothing has changed; None: a full run has to decide.

    ``given``: the run's parameters, for its record on a Prefect server that is known. With None,
    nothing was logged, and nothing done that a full run would not do as well.
    """
    home = Home(settings.home.resolve())
    decision = read_decision(home)
    if decision is None or decision.current != current_id(home) or dead_records(home):
        return None
    if pending_file(home).exists():  # a full run finishes it
        return None
    watch_pointer(home)
    prefect_home = prepare_process(settings.home, settings.shared)
    # What goes wrong here is for a full run to meet, and to report where runs are reported.
    with (
        suppress(CrossfadeError, OSError, ValueError, KeyError, _NotReadError),
        home.locked("run", RUN, 0.0),
    ):
        clear_leftovers(home)
        if (found := _found(settings, home, decision, force)) is None:
            return None
        with _held_back() as records, RunLines() as said:
            _log(decision, found)
        outcome = Outcome(
            release_id=found.release.manifest.release_id,
            because=found.because,
            database=found.release.database,
            stages=found.stages,
            peak_memory_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            said=tuple(said.lines),
        )
        tidy(settings, home)
        interrupts.raise_if_requested()
        if server := known_server(prefect_home):
            server.report(_ended(outcome, given))
        for record in records:
            logger.handle(record)
        return outcome
    return None


def _found(settings: Settings, home: Home, decision: Decision, force: bool) -> _Found | None:
    """Look at everything that a full run would.

    The input is hashed last: where anything else has changed, only the full run hashes it.
    """
    if sizes_of(settings) != decision.sizes or asked_of(settings) != decision.asked:
        return None
    spec, limits = settings.spec(), settings.ingest
    read = None
    if spec.feedback is not None:
        read = feedback_stage(home.lake, spec.feedback, limits, settings.memory_limit, _not_read)
    if (FeedbackKeys.of(read) if read else None) != decision.feedback:
        return None
    folders = {*decision.stages.values(), *decision.others} - {decision.stages["ingest"]}
    with ThreadPoolExecutor() as side_by_side:
        looked = side_by_side.map(finished_in, [home.lake / folder for folder in folders])
        finished = dict(zip(folders, looked, strict=True))
    skip = reason_to_skip_publish(home, decision.fingerprint, force)
    if skip is None or not all(finished.values()):
        return None
    ingested = finished_ingest(home.lake, spec, limits)
    if ingested is None or ingested.key != decision.ingest:
        return None
    stages = {
        name: ingested if name == "ingest" else finished[folder]
        for name, folder in decision.stages.items()
    }
    whole = {name: result for name, result in stages.items() if result is not None}
    return _Found(*skip, whole, read)


def _not_read() -> NoReturn:
    raise _NotReadError


def _log(decision: Decision, found: _Found) -> None:
    """Log what a full run logs."""
    # `Dataset.read` imports pyarrow.dataset, and with it pandas
    with pq.ParquetFile(found.stages["ingest"]["data_quality"].path) as file:
        log_quality(file.read())
    for name, result in found.stages.items():
        if name == "experiments" and found.read is not None:
            log_feedback(len(found.read.results), 0, found.read.broken.values())
        log_stage(result, name)
        if name == "ingest":
            log_held_out(decision.held_out)
    log_still_current(found.because, found.release.manifest.release_id)


class _Keeper(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@contextmanager
def _held_back() -> Iterator[list[logging.LogRecord]]:
    """Keep what is logged from everybody who listens, and yield it."""
    keeper = _Keeper()
    handlers, propagates = logger.handlers[:], logger.propagate
    logger.handlers[:], logger.propagate = [keeper], False
    try:
        yield keeper.records
    finally:
        logger.handlers[:], logger.propagate = handlers, propagates


def _ended(outcome: Outcome, given: Mapping[str, Any]) -> Ended:
    """Return the run as a full run appears on a Prefect server."""
    return Ended(
        flow="crossfade",
        name=run_name(RUN, plays_in_short(outcome.stages["ingest"]), "unchanged"),
        tags=(TERMINAL, tag()),
        parameters=given,
        message=f"{outcome.because}: {outcome.release_id} stays current",
        lines=outcome.said,
        page=Page(KEY, report_markdown(outcome), "What this run did"),
    )
