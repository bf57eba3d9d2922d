"""The feedback stage: reads exposures and events into the lake, file by file, each only once.

A file that cannot be read is left out and reported; it never stops a run.
"""

import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb
import pyarrow as pa

from tasks.dataset.feedback import EventsSpec, ExposuresSpec, FeedbackSpec
from tasks.feedback.reading import prepare_connection, read_feedback
from tasks.ingest.files import InputFile, matching_paths, recognise, tell_apart
from tasks.ingest.identity import Identity, changed_while_read, identities, replaced
from tasks.ingest.limits import IngestLimits
from tasks.ingest.rejects import rejected_table
from tasks.ingest.scan import input_digests
from tasks.ingest.stage import database_config
from tasks.lake.code import code_digest
from tasks.lake.contracts.stages.feedback import EVENTS_STAGE, EXPOSURES_STAGE
from tasks.lake.dataset import Dataset
from tasks.lake.files import write_parquet
from tasks.lake.record import Stage, StageResult
from tasks.lake.tombstones import tombstones_of
from warehouse.errors import CrossfadeError

READERS = 2
"""Files read in parallel: the steps of a single file leave cores idle."""


@dataclass(frozen=True)
class Feedback:
    """The exposures and events in the lake, and the files that could not be read."""

    exposures: list[StageResult] = field(default_factory=list)
    events: list[StageResult] = field(default_factory=list)
    broken: dict[str, str] = field(default_factory=dict)
    """File (or pattern) → one sentence that describes the problem."""
    inputs: dict[str, str] = field(default_factory=dict)
    """File → digest of its content."""

    @property
    def results(self) -> list[StageResult]:
        """The results of all files."""
        return [*self.exposures, *self.events]

    @property
    def rejected(self) -> list[Dataset]:
        """The rejected rows, by file."""
        return [result["rejected_rows"] for result in self.results]

    @property
    def files_read(self) -> int:
        """Number of files that this run read, because no earlier run had."""
        return sum(not result.reused for result in self.results)

    def total(self, count: str, of: str) -> int:
        """Add up a count of the exposures or of the events."""
        results: list[StageResult] = getattr(self, of)
        return sum(int(result.counts[count]) for result in results)

    @property
    def forgotten(self) -> int | None:
        """Rows of forgotten listeners, which are not read; None: nobody was forgotten."""
        counts = [
            result.counts["forgotten"] for result in self.results if "forgotten" in result.counts
        ]
        return sum(map(int, counts)) if counts else None


def feedback_stage(
    lake: Path,
    spec: FeedbackSpec,
    limits: IngestLimits,
    memory_limit: str,
    computing: Callable[[], None] | None = None,
) -> Feedback:
    """Read the files of exposures and events that the lake does not have yet.

    ``computing`` is called before a file is read; what it raises goes to the caller, unless it is
    an error that a file may have.
    """
    feedback = Feedback()
    found: dict[str, list[InputFile]] = {}
    for table in ("exposures", "events"):
        found[table] = list(_usable(getattr(spec, table), f"feedback.{table}.path", feedback))
    found = dict(zip(found, tell_apart(*found.values()), strict=True))
    for table, files in found.items():
        before = identities(file.path for file in files)
        digests = input_digests(files)
        feedback.inputs.update(digests)
        # Two names for the same content are one file.
        distinct = {digests[file.name]: file for file in reversed(files)}
        with ThreadPoolExecutor(READERS) as pool:
            tries = [
                (file, pool.submit(_read, lake, table, content, file, before[file.path],
                                   getattr(spec, table), limits, memory_limit, computing))
                for content, file in distinct.items()
            ]  # fmt: skip
            for file, done in tries:
                try:
                    getattr(feedback, table).append(done.result())
                except (CrossfadeError, duckdb.Error, pa.ArrowException, OSError) as error:
                    feedback.broken[file.name] = _sentence(file, error)
    return feedback


def _usable(
    spec: ExposuresSpec | EventsSpec, field_name: str, feedback: Feedback
) -> Iterator[InputFile]:
    """Yield the files that are there and can be read; record why the others cannot."""
    for path in spec.path:
        try:
            matches = matching_paths([path], field_name)
        except CrossfadeError as error:
            feedback.broken[path] = str(error)
            continue
        for match in sorted(matches):
            try:
                yield recognise(match, field_name, spec.encoding)
            except CrossfadeError as error:
                feedback.broken[match.name] = str(error)


def _stage(
    lake: Path, table: str, content: str, spec: ExposuresSpec | EventsSpec, limits: IngestLimits
) -> Stage:
    """Return the stage of a file with that content."""
    return Stage(
        lake,
        EXPOSURES_STAGE if table == "exposures" else EVENTS_STAGE,
        content=content,
        spec=spec.model_dump(exclude={"path"}),
        limits={name: getattr(limits, name) for name in ("reject_share", "reject_rows")},
        duckdb=duckdb.__version__,  # ids are hashed by it
        forgotten=tombstones_of(lake).digest,
        code=code_digest(__name__),
    )


def _read(
    lake: Path,
    table: str,
    content: str,
    file: InputFile,
    hashed: Identity | None,
    spec: ExposuresSpec | EventsSpec,
    limits: IngestLimits,
    memory_limit: str,
    computing: Callable[[], None] | None,
) -> StageResult:
    """Read one file, or return the result of an earlier run for the same content.

    Raises InputError if it is no longer the file that was ``hashed``.
    """
    started = time.perf_counter()
    stage = _stage(lake, table, content, spec, limits)
    if result := stage.finished():
        return result
    if computing:
        computing()
    paths = {name: stage.folder / f"{name}.parquet" for name in ("rows", "rejected_rows")}
    tombstones = tombstones_of(lake)
    try:
        with duckdb.connect(config=database_config(memory_limit, stage.scratch)) as con:
            prepare_connection(con)
            report = read_feedback(
                con, file, spec, limits, stage.scratch, paths["rows"], tombstones
            )
    finally:
        if tombstones:  # a copy of the input would have them until the next run
            shutil.rmtree(stage.scratch, ignore_errors=True)
    write_parquet(rejected_table([report]), paths["rejected_rows"])
    counts: dict[str, int | float | str] = {
        "records": report.records,
        "rejected": len(report.rejected),
    }
    if tombstones:
        counts["forgotten"] = report.forgotten
    if replaced({file.path: hashed}) and input_digests([file])[file.name] != content:
        raise changed_while_read([file.path])
    # The query that writes the rows enforces their contract, including unique ids.
    return stage.finish(time.perf_counter() - started, counts, ("rows",), **paths)


def _sentence(file: InputFile, error: Exception) -> str:
    if isinstance(error, CrossfadeError):
        return str(error)
    return f"{file.path} cannot be read ({str(error).splitlines()[0]}); write the file again"


def without(feedback: Feedback, reason: str) -> Feedback:
    """Return a copy with another reason for missing feedback."""
    return replace(feedback, broken={**feedback.broken, "feedback": reason})
