"""A history to which files were added: only those are read, and added to an earlier ingest.

The tables of an earlier ingest say of the files that it has read what each listener played of each
track, and what was set aside of each file. Where single rows decide (dislikes, duplicates, a
catalogue made from the history), where the catalogue has lost a track that was played or has got
one whose plays were unknown, and where anything but the files has changed, everything is read
again. The result is the same in either case.
"""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tasks.dataset.spec import DatasetSpec
from tasks.ingest.history import Plays
from tasks.ingest.inputs import Inputs
from tasks.ingest.long_histories import LONGEST_HISTORY
from tasks.ingest.recognise import InputFile
from tasks.ingest.sources import CATALOGUE, HISTORY, digests_of, reports_of
from tasks.ingest.times import NO_TIME, times_of
from tasks.lake.contracts.stages.ingest import TIMES, UNKNOWN_TRACKS
from tasks.lake.record import StageResult

Named = list[tuple[str, str]]
"""Files by name, with their digests."""

Columns = dict[str, NDArray[Any]]
"""Rows of a history by the names of their columns."""


@dataclass(frozen=True)
class Additions:
    """An earlier ingest, and the files of the history that it has not read."""

    earlier: StageResult
    files: list[InputFile]
    known: list[InputFile]
    """Those that it has read."""


def find_additions(
    earlier: StageResult,
    spec: DatasetSpec,
    inputs: Inputs,
    digests: dict[str, str],
    latest: int,
    key_of: Callable[[list[Named]], str],
) -> Additions | None:
    """Return what was added to the files of an earlier ingest; None: other things have changed too.

    ``key_of`` returns the key that an ingest of some files (catalogue, history) has today, so that
    settings and code are compared as well. ``latest`` is the second from which plays are of the
    future.
    """
    if "sources" not in earlier.datasets:
        return None
    if spec.tracks.derived or spec.tracks.duplicates or spec.plays.dislikes:
        return None  # they look at single rows of the history
    if earlier.counts["long_histories"]:
        return None  # whose plays are not in the tables
    if 0 < int(earlier.counts.get("next_future_play", 0)) <= latest:
        return None  # what was set aside is of the past by now
    sources = earlier["sources"].read()
    then = [digests_of(sources, kind) for kind in (CATALOGUE, HISTORY)]
    if key_of([sorted(one.items()) for one in then]) != earlier.key:
        return None
    before = then[1]
    files = [file for file in inputs.plays if file.name not in before]
    known = [file for file in inputs.plays if file.name in before]
    if {file.name: digests[file.name] for file in known} != before:
        return None
    contents = [digests[file.name] for file in inputs.plays if not file.is_empty]
    if len(set(contents)) < len(contents):
        return None  # two files of the same content: reading everything says so
    return Additions(earlier, files, known)


def with_earlier(additions: Additions, ids: pa.ChunkedArray, new: Plays) -> Plays | None:
    """Return the plays of the whole history; ``ids`` are the catalogue's, ``new`` the added plays.

    None if that cannot be known without reading everything.
    """
    earlier = additions.earlier
    track = _keys_of_played(earlier, ids)
    unknown = earlier["unknown_tracks"].read()
    if track is None or pc.any(pc.is_in(unknown["track_id"], value_set=ids)).as_py():
        return None
    people = _union(earlier["users"].read(["user_id"])["user_id"], new.user_ids)
    rows = _merged(
        _earlier_rows(earlier, people.before, track), _as_sums(new, people.new), len(ids)
    )
    if np.bincount(rows["user_code"].to_numpy()).max(initial=0) > LONGEST_HISTORY:
        return None
    counts = {name: int(count) for name, count in earlier.counts.items()}
    futures = [one for one in (counts.get("next_future_play", 0), new.next_future) if one]
    reports = [*reports_of(earlier, additions.known), *new.reports]
    return Plays(
        rows,
        people.ids,
        _summed(pa.concat_tables([unknown, new.unknown.cast(unknown.schema)])),
        sorted(reports, key=lambda report: report.name),
        counts["filtered_plays"] + new.filtered,
        counts["fractional_counts"] + new.fractions,
        counts.get("untimed_plays", 0) + new.untimed,
        min(futures, default=0),
        counts.get("forgotten_plays", 0) + new.forgotten,
        counts["merged_duplicates"],
    )


def no_plays(timed: bool) -> Plays:
    """Return the plays of a history without files."""
    columns = {"user_code": pa.int32(), "track_key": pa.int32(), "plays": pa.int32()}
    columns |= {"played_at": pa.uint32()} if timed else {}
    ids = pa.chunked_array([pa.array([], pa.string())])
    return Plays(pa.schema(columns).empty_table(), ids, UNKNOWN_TRACKS.schema.empty_table())


class _People(NamedTuple):
    """All listeners, and the codes that those of before and the new ones have among them."""

    ids: pa.ChunkedArray
    before: NDArray[np.int32]
    new: NDArray[np.int32]


def _union(before: pa.ChunkedArray, new: pa.ChunkedArray) -> _People:
    """Join two lists of ids that are in byte order, in that order."""
    before, new = before.combine_chunks(), new.combine_chunks()
    found = pc.index_in(new, value_set=before)
    is_fresh = found.is_null().to_numpy(zero_copy_only=False)
    fresh = new.filter(pa.array(is_fresh))
    # Python compares code points, whose order is that of the bytes of UTF-8
    places = np.array(
        [bisect_left(before, one, key=lambda x: x.as_py()) for one in fresh.to_pylist()], np.int64
    )
    codes = np.arange(len(before), dtype=np.int32)
    codes += np.searchsorted(places, codes, side="right").astype(np.int32)
    fresh_codes = (places + np.arange(len(fresh))).astype(np.int32)
    order = np.empty(len(before) + len(fresh), np.int64)
    order[codes] = np.arange(len(before))
    order[fresh_codes] = len(before) + np.arange(len(fresh))
    code_of_new = np.empty(len(new), np.int32)
    code_of_new[is_fresh] = fresh_codes
    code_of_new[~is_fresh] = codes[found.drop_null().to_numpy()]
    ids = pa.concat_arrays([before, fresh]).take(pa.array(order))
    return _People(pa.chunked_array([ids]), codes, code_of_new)


def _keys_of_played(earlier: StageResult, ids: pa.ChunkedArray) -> NDArray[np.int32] | None:
    """Return today's key of each track that had listeners; None if one of them is gone."""
    tracks = earlier["tracks"].read(["track_id", "played_key"])
    played = tracks.filter(tracks["played_key"].is_valid())
    keys = pc.index_in(played["track_id"], value_set=ids.combine_chunks())
    return None if keys.null_count else keys.to_numpy()


def _earlier_rows(
    earlier: StageResult, code: NDArray[np.int32], track: NDArray[np.int32]
) -> Columns:
    rows = earlier["interactions"].read()
    columns: Columns = {
        "user_code": code[rows["user_key"].to_numpy()],
        "track_key": track[rows["played_key"].to_numpy()],
        "plays": rows["plays"].to_numpy(),
    }
    if "records" in rows.column_names:
        columns |= {name: rows[name].fill_null(NO_TIME).to_numpy() for name in TIMES}
    return columns


def _as_sums(new: Plays, code: NDArray[np.int32]) -> Columns:
    """Return the added rows, each as the sum of itself, sorted by listener and track."""
    rows = new.rows
    columns: Columns = {
        "user_code": code[rows["user_code"].to_numpy()],
        "track_key": rows["track_key"].to_numpy(),
        "plays": rows["plays"].to_numpy(),
    }
    if (times := times_of(rows)) is not None:
        columns |= dict(zip(TIMES, times, strict=True))
    return columns


def _merged(before: Columns, new: Columns, tracks: int) -> pa.Table:
    """Put the new rows in their places among those of before; both are sorted.

    ``tracks`` is the size of the catalogue.
    """
    pairs, new_pairs = (
        columns["user_code"].astype(np.int64) * tracks + columns["track_key"]
        for columns in (before, new)
    )
    places = np.searchsorted(pairs, new_pairs, side="right")
    return pa.table({name: np.insert(before[name], places, new[name]) for name in before})


def _summed(unknown: pa.Table) -> pa.Table:
    """Add up the records of each unknown track; most first, then by id."""
    summed = unknown.group_by("track_id").aggregate([("records", "sum")])
    summed = summed.rename_columns({"records_sum": "records"}).select(["track_id", "records"])
    return summed.sort_by([("records", "descending"), ("track_id", "ascending")])
