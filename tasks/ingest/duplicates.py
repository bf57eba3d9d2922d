"""The same song under several ids: one track of the catalogue, the one with most plays."""

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tasks.dataset.tracks import TracksSpec
from tasks.ingest.catalogue import Catalogue, number_distinct
from tasks.ingest.history import Plays
from tasks.lake.contracts.stages.ingest import MERGED_TRACKS

_COLUMNS = {"title": "name", "creator": "artist"}


@dataclass(frozen=True)
class Deduplicated:
    """Catalogue and plays in which each song is one track."""

    catalogue: Catalogue
    plays: Plays
    merged: pa.Table
    """`MERGED_TRACKS`."""


def merge_duplicates(catalogue: Catalogue, plays: Plays, spec: TracksSpec) -> Deduplicated:
    """Make tracks that agree in `tracks.duplicates` one, with the plays of all of them.

    Upper and lower case and spaces make no difference; tracks that lack one of the values stay.
    """
    kept_key = _representatives(catalogue.tracks, plays.rows, spec)
    here = np.arange(len(kept_key))
    is_kept = kept_key == here
    ids = catalogue.ids.combine_chunks()
    gone = np.flatnonzero(~is_kept)
    merged = pa.table([ids.take(gone), ids.take(kept_key[gone])], schema=MERGED_TRACKS.schema)
    if not len(gone):
        return Deduplicated(catalogue, plays, merged)
    tracks = catalogue.tracks.filter(pa.array(is_kept))
    artist_key = number_distinct(tracks["artist"].combine_chunks())
    at = tracks.column_names.index("artist_key")
    tracks = tracks.set_column(at, tracks.schema.field(at), artist_key)
    new_key = (np.cumsum(is_kept) - 1).astype(np.int32)[kept_key]
    track = new_key[plays.rows["track_key"].to_numpy()]
    order = np.lexsort((track, plays.rows["user_code"].to_numpy()))
    columns = {name: plays.rows[name].to_numpy() for name in plays.rows.column_names}
    columns["track_key"] = track
    rows = pa.table({name: column[order] for name, column in columns.items()})
    return Deduplicated(replace(catalogue, tracks=tracks), replace(plays, rows=rows), merged)


def _representatives(tracks: pa.Table, rows: pa.Table, spec: TracksSpec) -> NDArray[np.int64]:
    """Return for each track the key of the one that it is merged into, mostly itself."""
    here = np.arange(tracks.num_rows)
    if not spec.duplicates:
        return here
    parts = [_normalised(tracks[_COLUMNS[name]].combine_chunks()) for name in spec.duplicates]
    song = pc.binary_join_element_wise(*parts, "\0")
    total = np.bincount(
        rows["track_key"].to_numpy(), weights=rows["plays"].to_numpy(), minlength=len(here)
    )
    code = song.dictionary_encode().indices.fill_null(-1).to_numpy().astype(np.int64)
    unknown = code < 0
    code[unknown] = len(here) + here[unknown]
    order = np.lexsort((here, -total, code))
    first = np.ones(len(here), np.bool_)
    first[1:] = code[order][1:] != code[order][:-1]
    best = order[first][np.cumsum(first) - 1]
    kept = np.empty(len(here), np.int64)
    kept[order] = best
    return kept


def _normalised(column: pa.Array) -> pa.Array:
    text = pc.utf8_normalize(column, form="NFKC")
    text = pc.replace_substring_regex(pc.utf8_lower(text), r"\s+", " ")
    return pc.utf8_trim_whitespace(text)
