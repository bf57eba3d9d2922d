"""The ingest stage: from the dataset's files to catalogue, listeners and plays in the lake."""

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from tasks.dataset.spec import DatasetSpec
from tasks.ingest.added import Additions, find_additions, no_plays, with_earlier
from tasks.ingest.catalogue import Catalogue, read_catalogue
from tasks.ingest.checks import (
    contract_check,
    log_quality,
    quality_table,
    run_checks,
    stop_on_failure,
)
from tasks.ingest.counts import count_dislikes, count_forgotten, count_records
from tasks.ingest.derived import derive_catalogue
from tasks.ingest.dislikes import Settled, settle, without_listeners
from tasks.ingest.duplicates import merge_duplicates
from tasks.ingest.evidence import relations_to_check
from tasks.ingest.files import InputFile, OpenedFile
from tasks.ingest.history import History, Plays, open_history, read_history
from tasks.ingest.identity import Identity, changed_while_read, identities, replaced
from tasks.ingest.ids import check_scientific, likely_cause, scientific_in
from tasks.ingest.inputs import (
    Inputs,
    find_inputs,
    given_by,
    names_of,
    open_inputs,
    refuse_twins,
    with_derived_catalogue,
)
from tasks.ingest.limits import IngestLimits
from tasks.ingest.long_histories import LONGEST_HISTORY, set_long_aside
from tasks.ingest.rejects import rejected_table
from tasks.ingest.scan import input_digests
from tasks.ingest.sources import sources_table
from tasks.ingest.tables import Tables, key_tables
from tasks.ingest.times import latest_second
from tasks.lake.code import code_digest
from tasks.lake.contracts.stages.ingest import STAGE, UNKNOWN_TRACKS
from tasks.lake.files import write_parquet
from tasks.lake.keys import fingerprint
from tasks.lake.record import Stage, StageResult
from tasks.lake.tombstones import Tombstones, tombstones_of
from warehouse.errors import InputError, RunError

MEMORY_LIMIT = "1200MB"
"""What DuckDB may hold before it spills to disk; the Kaggle history needs less."""

_TABLES = ("interactions", "users", "tracks", "dislikes")

_JUDGED = ("merged_tracks", "rejected_rows", "data_quality", "sources", "unknown_tracks")


def ingest_stage(
    lake: Path,
    spec: DatasetSpec,
    limits: IngestLimits | None = None,
    memory_limit: str = MEMORY_LIMIT,
    computing: Callable[[], None] | None = None,
    now: datetime | None = None,
    earlier: StageResult | None = None,
) -> StageResult:
    """Read, judge, key and write a dataset, or return what an earlier run made of the same bytes.

    ``computing`` is called before there is something to compute, not when a result is reused.
    ``now`` is the moment of the run, the clock's if not given: plays more than a day later are
    rejected. A result is not reused once it would not reject all of them any more. Rows of
    listeners who were forgotten in the home are counted and not read (`tasks.lake.tombstones`).
    ``earlier`` is a result to which files of the history may have been added: where nothing else
    has changed, only those are read (`tasks.ingest.added`), and the result is the same.

    Datasets: `tracks`, `users`, `interactions`, `dislikes`, `merged_tracks`, `rejected_rows`,
    `data_quality`, `sources`, `unknown_tracks`.
    What was rejected, left out or read as missing is logged at every run. Counts: see
    `tasks.ingest.counts`.
    Inputs: the digest of every file by name. Raises InputError for files that cannot be used, or
    that change while they are read.
    """
    started = time.perf_counter()
    limits = limits or IngestLimits()
    opened = _opened(lake, spec, limits, now)
    inputs, digests, stage = opened.inputs, opened.digests, opened.stage
    files = [*inputs.tracks, *inputs.plays]
    if opened.result is not None:
        log_quality(opened.result["data_quality"].read())
        return opened.result
    if computing:
        computing()
    try:
        with duckdb.connect(config=database_config(memory_limit, stage.scratch)) as con:
            read = _read(con, opened, limits, _additions(opened, earlier))
            counts, paths = _compute(con, opened, read, limits)
    except duckdb.OutOfMemoryException as error:
        raise RunError(
            f"ingest needs more than the memory limit of {memory_limit}; raise `memory_limit`"
        ) from error
    except duckdb.IOException as error:
        raise InputError(
            f"{names_of(files)} cannot be read ({str(error).splitlines()[0]}); write the file again"
        ) from error
    finally:
        if opened.tombstones:  # a copy of the input would have them until the next run
            shutil.rmtree(stage.scratch, ignore_errors=True)
    _hold_to_hashed(files, opened.before, digests)
    result = stage.finish(time.perf_counter() - started, counts, _TABLES, **paths)
    return result.model_copy(update={"inputs": digests})


def finished_ingest(
    lake: Path, spec: DatasetSpec, limits: IngestLimits, now: datetime | None = None
) -> StageResult | None:
    """Return what `ingest_stage` would reuse, or None; nothing is logged or computed.

    Raises InputError for files that cannot be used.
    """
    return _opened(lake, spec, limits, now).result


@dataclass(frozen=True)
class _Opened:
    """The stage of a dataset's files as they are now, and its result if it can be reused."""

    spec: DatasetSpec
    inputs: Inputs
    before: dict[Path, Identity | None]
    """The files' identities from before they were hashed."""
    digests: dict[str, str]
    stage: Stage
    latest: int
    """Second from which plays are rejected: they are of the future."""
    tombstones: Tombstones
    """Who was forgotten."""
    decides: Mapping[str, Any]
    """Everything beside the files that decides the result."""
    result: StageResult | None


def _opened(lake: Path, spec: DatasetSpec, limits: IngestLimits, now: datetime | None) -> _Opened:
    spec = with_derived_catalogue(spec)
    inputs = find_inputs(spec)
    files = [*inputs.tracks, *inputs.plays]
    before = identities(file.path for file in files)
    digests = input_digests(files)
    spec = with_derived_catalogue(spec, digests)
    tombstones = tombstones_of(lake)
    decides = {
        "tracks": spec.tracks.model_dump(exclude={"path"}),
        "plays": spec.plays.model_dump(exclude={"path"}),
        "limits": limits.model_dump(exclude={"drift"}),
        "forgotten": tombstones.digest,
        "code": code_digest(__name__),
    }
    named = [
        sorted((file.name, digests[file.name]) for file in files)
        for files in (inputs.tracks, inputs.plays)
    ]
    stage = Stage(lake, STAGE, inputs=named, **decides)
    latest = latest_second(now)
    result = stage.finished()
    if result and 0 < int(result.counts.get("next_future_play", 0)) <= latest:
        result = None
    if result:
        result = result.model_copy(update={"inputs": digests})
    return _Opened(spec, inputs, before, digests, stage, latest, tombstones, decides, result)


def _hold_to_hashed(
    files: Sequence[InputFile], before: dict[Path, Identity | None], digests: Mapping[str, str]
) -> None:
    """Raise InputError if what was read may be other bytes than those that were hashed."""
    if suspects := replaced(before):
        gone = [path for path in suspects if not path.exists()]
        if gone or input_digests(files) != digests:
            raise changed_while_read(gone or suspects)


@dataclass(frozen=True)
class _Read:
    """What the files hold."""

    catalogue: Catalogue
    plays: Plays
    empty: list[InputFile]
    """Files without rows."""


def _additions(given: _Opened, earlier: StageResult | None) -> Additions | None:
    """Return what was added to an earlier result; None: everything must be read."""
    if earlier is None:
        return None
    return find_additions(
        earlier,
        given.spec,
        given.inputs,
        given.digests,
        given.latest,
        lambda inputs: fingerprint(stage=STAGE.stage, inputs=inputs, **given.decides),
    )


def _read(
    con: duckdb.DuckDBPyConnection,
    given: _Opened,
    limits: IngestLimits,
    additions: Additions | None,
) -> _Read:
    """Read the catalogue, and of the history what was added to it or everything."""
    if additions is not None:
        try:
            read = _read_additions(con, given, limits, additions)
        except InputError:
            read = None  # reading everything says what is wrong, if anything is
        if read is not None:
            return read
    spec, scratch = given.spec, given.stage.scratch
    opened = open_inputs(spec, given.inputs, limits, scratch)
    refuse_twins(opened.plays, given.digests, given_by(spec)[1])
    history = _history(con, given, limits, opened.plays)
    track_files = opened.tracks
    if spec.tracks.derived:
        track_files = [derive_catalogue(con, history, spec.tracks, scratch)]
    catalogue = _catalogue(given, limits, track_files)
    return _Read(catalogue, read_history(con, history, catalogue.ids), opened.empty)


def _read_additions(
    con: duckdb.DuckDBPyConnection, given: _Opened, limits: IngestLimits, additions: Additions
) -> _Read | None:
    """Read the catalogue and the files that were added; None: that is not enough."""
    inputs = replace(given.inputs, plays=[one for one in additions.files if not one.is_empty])
    opened = open_inputs(given.spec, inputs, limits, given.stage.scratch)
    catalogue = _catalogue(given, limits, opened.tracks)
    plays = no_plays(given.spec.plays.at is not None)
    if opened.plays:
        history = _history(con, given, limits, opened.plays)
        plays = read_history(con, history, catalogue.ids)
    joined = with_earlier(additions, catalogue.ids, plays)
    if joined is None:
        return None
    reported = {report.name for report in joined.reports}
    silent = [file for file in given.inputs.plays if file.name not in reported]
    empty = [file for file in opened.empty if file in given.inputs.tracks]
    return _Read(catalogue, joined, [*empty, *silent])


def _history(
    con: duckdb.DuckDBPyConnection, given: _Opened, limits: IngestLimits, files: list[OpenedFile]
) -> History:
    scratch, plays = given.stage.scratch, given.spec.plays
    return open_history(con, files, plays, limits, scratch, given.latest, given.tombstones)


def _catalogue(given: _Opened, limits: IngestLimits, files: list[OpenedFile]) -> Catalogue:
    """Read the catalogue. Raises InputError for ids that a spreadsheet has spoilt."""
    spec, inputs = given.spec.tracks, given.inputs
    catalogue = read_catalogue(files, spec, limits, given.tombstones)
    where = f"{names_of(inputs.tracks or inputs.plays)}: column `{spec.id}`"
    check_scientific(where, scientific_in(catalogue.ids))
    return catalogue


def _compute(
    con: duckdb.DuckDBPyConnection, given: _Opened, read: _Read, limits: IngestLimits
) -> tuple[dict[str, int], dict[str, Path]]:
    """Make and write the stage's tables; return its counts and where the files are."""
    spec, inputs, stage, tombstones = given.spec, given.inputs, given.stage, given.tombstones
    catalogue, plays = read.catalogue, read.plays
    found = merge_duplicates(catalogue, plays, spec.tracks)
    disliking = spec.plays.dislikes
    settled = settle(found.plays, disliking.days if disliking else None)
    kept, long_histories = set_long_aside(settled.plays)
    dislikes = without_listeners(settled.dislikes, kept, long_histories["user_id"])
    settled = replace(settled, plays=kept, dislikes=dislikes)
    tables = key_tables(found.catalogue, settled, spec.tracks)
    if not tables.interactions.num_rows and long_histories.num_rows:
        raise InputError(
            f"every listener of {names_of(inputs.plays)} has more than {LONGEST_HISTORY:,} "
            "different tracks; check that `plays.user` is the listener's id"
        )
    if not tables.interactions.num_rows:
        raise InputError(_no_plays(spec, inputs, catalogue, plays, settled))
    paths = {name: stage.folder / f"{name}.parquet" for name in (*_TABLES, *_JUDGED)}
    # Files are only believed once the stage is finished, so they can be written while the checks
    # run.
    with ThreadPoolExecutor(1) as writer:
        written = [
            writer.submit(write_parquet, table, paths[name], **_writing(name, table))
            for name in _TABLES
            for table in [getattr(tables, name)]
        ]
        rejected = rejected_table([*catalogue.reports, *plays.reports])
        counts = count_records(catalogue, plays, tables, found.merged.num_rows, long_histories)
        if spec.plays.at:
            counts |= {"untimed_plays": plays.untimed, "next_future_play": plays.next_future}
        if disliking:
            counts |= count_dislikes(settled)
        if tombstones:
            counts |= count_forgotten(catalogue, plays)
        con.register("long_histories", long_histories)
        relations = relations_to_check(catalogue, plays, rejected, read.empty, limits)
        quality = _checked(con, spec, limits, tables, counts, relations)
        write_parquet(found.merged, paths["merged_tracks"])
        write_parquet(rejected, paths["rejected_rows"])
        write_parquet(quality, paths["data_quality"])
        sources = sources_table(inputs, given.digests, plays.reports)
        write_parquet(sources, paths["sources"])
        write_parquet(plays.unknown.cast(UNKNOWN_TRACKS.schema), paths["unknown_tracks"])
        for one in written:
            one.result()
    return counts, paths


def _writing(name: str, table: pa.Table) -> dict[str, object]:
    """Return how a table is written."""
    if name == "users":
        return {"use_dictionary": False, "row_group_size": 1 << 15}
    if name != "interactions":
        return {}
    # Sorted keys shrink to a few bits by their differences; no dictionary helps them, nor times.
    encoding = {"user_key": "DELTA_BINARY_PACKED", "played_key": "PLAIN"}
    timed = dict.fromkeys(("first_at", "last_at"), "DELTA_BINARY_PACKED")
    dictionaries = [one for one in ("plays", "records") if one in table.column_names]
    return {
        "use_dictionary": dictionaries,
        "column_encoding": encoding | (timed if "first_at" in table.column_names else {}),
        # Blocks of listeners read the row groups they need and no others.
        "row_group_size": 1 << 17,
    }


def _no_plays(
    spec: DatasetSpec, inputs: Inputs, catalogue: Catalogue, plays: Plays, settled: Settled
) -> str:
    """Say why not one play is left, with examples."""
    if settled.dislike_rows:
        return (
            f"no row of {names_of(inputs.plays)} counts as a play: {settled.dislike_rows:,} are "
            "dislikes by `plays.dislikes` and overrule the others; change the condition"
        )
    if not plays.unknown.num_rows and plays.forgotten:
        return (
            f"no row of {names_of(inputs.plays)} counts as a play: {plays.forgotten:,} are of "
            "listeners who were forgotten; give a history of others"
        )
    if not plays.unknown.num_rows:
        return (
            f"all {plays.filtered:,} rows of {names_of(inputs.plays)} were left out by "
            "`plays.where` or `plays.strength`; change the condition"
        )
    cause = likely_cause(
        catalogue.ids.to_pylist(), plays.unknown["track_id"].slice(0, 1000).to_pylist()
    )
    return (
        f"no play in {names_of(inputs.plays)} is of a track in {names_of(inputs.tracks)}; check "
        f"that {_same_ids(spec)} hold the same ids: {cause}"
    )


def _same_ids(spec: DatasetSpec) -> str:
    if spec.given_by is None:
        return "`plays.track` and `tracks.id`"
    return "the `track_id` columns of both"


def database_config(
    memory_limit: str, scratch: Path
) -> dict[str, str | bool | int | float | list[str]]:
    """Configure DuckDB: spill into the stage's own folder, fetch nothing."""
    return {
        "memory_limit": memory_limit,
        "temp_directory": str(scratch / "spill"),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }


def _checked(
    con: duckdb.DuckDBPyConnection,
    spec: DatasetSpec,
    limits: IngestLimits,
    tables: Tables,
    counts: Mapping[str, int],
    relations: Mapping[str, pa.Table],
) -> pa.Table:
    """Run the checks over the finished tables. Raises InputError when one that must pass fails."""
    keyed = {name: getattr(tables, name) for name in _TABLES}
    every_count = {"dislike_rows": 0, "disliked_plays": 0, "forgotten_plays": 0, **counts}
    given = {**keyed, **relations, "counts": pa.Table.from_pylist([every_count])}
    for name, table in given.items():
        con.register(name, table)
    facts = frozenset(
        name
        for name, is_so in (
            ("counted", spec.plays.count),
            ("timed", spec.plays.at),
            ("disliking", spec.plays.dislikes),
            ("forgetting", "forgotten_plays" in counts),
        )
        if is_so
    )
    quality = quality_table([contract_check(keyed), *run_checks(con, counts, limits, facts)])
    stop_on_failure(quality)
    log_quality(quality)
    return quality
