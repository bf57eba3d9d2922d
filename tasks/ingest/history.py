"""The listening history: from files to key-encoded interactions, with DuckDB.

Plain CSV files (see `scan`) and Parquet are read by DuckDB directly, twice: once for the
listeners, once for the interactions, which needs less memory than keeping the strings in
between. Any other CSV is first read record by record into a scratch Parquet file, and so is a
plain one in which DuckDB finds something else than the look at its bytes did.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tasks.dataset.spec import PlaysSpec
from tasks.ingest.files import OpenedFile
from tasks.ingest.limits import IngestLimits
from tasks.ingest.queries import (
    csv_columns,
    csv_raw,
    files_literal,
    judgement,
    parquet_columns,
    query,
)
from tasks.ingest.records import LENGTH, RECORD, START, Rejected, read_records
from tasks.ingest.rejects import FileReport, read_raw
from tasks.ingest.scan import look_at
from warehouse.errors import InputError

_SCRATCH = pa.schema(
    [
        ("record", pa.int64()),
        ("start", pa.int64()),
        ("length", pa.int32()),
        ("track_id", pa.string()),
        ("user_id", pa.string()),
        ("count_text", pa.string()),
    ]
)


@dataclass
class Part:
    """One history file on its way into the tables."""

    file: OpenedFile
    report: FileReport
    scratch: Path
    """Where its records go as Parquet if DuckDB cannot read the file itself."""
    as_records: bool = False
    """Whether they went there."""


@dataclass(frozen=True)
class Plays:
    """The accepted plays of catalogue tracks."""

    rows: pa.Table
    """user_code, track_key, plays: in that order sorted, duplicates included."""
    user_ids: pa.ChunkedArray
    """The id of every user_code; a listener without a play of a catalogue track is among them."""
    unknown: pa.Table
    """track_id, records: plays of tracks that the catalogue lacks, most records first."""
    reports: list[FileReport]


def read_history(
    con: duckdb.DuckDBPyConnection,
    files: Sequence[OpenedFile],
    spec: PlaysSpec,
    track_ids: pa.ChunkedArray,
    limits: IngestLimits,
    scratch: Path,
) -> Plays:
    """Read all history files; ``track_ids`` are the catalogue's, in order of their keys.

    Raises InputError when a file has no rows or too many that must be rejected.
    """
    parts = [
        _prepared(file, scratch / f"records-{number}.parquet", spec, limits)
        for number, file in enumerate(files)
    ]
    keys = pa.array(np.arange(len(track_ids), dtype=np.int32))
    con.register("catalogue", pa.table({"track_id": track_ids, "track_key": keys}))
    con.execute(query("macros"))
    # The joins are written with the small table last, to be hashed; DuckDB cannot know the size
    # of a CSV and would now and then hash the history instead.
    con.execute("SET disabled_optimizers = 'join_order,build_side_probe_side'")
    con.execute("SET preserve_insertion_order = false")
    records, rejected = _read_listeners(con, parts, spec, limits)
    if rejected:
        for part in parts:
            part.report.rejected += _bad_values(con, part, spec, limits)
            part.report.check_reject_limit(limits)
    good = "reason IS NULL" if rejected else "true"
    rows = con.sql(query("interactions", good=good, same_user=_same_user(con))).to_arrow_table()
    unknown = pa.table({"track_id": pa.array([], pa.string()), "records": pa.array([], pa.int64())})
    if rows.num_rows < records - rejected:
        unknown = con.sql(query("unknown_tracks")).to_arrow_table()
    user_ids = con.sql("SELECT user_id FROM listeners ORDER BY user_code").to_arrow_table()
    return Plays(rows, user_ids["user_id"], unknown, [part.report for part in parts])


def _prepared(file: OpenedFile, scratch: Path, spec: PlaysSpec, limits: IngestLimits) -> Part:
    """Look at a file and count its records, reading them one by one if it is not plain."""
    part = Part(file, FileReport(file.file.name, file.file.path), scratch)
    if file.is_parquet:
        part.report.records = pq.read_metadata(file.file.path).num_rows
        return part
    facts = look_at(file.text, file.delimiter)
    if facts.plain and facts.delimiters == facts.lines * (len(file.columns) - 1):
        part.report.records = facts.lines - 1
    else:
        _read_one_by_one(part, spec, limits, facts.lines)
    if part.report.records == 0:
        raise InputError(f"{file.file.path} has a header and no rows; give a file with rows")
    return part


def _read_one_by_one(part: Part, spec: PlaysSpec, limits: IngestLimits, lines: int) -> None:
    """Write the file's records to scratch Parquet; bad ones go to the report."""
    file, report = part.file, part.report
    wanted = {"track_id": file.positions[spec.track], "user_id": file.positions[spec.user]}
    if spec.count:
        wanted["count_text"] = file.positions[spec.count]
    report.records = 0
    with pq.ParquetWriter(part.scratch, _SCRATCH, compression="lz4") as writer:
        for records in read_records(
            file.text, len(file.columns), file.delimiter, wanted, set(wanted.values())
        ):
            good = records.good.rename_columns({RECORD: "record", START: "start", LENGTH: "length"})
            if not spec.count:
                good = good.append_column("count_text", pa.nulls(len(good), pa.string()))
            writer.write_table(good.select(_SCRATCH.names).cast(_SCRATCH))
            report.rejected += records.rejected
            report.records += len(good) + len(records.rejected)
            report.check_reject_limit(limits, lines)
    part.as_records = True


def _read_listeners(
    con: duckdb.DuckDBPyConnection, parts: Sequence[Part], spec: PlaysSpec, limits: IngestLimits
) -> tuple[int, int]:
    """Make the table of listeners; return how many records were read and are bad.

    Should DuckDB not see the records that the look at the bytes counted, plain files are read
    one by one after all.
    """
    plain = [part for part in parts if not part.as_records and not part.file.is_parquet]
    expected = sum(
        part.report.records - len(part.report.rejected) if part.as_records else part.report.records
        for part in parts
    )
    try:
        con.execute(query("plays", records=_all_records(parts, spec), **judgement(spec, limits)))
        con.execute(query("listeners"))
        totals = "SELECT sum(records)::BIGINT, sum(rejected)::BIGINT FROM listeners"
        records, rejected = (total or 0 for total in con.execute(totals).fetchall()[0])
        if not plain or records == expected:
            return records, rejected
    except duckdb.InvalidInputException as error:
        if not plain:
            names = ", ".join(part.report.name for part in parts[:3])
            cause = str(error).splitlines()[0]
            raise InputError(f"{names} cannot be read ({cause}); write the file again") from error
    for part in plain:
        _read_one_by_one(part, spec, limits, part.report.records + 1)
    return _read_listeners(con, parts, spec, limits)


def _same_user(con: duckdb.DuckDBPyConnection) -> str:
    """Return the condition that joins plays to their listener.

    Every listener of the history is in the table, so where no two ids share a hash, equal hashes
    mean equal ids; comparing them is quicker than comparing strings.
    """
    hashes = "SELECT count(DISTINCT user_hash) = count(*) FROM listeners"
    if con.execute(hashes).fetchall()[0][0]:
        return "hash(plays.user_id) = listeners.user_hash"
    return "plays.user_id = listeners.user_id"


def _all_records(parts: Sequence[Part], spec: PlaysSpec) -> str:
    """Return the query for the records of all files, one SELECT for files of the same shape."""
    same: dict[tuple[str, tuple[tuple[str, str], ...]], list[Path]] = {}
    for part in parts:
        kind, columns = _way_to_read(part, spec)
        path = part.scratch if part.as_records else part.file.text
        same.setdefault((kind, tuple(columns.items())), []).append(path)
    return "UNION ALL\n".join(
        query(kind, files=files_literal(paths), **dict(columns))
        for (kind, columns), paths in same.items()
    )


def _way_to_read(part: Part, spec: PlaysSpec) -> tuple[str, dict[str, str]]:
    """Return the query that reads a file, and what is filled in."""
    if part.as_records:
        return "read_records", {}
    if part.file.is_parquet:
        return "read_parquet", parquet_columns(part.file, spec)
    return "read_plain", csv_columns(part.file, spec)


def _bad_values(
    con: duckdb.DuckDBPyConnection, part: Part, spec: PlaysSpec, limits: IngestLimits
) -> list[Rejected]:
    """Find the records of a file that can be split into fields but not be used."""
    most = str(part.report.cap(limits) + 1)
    judged = judgement(spec, limits)
    if part.as_records:
        text = query("rejected_records", files=files_literal([part.scratch]), most=most, **judged)
        found = con.execute(text).fetchall()
        raw = read_raw(part.file.text, [(start, length) for _, _, start, length in found])
        return [
            Rejected(record, reason, shown)
            for (record, reason, _, _), shown in zip(found, raw, strict=True)
        ]
    fill = {"files": files_literal([part.file.text]), "most": most, **judged}
    if part.file.is_parquet:
        text = query("rejected_parquet", **fill, **parquet_columns(part.file, spec))
    else:
        text = query(
            "rejected_plain", **fill, **csv_columns(part.file, spec), raw=csv_raw(part.file)
        )
    con.execute("SET preserve_insertion_order = true")
    rows = con.execute(text).fetchall()
    con.execute("SET preserve_insertion_order = false")
    return [Rejected(*row) for row in rows]
