"""Lists of an earlier release that are taken over, in the track keys of today."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tasks.lake.blocks import Block

KEY, TRACK_KEY = "earlier_key", "track_key"
"""The one column of each of the files of `EarlierListeners`."""


@dataclass(frozen=True)
class EarlierListeners:
    """Where the lists of listeners are that a model of the same content has made."""

    keys: Path
    """Parquet, a row for each listener of today: the earlier `user_key`, -1 to rank again."""
    tracks: Path
    """Parquet, a row for each track of that model: its key of today, -1 if it is gone."""
    parts: tuple[Path, ...]
    """Parts of LISTENER_LISTS, named by their blocks of earlier keys."""

    def of_block(self, block: Block) -> "KnownLists":
        """Read the earlier lists of a block of today's listeners."""
        keys = pq.read_table(self.keys)[KEY].to_numpy()[block.start : block.stop]
        known = np.flatnonzero(keys >= 0)
        wanted = keys[known]
        pieces = []
        for part in self.parts:
            there = Block.of_part(part)
            first, last = np.searchsorted(wanted, [there.start, there.stop])
            if first < last:
                rows = pq.read_table(part)
                pieces.append(rows.take(pa.array(wanted[first:last] - there.start)))
        rows = _moved(pa.concat_tables(pieces), self.tracks) if pieces else pa.table({})
        return KnownLists(known, np.flatnonzero(keys < 0), rows)


@dataclass(frozen=True)
class KnownLists:
    """The lists of a block that are known, and whose are not."""

    known: NDArray[np.int64]
    """Positions of their listeners in the block, ascending."""
    unknown: NDArray[np.int64]
    rows: pa.Table
    """LISTENER_LISTS of the known ones."""

    def joined_with(self, ranked: pa.Table) -> pa.Table:
        """Return the lists of the whole block; ``ranked`` are those of the unknown, in order."""
        order = np.argsort(np.concatenate([self.known, self.unknown]))
        joined = pa.concat_tables([self.rows.cast(ranked.schema), ranked])
        return joined.take(pa.array(order)).combine_chunks()


@dataclass(frozen=True)
class EarlierLists:
    """Lists of an earlier release, as far as they are the same."""

    listeners: EarlierListeners
    similar: tuple[Path, ...] | None
    """Parts of SIMILAR_LISTS; None: some are different."""


def _moved(rows: pa.Table, tracks: Path) -> pa.Table:
    """Return LISTENER_LISTS with the track keys of today."""
    keys = pq.read_table(tracks)[TRACK_KEY].to_numpy()
    for name in ("history", "tracks"):
        lists = rows[name].combine_chunks()
        moved = pa.array(keys[lists.flatten().to_numpy()])
        offsets = np.concatenate([[0], np.cumsum(lists.value_lengths().to_numpy())])
        column = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), moved)
        at = rows.column_names.index(name)
        rows = rows.set_column(at, rows.schema.field(at), column)
    return rows


def chosen_rows(rows: pa.Table, block: Block, chosen: NDArray[np.int64]) -> pa.Table:
    """Return the rows of some listeners of a block, numbered from 0 in the order of ``chosen``."""
    number = np.full(block.stop - block.start, -1, np.int32)
    number[chosen] = np.arange(len(chosen), dtype=np.int32)
    keys = number[rows["user_key"].to_numpy() - block.start]
    at = rows.column_names.index("user_key")
    return rows.set_column(at, "user_key", pa.array(keys)).filter(pa.array(keys >= 0))
