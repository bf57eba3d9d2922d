"""The ingest stage: from the dataset's files to tracks, users and interactions in the lake."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pyarrow as pa

from tasks.dataset.spec import DatasetSpec, PlaysSpec, TracksSpec
from tasks.ingest.catalogue import Catalogue, read_catalogue
from tasks.ingest.checks import contract_check, quality_table, run_checks, stop_on_failure
from tasks.ingest.files import (
    InputFile,
    MissingColumnError,
    OpenedFile,
    find_files,
    open_file,
    tell_apart,
)
from tasks.ingest.history import Plays, read_history
from tasks.ingest.identity import Identity, changed_while_read, identities, replaced
from tasks.ingest.limits import IngestLimits
from tasks.ingest.long_histories import LONGEST_HISTORY, set_long_aside
from tasks.ingest.rejects import rejected_table
from tasks.ingest.scan import input_digests
from tasks.ingest.tables import Tables, key_tables
from tasks.lake.code import code_digest
from tasks.lake.contracts.stages.ingest import STAGE
from tasks.lake.files import write_parquet
from tasks.lake.record import Stage, StageResult
from warehouse.errors import InputError, RunError

MEMORY_LIMIT = "1200MB"
"""What DuckDB may hold before it spills to disk; the Kaggle history needs less."""

_WRITING: Mapping[str, Mapping[str, object]] = {
    # Sorted keys shrink to a few bits by their differences; no dictionary helps them.
    "interactions": {
        "use_dictionary": ["plays"],
        "column_encoding": {"user_key": "DELTA_BINARY_PACKED", "played_key": "PLAIN"},
        # Blocks of listeners read the row groups they need and no others.
        "row_group_size": 1 << 17,
    },
    "users": {"use_dictionary": False, "row_group_size": 1 << 15},
    "tracks": {},
}
"""The tables and how they are written."""

_JUDGED = ("rejected_rows", "data_quality")


def ingest_stage(
    lake: Path,
    spec: DatasetSpec,
    limits: IngestLimits | None = None,
    memory_limit: str = MEMORY_LIMIT,
    computing: Callable[[], None] | None = None,
) -> StageResult:
    """Read, judge, key and write a dataset, or return what an earlier run made of the same bytes.

    ``computing`` is called before there is something to compute, not when a result is reused.

    Datasets: `tracks`, `users`, `interactions`, `rejected_rows`, `data_quality`.
    Counts: records = tracks + rejected and so on, see `_counts`. Inputs: the digest of every file
    by name. Raises InputError for files that cannot be used, or that change while they are read.
    """
    started = time.perf_counter()
    limits = limits or IngestLimits()
    inputs = _input_files(spec)
    before = identities(file.path for files in inputs for file in files)
    hashed = [_hashed(files) for files in inputs]
    digests = {name: digest for files in hashed for name, digest in files}
    stage = Stage(
        lake,
        STAGE,
        inputs=hashed,
        tracks=spec.tracks.model_dump(exclude={"path"}),
        plays=spec.plays.model_dump(exclude={"path"}),
        limits=limits.model_dump(exclude={"drift"}),
        code=code_digest(__name__),
    )
    if result := stage.finished():
        return result.model_copy(update={"inputs": digests})
    if computing:
        computing()
    try:
        with duckdb.connect(config=database_config(memory_limit, stage.scratch)) as con:
            counts, paths = _compute(con, stage, spec, inputs, limits)
    except duckdb.OutOfMemoryException as error:
        raise RunError(
            f"ingest needs more than the memory limit of {memory_limit}; raise `memory_limit`"
        ) from error
    except duckdb.IOException as error:
        raise InputError(
            f"{_names(inputs[0])} or {_names(inputs[1])} cannot be read "
            f"({str(error).splitlines()[0]}); write the file again"
        ) from error
    _hold_to_hashed(inputs, before, hashed)
    result = stage.finish(time.perf_counter() - started, counts, _WRITING, **paths)
    return result.model_copy(update={"inputs": digests})


def _hold_to_hashed(
    inputs: Sequence[Sequence[InputFile]],
    before: dict[Path, Identity | None],
    hashed: list[list[tuple[str, str]]],
) -> None:
    """Raise InputError if what was read may be other bytes than those that were hashed."""
    if suspects := replaced(before):
        gone = [path for path in suspects if not path.exists()]
        if gone or [_hashed(files) for files in inputs] != hashed:
            raise changed_while_read(gone or suspects)


def _compute(
    con: duckdb.DuckDBPyConnection,
    stage: Stage,
    spec: DatasetSpec,
    inputs: Sequence[Sequence[InputFile]],
    limits: IngestLimits,
) -> tuple[dict[str, int], dict[str, Path]]:
    """Make and write the stage's tables; return its counts and where the files are."""
    scratch = stage.scratch
    track_files, play_files = _both_opened(spec, inputs, scratch)
    catalogue = read_catalogue(track_files, spec.tracks, limits)
    plays = read_history(con, play_files, spec.plays, catalogue.ids, limits, scratch)
    plays, long_histories = set_long_aside(plays)
    tables = key_tables(catalogue, plays, spec.tracks)
    if not tables.interactions.num_rows and long_histories.num_rows:
        raise InputError(
            f"every listener of {_names(inputs[1])} has more than {LONGEST_HISTORY:,} different "
            "tracks; check that `plays.user` is the listener's id"
        )
    if not tables.interactions.num_rows:
        raise InputError(
            f"no play in {_names(inputs[1])} is of a track in {_names(inputs[0])}; "
            f"check that {_same_ids(spec)} hold the same ids"
        )
    paths = {name: stage.folder / f"{name}.parquet" for name in (*_WRITING, *_JUDGED)}
    # Files are only believed once the stage is finished, so they can be written while the checks
    # run.
    with ThreadPoolExecutor(1) as writer:
        written = [
            writer.submit(write_parquet, getattr(tables, name), paths[name], **options)
            for name, options in _WRITING.items()
        ]
        rejected = rejected_table([*catalogue.reports, *plays.reports])
        counts = _counts(catalogue, plays, tables, long_histories)
        con.register("long_histories", long_histories)
        quality = _checked(con, spec, limits, tables, rejected, counts, catalogue, plays)
        write_parquet(rejected, paths["rejected_rows"])
        write_parquet(quality, paths["data_quality"])
        for one in written:
            one.result()
    return counts, paths


def _input_files(spec: DatasetSpec) -> list[list[InputFile]]:
    """Return the files of the catalogue and those of the history."""
    by = _given_by(spec)
    tracks, plays = find_files(spec.tracks.path, by[0]), find_files(spec.plays.path, by[1])
    both = {file.path.resolve() for file in tracks} & {file.path.resolve() for file in plays}
    if both:
        raise InputError(
            f"{min(both)} is given both in `{by[0]}` and in `{by[1]}`; give the catalogue in the "
            "one and the history in the other"
        )
    return tell_apart(tracks, plays)


def _given_by(spec: DatasetSpec) -> tuple[str, str]:
    return spec.given_by or ("tracks.path", "plays.path")


def _same_ids(spec: DatasetSpec) -> str:
    if spec.given_by is None:
        return "`plays.track` and `tracks.id`"
    return "the `track_id` columns of both"


def _hashed(files: Sequence[InputFile]) -> list[tuple[str, str]]:
    return sorted(input_digests(files).items())


def _both_opened(
    spec: DatasetSpec, inputs: Sequence[Sequence[InputFile]], scratch: Path
) -> tuple[list[OpenedFile], list[OpenedFile]]:
    """Read the headers of the catalogue's files and of the history's.

    Raises InputError that says so when each would do for the other.
    """
    tracks, plays = inputs
    flags = spec.given_by or (None, None)
    try:
        return (
            _opened(spec.tracks, tracks, scratch / "tracks", flags[0]),
            _opened(spec.plays, plays, scratch / "plays", flags[1]),
        )
    except MissingColumnError:
        if not _are_swapped(spec, tracks, plays, scratch):
            raise
        by = _given_by(spec)
        raise InputError(
            f"{_names(tracks)} is a history and {_names(plays)} a catalogue; swap `{by[0]}` and "
            f"`{by[1]}`"
        ) from None


def _are_swapped(
    spec: DatasetSpec, tracks: Sequence[InputFile], plays: Sequence[InputFile], scratch: Path
) -> bool:
    try:
        _opened(spec.plays, tracks, scratch / "plays", None)
        _opened(spec.tracks, plays, scratch / "tracks", None)
    except InputError:
        return False
    return True


def _opened(
    spec: TracksSpec | PlaysSpec,
    files: Sequence[InputFile],
    inflate_to: Path,
    given_by: str | None,
) -> list[OpenedFile]:
    """Read the headers; compressed files are inflated to names that begin with ``inflate_to``."""
    columns = spec.columns()
    optional: frozenset[str] = frozenset()
    if isinstance(spec, TracksSpec) and spec.absent_ok:
        optional = frozenset(columns) - {"tracks.id"}
    return [
        open_file(
            file, columns, Path(f"{inflate_to}-{number}.csv"), spec.delimiter, optional, given_by
        )
        for number, file in enumerate(files)
    ]


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


def _counts(
    catalogue: Catalogue, plays: Plays, tables: Tables, long_histories: pa.Table
) -> dict[str, int]:
    """Count what came in and what became of it.

    track_records = tracks + rejected_tracks; play_records = plays_rows + merged_duplicates +
    unknown_track_plays + long_history_plays + rejected_plays.
    """
    rejected_tracks = sum(len(report.rejected) for report in catalogue.reports)
    rejected_plays = sum(len(report.rejected) for report in plays.reports)
    track_records = sum(report.records for report in catalogue.reports)
    play_records = sum(report.records for report in plays.reports)
    played = tables.tracks["played_key"]
    return {
        "track_records": track_records,
        "play_records": play_records,
        "records": track_records + play_records,
        "tracks": tables.tracks.num_rows,
        "unplayed_tracks": played.null_count,
        "users": tables.users.num_rows,
        "plays_rows": tables.interactions.num_rows,
        "plays": _total(tables.users["plays"]),
        "merged_duplicates": tables.merged_duplicates,
        "unknown_track_plays": _total(plays.unknown["records"]),
        "unknown_tracks": plays.unknown.num_rows,
        "long_histories": long_histories.num_rows,
        "long_history_plays": _total(long_histories["records"]),
        "rejected_tracks": rejected_tracks,
        "rejected_plays": rejected_plays,
        "rejected_rows": rejected_tracks + rejected_plays,
    }


def _total(column: pa.ChunkedArray) -> int:
    return int(column.to_numpy().sum())


def _names(files: Sequence[InputFile]) -> str:
    return ", ".join(file.name for file in files[:3])


def _checked(
    con: duckdb.DuckDBPyConnection,
    spec: DatasetSpec,
    limits: IngestLimits,
    tables: Tables,
    rejected: pa.Table,
    counts: Mapping[str, int],
    catalogue: Catalogue,
    plays: Plays,
) -> pa.Table:
    """Run the checks over the finished tables. Raises InputError when one that must pass fails."""
    reports = [*catalogue.reports, *plays.reports]
    relations = {
        "tracks": tables.tracks,
        "users": tables.users,
        "interactions": tables.interactions,
        "rejected_rows": rejected,
        "unknown_tracks": plays.unknown,
        "counts": pa.Table.from_pylist([dict(counts)]),
        "input_files": pa.table(
            {
                "file": [report.name for report in reports],
                "records": [report.records for report in reports],
                "rejected": [len(report.rejected) for report in reports],
            }
        ),
    }
    for name, table in relations.items():
        con.register(name, table)
    facts = frozenset({"counted"} if spec.plays.count else ())
    keyed = {name: relations[name] for name in _WRITING}
    results = [contract_check(keyed), *run_checks(con, counts, limits, facts)]
    quality = quality_table(results)
    stop_on_failure(quality)
    return quality
