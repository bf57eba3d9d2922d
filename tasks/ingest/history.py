"""The listening history: from files to key-encoded interactions, with DuckDB.

Plain CSV files (see `scan`) and Parquet are read by DuckDB directly, twice: once for the
listeners, once for the interactions, which needs less memory than keeping the strings in
between. Any other CSV is first read record by record into a scratch Parquet file, and so is a
plain one in which DuckDB finds something else than the look at its bytes did.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tasks.dataset.plays import PlaysSpec
from tasks.ingest.files import OpenedFile
from tasks.ingest.ids import SCIENTIFIC, check_float_ids, check_scientific
from tasks.ingest.limits import IngestLimits
from tasks.ingest.playlists import write_items
from tasks.ingest.queries import (
    binary_as_string,
    csv_layout,
    csv_raw,
    fields_of,
    files_literal,
    is_filtered,
    judgement,
    query,
    read_fields,
    shown_raw,
)
from tasks.ingest.records import LENGTH, RECORD, START, Rejected, read_records
from tasks.ingest.rejects import FileReport, read_raw
from tasks.ingest.scan import look_at
from tasks.ingest.times import NO_TIME
from tasks.lake.contracts.stages.ingest import UNKNOWN_TRACKS
from tasks.lake.tombstones import NOBODY, Tombstones
from warehouse.errors import InputError
from warehouse.statements import column_name, text_literal


@dataclass
class Part:
    """One history file on its way into the tables."""

    file: OpenedFile
    report: FileReport
    scratch: Path
    """Where its records go as Parquet if DuckDB cannot read the file itself."""
    as_records: bool = False
    """Whether they went there."""
    items: Path | None = None
    """Where the items of its lists are, one row each, if a row of the file is a list."""


@dataclass(frozen=True)
class History:
    """The files of a history, looked at and ready to be queried."""

    parts: list[Part]
    spec: PlaysSpec
    limits: IngestLimits
    latest: int = 0
    """The last second since 1970 at which a play may have been."""
    tombstones: Tombstones = NOBODY
    """Who was forgotten, and is not read."""


@dataclass(frozen=True)
class Plays:
    """The accepted plays and dislikes of catalogue tracks."""

    rows: pa.Table
    """user_code, track_key, plays (0: a dislike), and played_at if the history has times (seconds
    since 1970, 0: unknown): sorted by the first two, duplicates included. Rows that stand for
    several records have first_at, last_at and records in place of played_at."""
    user_ids: pa.ChunkedArray
    """The id of every user_code; a listener without a play of a catalogue track is among them."""
    unknown: pa.Table
    """track_id, records: plays of tracks that the catalogue lacks, most records first."""
    reports: list[FileReport] = field(default_factory=list)
    filtered: int = 0
    """Records that `where` or a strength below `min` left out."""
    fractions: int = 0
    """Records whose count has a fraction."""
    untimed: int = 0
    """Accepted records without a time, where there is a column of times."""
    next_future: int = 0
    """The first time (seconds since 1970) that was rejected as in the future; 0: none."""
    forgotten: int = 0
    """Records of forgotten listeners, bad ones included."""
    merged: int = 0
    """Records that were added to another row already."""

    @property
    def are_timed(self) -> bool:
        """Whether the history has times."""
        return not {"played_at", "first_at"}.isdisjoint(self.rows.column_names)


def open_history(
    con: duckdb.DuckDBPyConnection,
    files: Sequence[OpenedFile],
    spec: PlaysSpec,
    limits: IngestLimits,
    scratch: Path,
    latest: int = 0,
    tombstones: Tombstones = NOBODY,
) -> History:
    """Look at all history files; what DuckDB cannot read directly is read record by record.

    ``latest`` is the last second since 1970 at which a play may have been. Rows of listeners in
    ``tombstones`` are only counted.
    """
    con.execute(query("macros"))
    if spec.at:
        con.execute(f"SET TimeZone = {text_literal(spec.at.zone)}")
    parts = [
        _prepared(con, file, scratch / f"records-{number}.parquet", spec, limits, tombstones)
        for number, file in enumerate(files)
    ]
    return History(parts, spec, limits, latest, tombstones)


def read_history(
    con: duckdb.DuckDBPyConnection, history: History, track_ids: pa.ChunkedArray
) -> Plays:
    """Read all plays; ``track_ids`` are the catalogue's, in order of their keys.

    Raises InputError when a file has too many records that must be rejected.
    """
    parts, spec, limits = history.parts, history.spec, history.limits
    keys = pa.array(np.arange(len(track_ids), dtype=np.int32))
    con.register("catalogue", pa.table({"track_id": track_ids, "track_key": keys}))
    # The joins are written with the small table last, to be hashed; DuckDB cannot know the size
    # of a CSV and would now and then hash the history instead.
    con.execute("SET disabled_optimizers = 'join_order,build_side_probe_side'")
    con.execute("SET preserve_insertion_order = false")
    totals = _read_listeners(con, history)
    if totals.rejected:
        for part in parts:
            _report_bad_values(con, part, history, totals.forgotten > 0)
    for part in parts:
        part.report.check_reject_limit(limits)
    check_scientific(f"{parts[0].report.path}: column `{spec.user}`", _scientific_users(con))
    good = "reason IS NULL" if totals.rejected else "true"
    stamp = f", coalesce(try_cast(plays.played_at AS UINTEGER), {NO_TIME})::UINTEGER AS played_at"
    text = query(
        "interactions",
        good=good,
        same_user=_same_user(con),
        whole=judgement(spec, limits)["whole"],
        stamp=stamp if spec.at else "",
    )
    rows = con.sql(text).to_arrow_table()
    unknown = UNKNOWN_TRACKS.schema.empty_table()
    if rows.num_rows < totals.records - totals.rejected:
        text = query("unknown_tracks", known=_but_forgotten("plays", totals.forgotten > 0))
        unknown = con.sql(text).to_arrow_table()
    user_ids = con.sql("SELECT user_id FROM listeners ORDER BY user_code").to_arrow_table()
    reports = [part.report for part in parts]
    return Plays(
        rows, user_ids["user_id"], unknown, reports, totals.filtered, totals.fractions,
        totals.untimed, totals.next_future,
        totals.forgotten + sum(report.forgotten for report in reports),
    )  # fmt: skip


def _prepared(
    con: duckdb.DuckDBPyConnection,
    file: OpenedFile,
    scratch: Path,
    spec: PlaysSpec,
    limits: IngestLimits,
    tombstones: Tombstones,
) -> Part:
    """Look at a file and count its records, reading them one by one if it is not plain."""
    report = FileReport(file.file.name, file.file.path, tombstones=tombstones)
    part = Part(file, report, scratch)
    if file.is_parquet:
        check_float_ids(file, spec.user)
        check_float_ids(file, spec.track_column)
        report.records = file.rows or 0
        report.reject(file.rejected, report.cap(limits))
    else:
        facts = look_at(file.text, file.delimiter, file.dialect.quote)
        plain = facts.plain and file.dialect.can_be_plain
        if plain and facts.delimiters == facts.lines * (len(file.columns) - 1):
            report.records = facts.lines - int(file.dialect.header)
        else:
            _read_one_by_one(part, spec, limits, facts.lines)
    if report.records == 0:
        raise InputError(f"{file.file.path} has a header and no rows; give a file with rows")
    if not isinstance(spec.track, str):
        items = scratch.with_suffix(".items.parquet")
        report.records = report.unusable + write_items(con, _named(part), spec, items)
        part.items = items
    return part


def _read_one_by_one(part: Part, spec: PlaysSpec, limits: IngestLimits, lines: int) -> None:
    """Write the file's records to scratch Parquet; bad ones go to the report."""
    file, report = part.file, part.report
    wanted = dict(file.positions)
    needed = {spec.track_column, spec.user}
    needed |= {name for name in (spec.count, spec.strength and spec.strength.column) if name}
    least = max(wanted.get(name, 0) for name in needed) + 1
    names = pa.schema([(name, pa.string()) for name in wanted])
    places = pa.schema([(RECORD, pa.int64()), (START, pa.int64()), (LENGTH, pa.int32())])
    schema = pa.schema([*names, *places])
    single = {wanted[name] for name in needed if name in wanted}
    report.forget()
    cap = report.cap(limits, lines)
    with pq.ParquetWriter(part.scratch, schema, compression="lz4") as writer:
        for records in read_records(
            file.text, len(file.columns), file.dialect, wanted, single, least
        ):
            writer.write_table(records.good.select(schema.names).cast(schema))
            report.reject(records.rejected, cap)
            report.records += len(records.good) + len(records.rejected)
    part.as_records = True


@dataclass(frozen=True)
class _Totals:
    records: int
    rejected: int
    filtered: int
    fractions: int
    untimed: int
    next_future: int
    forgotten: int


def _read_listeners(con: duckdb.DuckDBPyConnection, history: History) -> _Totals:
    """Make the table of listeners; return how many records were read, are bad and left out.

    Forgotten listeners are not in it; how many records they have is counted. Should DuckDB not see
    the records that the look at the bytes counted, plain files are read one by one after all.
    """
    parts, spec, limits = history.parts, history.spec, history.limits
    plain = [part for part in parts if not (part.as_records or part.file.is_parquet or part.items)]
    expected = sum(part.report.records - part.report.unusable for part in parts)
    try:
        fill = judgement(spec, limits, history.latest)
        records = all_records(history)
        con.execute(query("plays", counted=query("counted", records=records, **fill), **fill))
        con.execute(query("listeners", **fill))
        found = int(con.execute("SELECT coalesce(sum(records), 0) FROM listeners").fetchall()[0][0])
        read = found
        if is_filtered(spec):
            read = int(con.execute(f"SELECT count(*) FROM ({records})").fetchall()[0][0])
        if not plain or read == expected:
            forgotten = _leave_out_forgotten(con, history.tombstones)
            return _totals(con, read - found, forgotten)
    except duckdb.InvalidInputException as error:
        if not plain:
            names = ", ".join(part.report.name for part in parts[:3])
            cause = str(error).splitlines()[0]
            raise InputError(f"{names} cannot be read ({cause}); write the file again") from error
    for part in plain:
        _read_one_by_one(part, spec, limits, part.report.records + 1)
    return _read_listeners(con, history)


def _leave_out_forgotten(con: duckdb.DuckDBPyConnection, tombstones: Tombstones) -> int:
    """Take forgotten listeners out of the table of listeners; return how many records they have."""
    ids = pa.table({"user_id": pa.array([], pa.string())})
    if tombstones:
        ids = con.sql("SELECT user_id FROM listeners").to_arrow_table()
        ids = ids.filter(pa.array(tombstones.among(ids["user_id"])))
    con.register("forgotten_ids", ids)
    con.execute("CREATE OR REPLACE TEMP TABLE forgotten AS FROM forgotten_ids")
    con.unregister("forgotten_ids")
    if not len(ids):
        return 0
    theirs = "SELECT sum(records)::BIGINT FROM listeners SEMI JOIN forgotten USING (user_id)"
    records = int(con.execute(theirs).fetchall()[0][0])
    con.execute(query("but_forgotten"))
    return records


def _totals(con: duckdb.DuckDBPyConnection, filtered: int, forgotten: int) -> _Totals:
    """Add up what the table of listeners says."""
    sums = (
        "SELECT coalesce(sum(records), 0)::BIGINT, coalesce(sum(rejected), 0)::BIGINT, "
        "coalesce(sum(fractions), 0)::BIGINT, coalesce(sum(untimed), 0)::BIGINT, "
        "coalesce(min(next_future), 0)::BIGINT FROM listeners"
    )
    records, rejected, *others = con.execute(sums).fetchall()[0]
    fractions, untimed, next_future = others
    return _Totals(records, rejected, filtered, fractions, untimed, next_future, forgotten)


def _but_forgotten(rows: str, are_there: bool) -> str:
    """Return the condition that rows of a relation with user_id are of nobody who was forgotten."""
    if not are_there:
        return ""
    return f"AND NOT EXISTS (FROM forgotten WHERE forgotten.user_id = {rows}.user_id)"


def _scientific_users(con: duckdb.DuckDBPyConnection) -> list[str]:
    text = (
        "SELECT user_id FROM listeners WHERE records > rejected AND strlen(user_id) < 30 "
        f"AND regexp_full_match(user_id, {text_literal(SCIENTIFIC)}) "
        "ORDER BY user_id LIMIT 3"
    )
    return [user for (user,) in con.execute(text).fetchall()]


def _same_user(con: duckdb.DuckDBPyConnection) -> str:
    """Return the condition that joins plays to their listener.

    Every listener of the history is in the table or was forgotten, so where no two ids share a
    hash, equal hashes mean equal ids; comparing them is quicker than comparing strings.
    """
    everybody = "SELECT user_hash FROM listeners UNION ALL SELECT hash(user_id) FROM forgotten"
    hashes = f"SELECT count(DISTINCT user_hash) = count(*) FROM ({everybody})"
    if con.execute(hashes).fetchall()[0][0]:
        return "hash(plays.user_id) = listeners.user_hash"
    return "plays.user_id = listeners.user_id"


def all_records(history: History) -> str:
    """Return the query for the records of all files, one SELECT for files of the same shape."""
    same: dict[tuple[tuple[str, str], ...], list[Part]] = {}
    for part in history.parts:
        same.setdefault(tuple(_way_to_read(part, history.spec).items()), []).append(part)
    return "UNION ALL\n".join(
        query("read", numbered="", source=_source(parts), **_fields(parts[0], history.spec))
        for parts in same.values()
    )


def named_records(history: History, columns: Sequence[str]) -> str:
    """Return the query for some columns of all records as text, under their own names."""
    return "\nUNION ALL\n".join(_named(part, columns) for part in history.parts)


def _named(part: Part, columns: Sequence[str] = ()) -> str:
    """Return the query for a part's named columns; all of them with the records' numbers."""
    fields = {name: value for name, value in fields_of_part(part).items() if name in columns}
    if not columns:
        fields = {RECORD: _place(part).record, **fields_of_part(part)}
        if part.file.kind == "parquet":  # lists stay lists
            schema = pq.read_schema(part.file.text)
            for name in part.file.positions:
                if pa.types.is_nested(schema.field(name).type):
                    fields[name] = column_name(name)
    selected = ", ".join(f"{value} AS {column_name(name)}" for name, value in fields.items())
    return f"SELECT {selected} FROM {_source([part])}"


def _source(parts: Sequence[Part]) -> str:
    """Return the FROM clause for files of one shape."""
    part = parts[0]
    paths = [one.items or (one.scratch if one.as_records else one.file.text) for one in parts]
    kind = _kind(part)
    layout = csv_layout(part.file) if kind == "plain" else {}
    if kind == "parquet":
        layout["strings"] = str(binary_as_string(pq.read_schema(part.file.text))).lower()
    return query(f"source_{kind}", files=files_literal(paths), **layout)


def fields_of_part(part: Part) -> dict[str, str]:
    """Return the expression of each named column of a part as text."""
    if part.items or part.as_records:
        constants = {name: text_literal(value) for name, value in part.file.constants.items()}
        return {**{name: column_name(name) for name in part.file.positions}, **constants}
    return fields_of(part.file)


def _kind(part: Part) -> str:
    if part.items or part.as_records or part.file.kind == "json":
        return "records"
    return "parquet" if part.file.is_parquet else "plain"


def _fields(part: Part, spec: PlaysSpec) -> dict[str, str]:
    return read_fields(spec, fields_of_part(part))


def _way_to_read(part: Part, spec: PlaysSpec) -> dict[str, str]:
    """Return what distinguishes the query for a file from that for another one."""
    kind = _kind(part)
    layout = csv_layout(part.file) if kind == "plain" else {}
    if kind == "parquet":
        layout["strings"] = str(binary_as_string(pq.read_schema(part.file.text)))
    return {"kind": kind, **layout, **_fields(part, spec)}


class _Place(NamedTuple):
    """Expressions for the number of a record, and for its text or where in the file that is."""

    record: str
    raw: str


def _place(part: Part) -> _Place:
    kind = _kind(part)
    if kind == "plain":
        first = part.file.dialect.first_record - 1
        return _Place(f"row_number() OVER () + {first}", csv_raw(part.file))
    if kind == "parquet":
        return _Place("file_row_number + 1", shown_raw(fields_of(part.file)))
    if part.as_records and not part.items:
        return _Place(column_name(RECORD), f"[{column_name(START)}, {column_name(LENGTH)}]")
    return _Place(column_name(RECORD), shown_raw(fields_of_part(part)))


def _report_bad_values(
    con: duckdb.DuckDBPyConnection, part: Part, history: History, forgotten: bool
) -> None:
    """Report the records of a file that can be split into fields but not be used.

    ``forgotten``: whether there are records of forgotten listeners, which are not reported.
    """
    spec, limits = history.spec, history.limits
    fill = judgement(spec, limits, history.latest)
    place = _place(part)
    numbered = f"{place.record} AS record, {place.raw} AS raw,"
    records = query("read", numbered=numbered, source=_source([part]), **_fields(part, spec))
    con.execute("SET preserve_insertion_order = true")
    counted, known = query("counted", records=records, **fill), _but_forgotten("counted", forgotten)
    con.execute(query("rejected", counted=counted, known=known, **fill))
    con.execute("SET preserve_insertion_order = false")
    counts = con.execute("SELECT reason, count(*) FROM bad_records GROUP BY reason").fetchall()
    most = part.report.cap(limits) + 1
    rows = con.execute(
        f"SELECT record, reason, raw FROM bad_records ORDER BY record LIMIT {most}"
    ).fetchall()
    texts = [raw for _, _, raw in rows]
    if part.as_records and not part.items:
        spans = [(start, length) for _, _, (start, length) in rows]
        texts = [part.file.dialect.restored(text) for text in read_raw(part.file.text, spans)]
    found = [
        Rejected(record, reason, text)
        for (record, reason, _), text in zip(rows, texts, strict=True)
    ]
    part.report.reject(found, most, dict(counts))
