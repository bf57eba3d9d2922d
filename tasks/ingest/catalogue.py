"""The catalogue: from text columns to typed, normalised, key-encoded tracks."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tasks.dataset.columns import ListSpec
from tasks.dataset.filters import RowFilter
from tasks.dataset.tracks import TracksSpec
from tasks.ingest.cells import Cells, Findings, gathered
from tasks.ingest.files import OpenedFile, is_list
from tasks.ingest.ids import check_float_ids
from tasks.ingest.limits import IngestLimits
from tasks.ingest.queries import column_value, null_ids, query
from tasks.ingest.records import LENGTH, RECORD, START, Rejected, read_records
from tasks.ingest.rejects import FileReport, read_raw
from tasks.ingest.scan import look_at
from tasks.lake.tombstones import NOBODY, Tombstones
from warehouse.errors import InputError
from warehouse.statements import column_name

_PLACES = (RECORD, START, LENGTH)


@dataclass(frozen=True)
class Catalogue:
    """The accepted tracks, in byte order of their ids, and what each file gave."""

    tracks: pa.Table
    """As `TracksSpec.lake_schema`, without track_key, listeners, plays and played_key."""
    reports: list[FileReport]
    findings: Findings
    filtered: int = 0
    """Rows that `where` left out."""
    merged: int = 0
    """Rows that were merged into an earlier one of the same id."""

    @property
    def ids(self) -> pa.ChunkedArray:
        """The track ids; position is track_key."""
        return self.tracks["track_id"]


def read_catalogue(
    files: Sequence[OpenedFile],
    spec: TracksSpec,
    limits: IngestLimits,
    tombstones: Tombstones = NOBODY,
) -> Catalogue:
    """Read all catalogue files and turn them into tracks.

    Bad rows that name a listener in ``tombstones`` are only counted. Raises InputError when a file
    has too many rows that must be rejected, or all have none.
    """
    reports, parts, filtered = [], [], 0
    for file in files:
        report = FileReport(file.file.name, file.file.path, tombstones=tombstones)
        rows = (
            _read_parquet(file, spec) if file.is_parquet else _read_csv(file, spec, report, limits)
        )
        rows = _with_constants(rows, file)
        report.reject(file.rejected, report.cap(limits, rows.num_rows + len(file.rejected)))
        report.records = rows.num_rows + report.unusable
        kept = _kept(rows, spec)
        filtered += rows.num_rows - kept.num_rows
        wrong = _wrong_ids(kept, spec, limits)
        report.reject(_describe(kept, wrong, file), report.cap(limits))
        parts.append(kept.filter(pa.array([not reason for reason in wrong], pa.bool_())))
        reports.append(report)
        if not parts[-1].num_rows and not spec.derived:
            report.check_reject_limit(limits)
    rows, repeated = _in_order(parts, spec)
    for report, file, part, again in zip(reports, files, parts, repeated, strict=True):
        if not spec.merge and not spec.derived:
            reason = ["track_id_repeated" if yes else "" for yes in again.tolist()]
            report.reject(_describe(part, reason, file), report.cap(limits))
        if not spec.derived:
            report.check_reject_limit(limits)
    findings = Findings()
    merged = int(sum(again.sum() for again in repeated)) if spec.merge else 0
    tracks = _typed(rows, spec, Cells(spec, findings, limits.longest_text))
    return Catalogue(tracks, [] if spec.derived else reports, findings, filtered, merged)


def _read_csv(
    file: OpenedFile, spec: TracksSpec, report: FileReport, limits: IngestLimits
) -> pa.Table:
    wanted = dict(file.positions)
    single = [wanted[name] for name in (spec.id, *map(spec.source, spec.numeric)) if name in wanted]
    lines = look_at(file.text, file.delimiter, file.dialect.quote).lines
    cap = report.cap(limits, lines)
    parts = []
    required = wanted.get(spec.id, 0) + 1
    for part in read_records(file.text, len(file.columns), file.dialect, wanted, single, required):
        parts.append(part.good)
        report.reject(part.rejected, cap)
    if not parts:
        raise InputError(f"{report.path} has a header and no rows; give a file with rows")
    return pa.concat_tables(parts)


def _read_parquet(file: OpenedFile, spec: TracksSpec) -> pa.Table:
    names = list(file.positions)
    if file.kind == "json":
        table = pq.read_table(file.text, columns=[RECORD, *names])
        return table.cast(pa.schema([(one.name, one.type) for one in table.schema]))
    check_float_ids(file, spec.id)
    table = pq.read_table(file.text, columns=names)
    columns = {name: _as_valid_text(table[name], name, file) for name in names}
    return pa.table({**columns, RECORD: np.arange(1, table.num_rows + 1)})


def _as_valid_text(column: pa.ChunkedArray, name: str, file: OpenedFile) -> pa.ChunkedArray:
    """Turn a column into strings; raises InputError where that cannot be done."""
    try:
        text = as_text(column)
        text.validate(full=True)  # Parquet's own strings may be anything
    except pa.ArrowInvalid:
        raise InputError(
            f"the column `{name}` of {file.file.path} holds bytes that are no UTF-8 text; write it "
            "as text"
        ) from None
    except pa.ArrowNotImplementedError:  # lists of lists, say
        raise InputError(
            f"{file.file.path}: column `{name}` holds {column.type}; write text or numbers"
        ) from None
    return text


def as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Turn a Parquet column into strings: whole numbers without a point, lists left as they are."""
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        column, kind = column.cast(kind.storage_type), kind.storage_type
    if is_list(kind):
        return column.combine_chunks() if pa.types.is_struct(kind.value_type) else column.cast(
            pa.list_(pa.string())
        )  # fmt: skip
    if pa.types.is_fixed_size_binary(kind) and kind.byte_width == 16:
        shown = (None if one is None else str(uuid.UUID(bytes=one)) for one in column.to_pylist())
        return pa.chunked_array([pa.array(shown, pa.string())])
    text = column.cast(pa.string())
    if pa.types.is_floating(kind):
        numbers = column.cast(pa.float64())
        whole = pc.and_(pc.equal(pc.floor(numbers), numbers), pc.less(pc.abs(numbers), 2.0**53))
        whole = pc.fill_null(whole, False)
        known = pc.if_else(whole, numbers, pa.scalar(None, pa.float64()))
        text = pc.if_else(whole, known.cast(pa.int64()).cast(pa.string()), text)
    return text


def _with_constants(rows: pa.Table, file: OpenedFile) -> pa.Table:
    for name, value in file.constants.items():
        rows = rows.append_column(name, pa.array([value] * rows.num_rows, pa.string()))
    return rows


def _kept(rows: pa.Table, spec: TracksSpec) -> pa.Table:
    """Return the rows that meet the filter."""
    if spec.where is None:
        return rows
    at = {name: column_name(name) for name in rows.column_names}
    condition = RowFilter.parse(spec.where).sql(partial(column_value, spec, at))
    with duckdb.connect() as con:
        con.execute(query("macros"))
        con.register("rows", rows)
        return con.sql(f"FROM rows WHERE {condition}").to_arrow_table()


def _wrong_ids(rows: pa.Table, spec: TracksSpec, limits: IngestLimits) -> list[str]:
    """Return why each row is rejected, "" for a good one."""
    reasons = np.full(rows.num_rows, "", object)
    ids = rows[spec.id].fill_null("")
    blank = pc.equal(pc.utf8_trim_whitespace(ids), "")
    missing = pc.or_(blank, pc.is_in(ids, value_set=pa.array(null_ids(spec))))
    reasons[_mask(pc.greater(pc.utf8_length(ids), limits.longest_text))] = "id_too_long"
    reasons[_mask(missing)] = "track_id_missing"
    if not spec.columns_in_file:
        reasons[_mask(pc.equal(ids, spec.id))] = "repeated_header"
    return [str(reason) for reason in reasons]


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
        raw = [file.dialect.restored(text) for text in read_raw(file.text, spans)]
    records = taken[RECORD].to_pylist()
    return [
        Rejected(record, reasons[position], text)
        for position, record, text in zip(at.tolist(), records, raw, strict=True)
    ]


def _in_order(
    parts: Sequence[pa.Table], spec: TracksSpec
) -> tuple[pa.Table, list[NDArray[np.bool_]]]:
    """Return the rows in byte order of their ids, and which rows of each part repeat an id.

    Of each id the first row is kept; all of them where rows are merged.
    """
    names = list(dict.fromkeys(name for part in parts for name in part.column_names))
    names = [name for name in names if name not in _PLACES]
    rows = pa.concat_tables(
        [part.select([name for name in names if name in part.column_names]) for part in parts],
        promote_options="default",
    )
    # Codes are given out at first sight, so a repeated id has one that is not new.
    codes = rows[spec.id].combine_chunks().dictionary_encode().indices.to_numpy()
    again = codes <= np.concatenate([[-1], np.maximum.accumulate(codes)[:-1]])
    kept = rows if spec.merge or spec.derived else rows.filter(pa.array(~again))
    cuts = np.cumsum([part.num_rows for part in parts])[:-1]
    return kept.take(pc.sort_indices(kept[spec.id])), list(np.split(again, cuts))


@dataclass(frozen=True)
class _Rows:
    """Rows in order of their ids, and the track that each is of."""

    table: pa.Table
    track: NDArray[np.int64]
    count: int
    """The number of tracks."""

    def column(self, name: str | None) -> pa.Array:
        """Return a column as it was read; nulls where the files lack it."""
        if name is None or name not in self.table.column_names:
            return pa.nulls(self.table.num_rows, pa.string())
        column = self.table[name]
        return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column

    def first(self, values: pa.Array) -> pa.Array:
        """Return the first known value of each track."""
        if self.count == len(values):
            return values
        known = np.flatnonzero(values.is_valid().to_numpy(zero_copy_only=False))
        at = np.full(self.count, -1, np.int64)
        at[self.track[known[::-1]]] = known[::-1]
        return values.take(pa.array(at, mask=at < 0))

    def all_of(self, *lists: pa.ListArray) -> pa.ListArray:
        """Return the values of each track in the order of its rows and of the lists."""
        if self.count == len(self.track) and len(lists) == 1:
            return lists[0]
        track = [self.track[pc.list_parent_indices(one).to_numpy()] for one in lists]
        flat = pa.concat_arrays([one.flatten() for one in lists])
        kept = pa.array(np.ones(len(flat), np.bool_))
        return gathered(np.concatenate(track).astype(np.int64), flat, self.count, kept)


def _typed(table: pa.Table, spec: TracksSpec, cells: Cells) -> pa.Table:
    """Turn the text columns into the columns of `tracks_schema` that the catalogue decides."""
    ids = table[spec.id].combine_chunks()
    new = np.ones(len(ids), np.bool_)
    new[1:] = pc.not_equal(ids[1:], ids[:-1]).to_numpy(zero_copy_only=False)
    rows = _Rows(table, np.cumsum(new) - 1, int(new.sum()))
    artists = _artists(rows, spec, cells)
    artist = _heads(artists)
    genres = _genres(rows, spec, cells)
    columns = {
        "track_id": ids.filter(pa.array(new)),
        "name": rows.first(_named(rows, spec.title, cells)),
        "artist": artist,
        "artist_key": number_distinct(artist),
        "artists": artists,
        "tags": _tags(rows, spec, genres, cells),
        "spotify_preview_url": _optional(rows, spec.preview_url, cells),
        "spotify_id": _optional(rows, spec.spotify_id, cells),
        "genre": _heads(genres),
        "year": pa.nulls(rows.count, pa.int16()),
    }
    if spec.cover_url:
        columns["cover_url"] = _optional(rows, spec.cover_url, cells)
    if spec.year_column:
        columns["year"] = rows.first(cells.year(spec.year_column, rows.column(spec.year_column)))
    if spec.released:
        days = rows.first(cells.released(spec.released, rows.column(spec.released)))
        columns["released"] = days
        if not spec.year_column:
            columns["year"] = pc.year(days).cast(pa.int16())
    for name in spec.numeric:
        if name != "year":
            columns[name] = rows.first(cells.number(name, rows.column(spec.source(name))))
    for name in spec.categorical:
        if name != "genre":
            columns[name] = rows.first(cells.label(name, rows.column(spec.source(name))))
    fields = [field for field in spec.lake_schema if field.name in columns]
    return pa.table([columns[field.name] for field in fields], schema=pa.schema(fields))


def _named(rows: _Rows, name: str | None, cells: Cells) -> pa.Array:
    return rows.column(None) if name is None else cells.name(name, rows.column(name))


def _optional(rows: _Rows, name: str | None, cells: Cells) -> pa.Array:
    column = rows.column(name)
    return rows.first(column if name is None else cells.text(name, column))


def _artists(rows: _Rows, spec: TracksSpec, cells: Cells) -> pa.ListArray:
    """Return all creators of each track."""
    lists = []
    for name in spec.creators:
        column = rows.column(name)
        if isinstance(spec.creator, ListSpec) or not pa.types.is_string(column.type):
            way, key = (spec.creator.way, spec.creator.key) if isinstance(
                spec.creator, ListSpec
            ) else ("json", None)  # fmt: skip
            lists.append(cells.lists(name, column, way, key, tokens=False))
        else:
            lists.append(_singles(cells.name(name, column)))
    if not lists:
        return pa.nulls(rows.count, pa.list_(pa.string()))
    return rows.all_of(*lists)


def _genres(rows: _Rows, spec: TracksSpec, cells: Cells) -> pa.ListArray:
    """Return all genres of each track."""
    name = spec.genre_column
    if name is None:
        return pa.nulls(rows.count, pa.list_(pa.string()))
    column = rows.column(name)
    if isinstance(spec.genre, ListSpec):
        return rows.all_of(cells.lists(name, column, spec.genre.way, spec.genre.key))
    if not pa.types.is_string(column.type):
        return rows.all_of(cells.lists(name, column, "json", None))
    return rows.all_of(_singles(cells.label("genre", column)))


def _tags(rows: _Rows, spec: TracksSpec, genres: pa.ListArray, cells: Cells) -> pa.ListArray:
    """Return the tags of each track; where a track has several genres, they are tags too."""
    tags = pa.nulls(rows.count, pa.list_(pa.string()))
    if spec.tags is not None and spec.tags.column in rows.table.column_names:
        column = rows.column(spec.tags.column)
        tags = rows.all_of(cells.lists(spec.tags.column, column, spec.tags.way, spec.tags.key))
    several = pc.fill_null(pc.greater(pc.list_value_length(genres), 1), False)
    if not pc.any(several).as_py():
        return tags
    more = pc.if_else(several, genres, pa.scalar(None, genres.type))
    tracks = _Rows(rows.table, np.arange(rows.count), rows.count)
    return tracks.all_of(tags, more)


def _singles(column: pa.Array) -> pa.ListArray:
    """Return lists of one value, null where there is none."""
    known = column.is_valid().to_numpy(zero_copy_only=False)
    offsets = np.concatenate([[0], np.cumsum(known)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), column.drop_null(), mask=pa.array(~known))


def _heads(lists: pa.ListArray) -> pa.Array:
    """Return the first value of each list."""
    if lists.null_count == len(lists):
        return pa.nulls(len(lists), pa.string())
    return pc.list_element(pc.if_else(lists.is_valid(), lists, pa.scalar([None], lists.type)), 0)


def number_distinct(column: pa.Array) -> pa.Array:
    """Number the distinct values in byte order."""
    coded = column.dictionary_encode()
    order = pc.sort_indices(coded.dictionary).to_numpy()
    rank = np.empty(len(order), np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    return pa.array(rank).take(coded.indices)
