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

SCHEMA = pa.schema(
    [
        pa.field("track_id", pa.string()),
        pa.field("user_id", pa.string()),
        pa.field("playcount", pa.int64()),
    ]
)
_HEX = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)


def write_history(
    path: Path, audience: Audience, track_ids: list[str], threads: int
) -> NDArray[np.int64]:
    """Write every play and return how many listeners each track of the catalogue has."""
    names = _fixed_width("".join(track_ids).encode("ascii"), len(track_ids[0]))
    listeners = np.zeros(len(track_ids), dtype=np.int64)
    options = pa.csv.WriteOptions(quoting_style="none", quoting_header="none")
    with pa.csv.CSVWriter(path, SCHEMA, write_options=options) as writer:
        for table, track in _blocks_in_order(audience, names, threads):
            writer.write_table(table)
            listeners += np.bincount(track, minlength=len(track_ids))
    return listeners


def _blocks_in_order(
    audience: Audience, names: pa.Array, threads: int
) -> Iterator[tuple[pa.Table, NDArray[np.int64]]]:
    """Compute blocks on threads, a few ahead of the writer, to limit memory."""
    with ThreadPoolExecutor(threads) as pool:
        ahead: deque[Future[tuple[pa.Table, NDArray[np.int64]]]] = deque()
        for block in range(audience.blocks):
            ahead.append(pool.submit(_block_table, audience, names, block))
            if len(ahead) > 2 * threads:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def _block_table(
    audience: Audience, names: pa.Array, block: int
) -> tuple[pa.Table, NDArray[np.int64]]:
    plays = block_plays(audience, block)
    users = len(audience.lengths[block * BLOCK : (block + 1) * BLOCK])
    ids = _user_ids(users, stream(audience.seed, "user ids", block))
    columns = [
        names.take(_numbers(plays.track)),
        ids.take(_numbers(plays.user)),
        _numbers(plays.count),
    ]
    return pa.Table.from_arrays(columns, schema=SCHEMA), plays.track


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
