"""Read one file of exposures or events: every row good or set aside, the good ones in Parquet.

As with the history, DuckDB reads Parquet and plain CSV directly; any other CSV is read record by
record first.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from tasks.dataset.feedback import EventsSpec, ExposuresSpec
from tasks.ingest.files import InputFile, OpenedFile, open_file
from tasks.ingest.limits import IngestLimits
from tasks.ingest.queries import (
    csv_layout,
    csv_raw,
    fields_of,
    files_literal,
    number_text,
    query,
    shown_raw,
)
from tasks.ingest.records import LENGTH, RECORD, START, Rejected, read_records
from tasks.ingest.rejects import FileReport, read_raw
from tasks.ingest.scan import look_at
from tasks.lake.contracts.stages.feedback import EVENT_KINDS
from tasks.lake.tombstones import NOBODY, Tombstones
from warehouse.errors import InputError
from warehouse.statements import column_name, text_literal

SQL = Path(__file__).parent / "sql"

_NUMBERED = "row_number() OVER (PARTITION BY exposure_text ORDER BY record) > 1"

_BUT_FORGOTTEN = "AND NOT EXISTS (FROM forgotten WHERE forgotten.user_text = judged.user_text)"
"""Condition that a row is of nobody who was forgotten."""

_RENAMED = {"at": "occurred"}
"""Fields of the TOML that the lake calls otherwise; `at` is a word of SQL. An `id` is called what
it identifies."""

_VALUES = {"occurred": "moment({})", "rank": "count_value({})", "value": "count_value({})"}
"""Fields that are more than text, and how their text is read."""

_IDS = ("event", "exposure", "user", "track", "experiment", "variant", "kind", "value")
"""Fields that are looked at as text."""


@dataclass(frozen=True)
class _Source:
    """How a file's fields are read: the query, what is filled in, each field's expressions."""

    kind: str
    fill: Mapping[str, str]
    text: Mapping[str, str]
    """Field → expression of its text."""
    typed: Mapping[str, str]
    """Field → expression of its value, for Parquet columns that need no reading of text."""
    record: str
    raw: str

    number: Callable[[str], str] = str
    """Gives the expression of a number's text with a decimal point."""

    def fields(self, names: Sequence[str], numbered: bool) -> str:
        """Return the query for the records; their number and text cost time and may be left out."""
        columns = [f"{self.text.get(name, 'NULL')} AS {name}_text" for name in _IDS]
        for name in names:
            if name in _VALUES:
                value = self.typed.get(name)
                text = self.number(self.text.get(name, "NULL::VARCHAR"))
                value = value or _VALUES[name].format(text)
                columns.append(f"{value} AS {name}")
        return query(
            self.kind,
            SQL,
            record=self.record if numbered else "NULL",
            raw=self.raw if numbered else "NULL",
            columns_read=", ".join(columns),
            **self.fill,
        )


def read_feedback(
    con: duckdb.DuckDBPyConnection,
    file: InputFile,
    spec: ExposuresSpec | EventsSpec,
    limits: IngestLimits,
    scratch: Path,
    target: Path,
    tombstones: Tombstones = NOBODY,
) -> FileReport:
    """Write the good rows of ``file`` to ``target`` (`EXPOSURES` or `EVENTS`).

    Rows of listeners in ``tombstones`` are only counted.

    ``con`` must have been through `prepare_connection`. Raises InputError when the file lacks a
    column, has no rows, or too many that must be rejected.
    """
    if file.is_empty:
        raise InputError(f"{file.path} is empty; give a file with a header and rows")
    opened = open_file(file, spec, spec.columns(), scratch / "opened", limits)
    if opened.rows == 0:
        raise InputError(f"{file.path} has a header and no rows; give a file with rows")
    named = _columns_by_field(spec)
    report = FileReport(file.name, file.path, tombstones=tombstones)
    source = _source(opened, spec, report, limits, scratch)
    source = replace(source, number=partial(number_text, spec))
    try:
        _keep(con, source, spec, limits, report, opened, target)
    except duckdb.InvalidInputException as error:
        if opened.is_parquet or source.kind == "read_records":
            raise InputError(
                f"{file.path} cannot be read ({str(error).splitlines()[0]}); write the file again"
            ) from error
        lines = report.records + 1
        source = _one_by_one(opened, named, report, limits, scratch, lines)
        source = replace(source, number=partial(number_text, spec))
        _keep(con, source, spec, limits, report, opened, target)
    report.check_reject_limit(limits)
    return report


def prepare_connection(con: duckdb.DuckDBPyConnection) -> None:
    """Make the macros that judge rows; times without an offset are UTC."""
    con.execute("SET TimeZone = 'UTC'")
    con.execute(query("macros"))
    con.execute(query("macros", SQL))


def _keep(
    con: duckdb.DuckDBPyConnection,
    source: _Source,
    spec: ExposuresSpec | EventsSpec,
    limits: IngestLimits,
    report: FileReport,
    opened: OpenedFile,
    target: Path,
) -> None:
    """Write the good rows and report the bad ones."""
    table = "exposures" if isinstance(spec, ExposuresSpec) else "events"
    names = tuple(_columns_by_field(spec))
    header = spec.id if isinstance(spec, ExposuresSpec) else spec.kind
    fill = {"header": text_literal(header)}
    if table == "events":
        fill["kinds"] = "(" + ", ".join(text_literal(kind) for kind in EVENT_KINDS) + ")"

    def judged(numbered: bool, repeated: str) -> str:
        if table == "exposures":
            fill["repeated"] = repeated
        return query(table, SQL, fields=source.fields(names, numbered), **fill)

    def keep(numbered: bool, repeated: str) -> int:
        rows, file = judged(numbered, repeated), text_literal(str(target))
        text = query(f"keep_{table}", SQL, judged=rows, known=fill["known"], file=file)
        return int(con.execute(text).fetchall()[0][0])

    repeated = "false"
    theirs = _find_forgotten(con, judged(False, repeated), report.tombstones)
    fill["known"] = _BUT_FORGOTTEN if theirs else ""
    kept = keep(False, repeated)
    if table == "exposures" and _repeats(con, target):
        repeated = _NUMBERED
        kept = keep(True, repeated)
    is_complete = kept == report.records - report.unusable - theirs
    report.forgotten += theirs
    if table == "exposures" and is_complete:
        return
    bad = query("rejected", SQL, judged=judged(True, repeated), known=fill["known"])
    con.execute(f"CREATE OR REPLACE TEMP TABLE bad_records AS {bad}")
    counts = con.execute("SELECT reason, count(*) FROM bad_records GROUP BY reason").fetchall()
    most = report.cap(limits) + 1
    rows = con.execute(f"FROM bad_records ORDER BY record LIMIT {most}").fetchall()
    if source.kind == "read_records" and opened.kind == "csv":
        spans = [(start, length) for _, _, (start, length) in rows]
        texts = [opened.dialect.restored(text) for text in read_raw(opened.text, spans)]
    else:
        texts = [raw for _, _, raw in rows]
    found = [
        Rejected(record, reason, text)
        for (record, reason, _), text in zip(rows, texts, strict=True)
    ]
    report.reject(found, most, dict(counts))


def _find_forgotten(con: duckdb.DuckDBPyConnection, judged: str, tombstones: Tombstones) -> int:
    """Make the table of forgotten listeners in a file; return how many rows are of them."""
    if not tombstones:
        return 0
    users = con.sql(f"SELECT user_text, count(*) AS rows FROM ({judged}) GROUP BY user_text")
    table = users.to_arrow_table()
    theirs = table.filter(pa.array(tombstones.among(table["user_text"])))
    con.register("forgotten_users", theirs)
    con.execute("CREATE OR REPLACE TEMP TABLE forgotten AS FROM forgotten_users")
    con.unregister("forgotten_users")
    return sum(theirs["rows"].to_pylist())


def _repeats(con: duckdb.DuckDBPyConnection, target: Path) -> bool:
    """Tell whether the good rows repeat an exposure."""
    counted = (
        f"SELECT count(*) > count(DISTINCT exposure) FROM read_parquet({files_literal([target])})"
    )
    return bool(con.execute(counted).fetchall()[0][0])


def _columns_by_field(spec: ExposuresSpec | EventsSpec) -> dict[str, str]:
    """Return the column of each field, as the lake calls it."""
    last = {field.rsplit(".", 1)[1]: column for field, column in spec.columns().items()}
    renamed = {**_RENAMED, "id": "exposure" if isinstance(spec, ExposuresSpec) else "event"}
    return {renamed.get(name, name): column for name, column in last.items()}


def _source(
    opened: OpenedFile,
    spec: ExposuresSpec | EventsSpec,
    report: FileReport,
    limits: IngestLimits,
    scratch: Path,
) -> _Source:
    """Find out how to read the file, and count its records."""
    named = _columns_by_field(spec)
    if opened.is_parquet:
        report.records = opened.rows or 0
        report.reject(opened.rejected, report.cap(limits))
        return _parquet_source(opened, spec)
    facts = look_at(opened.text, opened.delimiter, opened.dialect.quote)
    plain = facts.plain and opened.dialect.can_be_plain
    if not (plain and facts.delimiters == facts.lines * (len(opened.columns) - 1)):
        return _one_by_one(opened, named, report, limits, scratch, facts.lines)
    report.records = facts.lines - int(opened.dialect.header)
    at = fields_of(opened)
    return _Source(
        kind="read_csv",
        fill={"files": files_literal([opened.text]), **csv_layout(opened)},
        text={name: at[column] for name, column in named.items()},
        typed={},
        record=f"row_number() OVER () + {opened.dialect.first_record - 1}",
        raw=csv_raw(opened),
    )


def _parquet_source(opened: OpenedFile, spec: ExposuresSpec | EventsSpec) -> _Source:
    """Read a Parquet file's times and numbers as they are, everything else as text."""
    at, named = fields_of(opened), _columns_by_field(spec)
    text = {name: at[column] for name, column in named.items()}
    typed = {}
    schema = pq.read_schema(opened.text)
    for name, column in named.items():
        if opened.kind == "json" or column in opened.constants:
            continue
        kind = schema.field(column).type
        if name == "occurred" and (pa.types.is_timestamp(kind) or pa.types.is_date(kind)):
            typed[name] = f"make_timestamp(epoch_us({column_name(column)}))"
        elif name in ("rank", "value") and (
            pa.types.is_integer(kind) or pa.types.is_floating(kind)
        ):
            typed[name] = f"{column_name(column)}::DOUBLE"
    is_json = opened.kind == "json"
    return _Source(
        kind="read_records" if is_json else "read_parquet",
        fill={"files": files_literal([opened.text])},
        text=text,
        typed=typed,
        record=column_name(RECORD) if is_json else "file_row_number + 1",
        raw=shown_raw(text),
    )


def _one_by_one(
    opened: OpenedFile,
    named: Mapping[str, str],
    report: FileReport,
    limits: IngestLimits,
    scratch: Path,
    lines: int,
) -> _Source:
    """Write the file's records to scratch Parquet; those that cannot be split are reported."""
    wanted = {
        name: opened.positions[column]
        for name, column in named.items()
        if column in opened.positions
    }
    schema = pa.schema(
        [(name, pa.string()) for name in wanted]
        + [("record", pa.int64()), ("start", pa.int64()), ("length", pa.int32())]
    )
    target = scratch / "records.parquet"
    report.forget()
    cap = report.cap(limits, lines)
    with pq.ParquetWriter(target, schema, compression="lz4") as writer:
        for records in read_records(
            opened.text, len(opened.columns), opened.dialect, wanted, set(wanted.values())
        ):
            named_as = {RECORD: "record", START: "start", LENGTH: "length"}
            writer.write_table(records.good.rename_columns(named_as).cast(schema))
            report.reject(records.rejected, cap)
            report.records += len(records.good) + len(records.rejected)
    constants = {
        name: text_literal(opened.constants[column])
        for name, column in named.items()
        if column in opened.constants
    }
    return _Source(
        kind="read_records",
        fill={"files": files_literal([target])},
        text={**{name: column_name(name) for name in wanted}, **constants},
        typed={},
        record="record",
        raw="[start, length]",
    )
