"""Write the synthetic ``User Listening History.csv``, block by block."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
from numpy.typing import NDArray

from tasks.sample.listening import BLOCK, Audience, block_plays
from tasks.sample.streams import stream
from tasks.sample.timeline import START, Timeline, timed_plays

SCHEMA = pa.schema(
    [
        pa.field("track_id", pa.string()),
        pa.field("user_id", pa.string()),
        pa.field("playcount", pa.int64()),
    ]
)
AT = pa.field("played_at", pa.timestamp("s", tz="UTC"))
"""One more column, where there are times."""
_HEX = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)


def write_history(
    path: Path,
    audience: Audience,
    track_ids: list[str],
    threads: int,
    timeline: Timeline | None = None,
) -> NDArray[np.int64]:
    """Write every play and return how many rows each track of the catalogue has.

    Without a timeline that is a row for each listener of the track, in random order; with one there
    are more, in the order of their times within a block of listeners.
    """
    names = _fixed_width("".join(track_ids).encode("ascii"), len(track_ids[0]))
    rows = np.zeros(len(track_ids), dtype=np.int64)
    options = pa.csv.WriteOptions(quoting_style="none", quoting_header="none")
    schema = SCHEMA.append(AT) if timeline else SCHEMA
    with pa.csv.CSVWriter(path, schema, write_options=options) as writer:
        for table, track in _blocks_in_order(audience, names, threads, timeline):
            writer.write_table(table)
            rows += np.bincount(track, minlength=len(track_ids))
    return rows


def _blocks_in_order(
    audience: Audience, names: pa.Array, threads: int, timeline: Timeline | None
) -> Iterator[tuple[pa.Table, NDArray[np.int64]]]:
    """Compute blocks on threads, a few ahead of the writer, to limit memory."""
    with ThreadPoolExecutor(threads) as pool:
        ahead: deque[Future[tuple[pa.Table, NDArray[np.int64]]]] = deque()
        for block in range(audience.blocks):
            ahead.append(pool.submit(_block_table, audience, names, block, timeline))
            if len(ahead) > 2 * threads:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def _block_table(
    audience: Audience, names: pa.Array, block: int, timeline: Timeline | None
) -> tuple[pa.Table, NDArray[np.int64]]:
    plays = block_plays(audience, block)
    users = len(audience.lengths[block * BLOCK : (block + 1) * BLOCK])
    ids = _user_ids(users, stream(audience.seed, "user ids", block))
    if timeline is None:
        columns = _columns(names, ids, plays.track, plays.user, plays.count)
        return pa.Table.from_arrays(columns, schema=SCHEMA), plays.track
    timed = timed_plays(timeline, plays, block)
    moments = _numbers(START.astype(np.int64) + timed.second).view(AT.type)
    columns = [*_columns(names, ids, timed.track, timed.user, timed.count), moments]
    return pa.Table.from_arrays(columns, schema=SCHEMA.append(AT)), timed.track


def _columns(
    names: pa.Array,
    ids: pa.Array,
    track: NDArray[np.int64],
    user: NDArray[np.int64],
    count: NDArray[np.int64],
) -> list[pa.Array]:
    return [names.take(_numbers(track)), ids.take(_numbers(user)), _numbers(count)]


def user_ids(audience: Audience) -> pa.Array:
    """Return the id of every listener, in the order of the blocks."""
    sizes = np.diff([*range(0, len(audience.lengths), BLOCK), len(audience.lengths)]).tolist()
    return pa.concat_arrays(
        [
            _user_ids(users, stream(audience.seed, "user ids", block))
            for block, users in enumerate(sizes)
        ]
    )


def _user_ids(users: int, rng: np.random.Generator) -> pa.Array:
    """Return 40 hex digits each, as the SHA-1 sums in the real file; 160 bits do not repeat."""
    return _fixed_width(_HEX[rng.integers(16, size=(users, 40))].tobytes(), 40)


# `pa.array` would do for both, but it imports pandas, which takes longer than all of `small`.
def _numbers(values: NDArray[np.int64]) -> pa.Array:
    return pa.Array.from_buffers(pa.int64(), len(values), [None, pa.py_buffer(values)])


def _fixed_width(text: bytes, width: int) -> pa.Array:
    offsets = np.arange(0, len(text) + 1, width, dtype=np.int32)
    return pa.StringArray.from_buffers(len(offsets) - 1, pa.py_buffer(offsets), pa.py_buffer(text))
