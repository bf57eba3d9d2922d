"""The catalogue: from text columns to typed, normalised, key-encoded tracks."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tasks.dataset.spec import TagsSpec, TracksSpec
from tasks.ingest.files import OpenedFile
from tasks.ingest.limits import IngestLimits
from tasks.ingest.records import LENGTH, RECORD, START, Rejected, read_records
from tasks.ingest.rejects import FileReport, read_raw
from tasks.ingest.scan import look_at
from tasks.lake.contracts.inputs import INPUT_FEATURES
from tasks.lake.contracts.stages.ingest import tracks_schema
from warehouse.errors import InputError

NUMBER = r"^\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*$"
UNKNOWN = ("na", "n/a", "nan", "null", "none", r"\n", "-", "?")
"""Spellings (in lower case) of a missing number."""


@dataclass(frozen=True)
class Catalogue:
    """The accepted tracks, in byte order of their ids, and what each file gave."""

    tracks: pa.Table
    """As `tracks_schema`, without track_key, listeners, plays and played_key."""
    reports: list[FileReport]

    @property
    def ids(self) -> pa.ChunkedArray:
        """The track ids; position is track_key."""
        return self.tracks["track_id"]


def read_catalogue(
    files: Sequence[OpenedFile], spec: TracksSpec, limits: IngestLimits
) -> Catalogue:
    """Read all catalogue files and turn them into tracks.

    Raises InputError when a file has no rows or too many that must be rejected.
    """
    reports, parts = [], []
    for file in files:
        report = FileReport(file.file.name, file.file.path)
        rows = _read_parquet(file) if file.is_parquet else _read_csv(file, spec, report, limits)
        report.records = rows.num_rows + len(report.rejected)
        if not report.records:
            raise InputError(f"{report.path} has a header and no rows; give a file with rows")
        wrong = _wrong_values(rows, file, spec)
        report.rejected += _describe(rows, wrong, file)
        parts.append(rows.filter(pa.array([not reason for reason in wrong], pa.bool_())))
        reports.append(report)
    rows, repeated = _first_of_each_id(parts, spec)
    for report, file, part, again in zip(reports, files, parts, repeated, strict=True):
        reason = ["track_id_repeated" if yes else "" for yes in again.tolist()]
        report.rejected += _describe(part, reason, file)
        report.check_reject_limit(limits)
    return Catalogue(_typed(rows, spec), reports)


def _read_csv(
    file: OpenedFile, spec: TracksSpec, report: FileReport, limits: IngestLimits
) -> pa.Table:
    wanted = dict(file.positions)
    single = [wanted[name] for name in (spec.id, *spec.numeric) if name in wanted]
    lines = look_at(file.text, file.delimiter).lines
    parts = []
    for part in read_records(file.text, len(file.columns), file.delimiter, wanted, single):
        parts.append(part.good)
        report.rejected += part.rejected
        report.check_reject_limit(limits, lines)
    if not parts:
        raise InputError(f"{report.path} has a header and no rows; give a file with rows")
    return pa.concat_tables(parts)


def _read_parquet(file: OpenedFile) -> pa.Table:
    table = pq.read_table(file.file.path, columns=list(file.positions))
    columns = {name: as_text(table[name]) for name in file.positions}
    return pa.table({**columns, RECORD: np.arange(1, table.num_rows + 1)})


def as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Turn a Parquet column into strings: whole numbers without a point, lists left as they are."""
    kind = column.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return column.cast(pa.list_(pa.string()))
    return column.cast(pa.string())


def _wrong_values(rows: pa.Table, file: OpenedFile, spec: TracksSpec) -> list[str]:
    """Return why each row is rejected, "" for a good one."""
    reasons = np.full(rows.num_rows, "", object)
    for name in reversed(spec.numeric):
        if name in file.positions:
            unreadable = pc.and_(pc.is_valid(rows[name]), pc.is_null(_numbers(rows[name])))
            known = pc.is_in(_lower(rows[name]), value_set=pa.array([*UNKNOWN, ""]))
            reasons[_mask(pc.and_not(unreadable, known))] = f"number_unreadable: {name}"
    blank = pc.equal(_lower(rows[spec.id].fill_null("")), "")
    reasons[_mask(blank)] = "track_id_missing"
    reasons[_mask(pc.equal(rows[spec.id], spec.id))] = "repeated_header"
    return [str(reason) for reason in reasons]


def _lower(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.utf8_lower(pc.utf8_trim_whitespace(column))


def _mask(flags: pa.ChunkedArray) -> NDArray[np.bool_]:
    mask: NDArray[np.bool_] = flags.fill_null(False).to_numpy()
    return mask


def _describe(rows: pa.Table, reasons: Sequence[str], file: OpenedFile) -> Iterable[Rejected]:
    """Return the rows with a reason as rejected ones, with their raw text."""
    at = np.flatnonzero(np.array(reasons, dtype=object) != "")
    taken = rows.take(pa.array(at))
    if file.is_parquet:
        names = list(file.positions)
        raw = [
            ",".join("" if row[name] is None else str(row[name]) for name in names)
            for row in taken.to_pylist()
        ]
    else:
        spans = zip(taken[START].to_pylist(), taken[LENGTH].to_pylist(), strict=True)
        raw = read_raw(file.text, spans)
    records = taken[RECORD].to_pylist()
    return [
        Rejected(record, reasons[position], text)
        for position, record, text in zip(at.tolist(), records, raw, strict=True)
    ]


def _first_of_each_id(
    parts: Sequence[pa.Table], spec: TracksSpec
) -> tuple[pa.Table, list[NDArray[np.bool_]]]:
    """Keep the first row of each id, in byte order; tell which rows of each part repeat one."""
    names = list(dict.fromkeys(name for part in parts for name in part.column_names))
    names = [name for name in names if name not in (RECORD, START, LENGTH)]
    rows = pa.concat_tables(
        [part.select([name for name in names if name in part.column_names]) for part in parts],
        promote_options="default",
    )
    # Codes are given out at first sight, so a repeated id has one that is not new.
    codes = rows[spec.id].combine_chunks().dictionary_encode().indices.to_numpy()
    again = codes <= np.concatenate([[-1], np.maximum.accumulate(codes)[:-1]])
    kept = rows.filter(pa.array(~again))
    cuts = np.cumsum([part.num_rows for part in parts])[:-1]
    return kept.take(pc.sort_indices(kept[spec.id])), list(np.split(again, cuts))


def _typed(rows: pa.Table, spec: TracksSpec) -> pa.Table:
    """Turn the text columns into the columns of `tracks_schema` that the catalogue decides."""

    def text(name: str | None) -> pa.ChunkedArray:
        if name is None or name not in rows.column_names:
            return pa.nulls(rows.num_rows, pa.string())
        return _normalised(rows[name])

    artist = text(spec.creator)
    columns = {
        "track_id": rows[spec.id],
        "name": text(spec.title),
        "artist": artist,
        "artist_key": _keys(artist),
        "tags": _tags(rows, spec.tags),
        "spotify_preview_url": text(spec.preview_url),
        "spotify_id": text(spec.spotify_id),
        "genre": pa.nulls(rows.num_rows, pa.string()),
        "year": pa.nulls(rows.num_rows, pa.int16()),
    }
    for name in spec.numeric:
        values = pa.nulls(rows.num_rows, pa.float64())
        if name in rows.column_names:
            values = _without_sentinels(name, _numbers(rows[name]))
        columns[name] = _year(values) if name == "year" else values
    for name in spec.categorical:
        columns[name] = _label(name, text(name))
    schema = tracks_schema(spec.numeric, spec.categorical)
    fields = [field for field in schema if field.name in columns]
    return pa.table([columns[field.name] for field in fields], schema=pa.schema(fields))


def _normalised(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """NFC; blank is missing."""
    composed = pc.utf8_normalize(column, form="NFC")
    blank = pc.equal(pc.utf8_trim_whitespace(composed), "")
    return pc.if_else(blank, pa.scalar(None, pa.string()), composed)


def _numbers(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Read float64; null where the text is not a finite number."""
    matches = pc.match_substring_regex(column, NUMBER)
    digits = pc.utf8_ltrim(pc.utf8_trim_whitespace(column), characters="+")
    text = pc.if_else(matches, digits, pa.scalar(None, pa.string()))
    values = text.cast(pa.float64())
    return pc.if_else(pc.is_finite(values), values, pa.scalar(None, pa.float64()))


def _without_sentinels(name: str, values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Turn the values that stand for unknown in a column of that name into nulls."""
    column = INPUT_FEATURES.get(name)
    if column is None:
        return values
    bounds = (
        (0.0 if column.zero_is_unknown else None, pc.equal),
        (column.above, pc.less_equal),
        (column.low, pc.less),
        (column.high, pc.greater),
    )
    for bound, is_unknown in bounds:
        if bound is not None:
            unknown = is_unknown(values, bound)
            values = pc.if_else(unknown, pa.scalar(None, pa.float64()), values)
    return values


def _year(values: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.floor(values).cast(pa.int16())


def _label(name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A categorical value: a string, ``5.0`` and ``5`` the same."""
    label = pc.replace_substring_regex(pc.utf8_trim_whitespace(column), r"^([+-]?\d+)\.0*$", r"\1")
    column = INPUT_FEATURES.get(name)
    if column is not None and column.zero_is_unknown:
        label = pc.if_else(pc.equal(label, "0"), pa.scalar(None, pa.string()), label)
    return label


def _keys(column: pa.ChunkedArray) -> pa.Array:
    """Number the distinct values in byte order."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    coded = array.dictionary_encode()
    order = pc.sort_indices(coded.dictionary).to_numpy()
    rank = np.empty(len(order), np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    return pa.array(rank).take(coded.indices)


def _tags(rows: pa.Table, spec: TagsSpec | None) -> pa.Array:
    """Split, trim and normalise tags; keep the file's order, without repeats or blanks."""
    if spec is None or spec.column not in rows.column_names:
        return pa.nulls(rows.num_rows, pa.list_(pa.string()))
    column = rows[spec.column].combine_chunks()
    if pa.types.is_string(column.type):
        column = pc.split_pattern(column, spec.separator)
    flat = pc.utf8_trim_whitespace(column.flatten().fill_null(""))
    flat = pc.utf8_normalize(flat, form="NFC")
    row = pc.list_parent_indices(column).to_numpy().astype(np.int64)
    coded = flat.dictionary_encode()
    pair = row * max(1, len(coded.dictionary)) + coded.indices.to_numpy()
    first = np.zeros(len(pair), np.bool_)
    first[np.unique(pair, return_index=True)[1]] = True
    first &= pc.not_equal(flat, "").to_numpy(zero_copy_only=False)
    counts = np.bincount(row[first], minlength=rows.num_rows)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    values = flat.filter(pa.array(first))
    return pa.ListArray.from_arrays(pa.array(offsets), values, mask=pa.array(counts == 0))
