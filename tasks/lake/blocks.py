"""Work in blocks on a Dask cluster: balanced by cost, one part file each, resumable.

A block is a range of rows (tracks or listeners). Its function reads what it needs from the
lake's files and writes one Parquet part, so a lost worker costs its blocks and nothing else, and
a killed run goes on with the parts it lacks.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from distributed import CancelledError, Client, KilledWorker, as_completed
from numpy.typing import NDArray

from tasks.lake.files import write_parquet
from warehouse.errors import ClusterError, RunError

Progress = Callable[[int, int], None]
"""Called with the number of finished and of all blocks."""


@dataclass(frozen=True)
class Block:
    """Rows ``start`` up to, not including, ``stop``."""

    start: int
    stop: int

    @property
    def part(self) -> str:
        """The name of the block's part file; sorts as the rows do."""
        return f"part-{self.start:010d}-{self.stop:010d}.parquet"

    @classmethod
    def of_part(cls, part: Path) -> "Block":
        """Return the block that a part file is named for."""
        _, start, stop = part.stem.split("-")
        return cls(int(start), int(stop))


def balanced_blocks(cost: NDArray[np.floating], blocks: int) -> list[Block]:
    """Cut ``len(cost)`` rows into at most ``blocks`` ranges of about equal total cost."""
    rows = len(cost)
    if rows == 0:
        return []
    total = np.cumsum(np.asarray(cost, dtype=np.float64) + 1e-9)
    shares = total[-1] * np.arange(1, blocks) / blocks
    cuts = np.unique(np.concatenate([[0], np.searchsorted(total, shares) + 1, [rows]]))
    cuts = cuts[cuts <= rows]
    return [Block(int(start), int(stop)) for start, stop in pairwise(cuts)]


def run_blocks(
    client: Client,
    compute: Callable[..., pa.Table],
    blocks: Sequence[Block],
    folder: Path,
    *arguments: Any,
    progress: Progress | None = None,
) -> list[Path]:
    """Run ``compute(block, *arguments)`` for every block that has no whole part file yet.

    Arguments must be small (paths, parameters): data goes through the lake. Parts go to ``folder``,
    which is made if it is not there; returns them in row order. Raises RunError when a block fails,
    ClusterError when the cluster does; finished parts stay for the next run.
    """
    folder.mkdir(exist_ok=True)
    parts = [folder / block.part for block in blocks]
    missing = [
        (block, part) for block, part in zip(blocks, parts, strict=True) if not _is_whole(part)
    ]
    done = len(blocks) - len(missing)
    if progress:
        progress(done, len(blocks))
    if not missing:
        return parts  # no cluster is asked
    run = uuid4().hex  # no other run's task, nor this folder's last try, is taken for ours
    futures = [
        client.submit(
            _compute_part,
            compute,
            block,
            part,
            arguments,
            pure=False,
            key=f"{compute.__name__}-{run}-{block.start}",
        )
        for block, part in missing
    ]
    try:
        for future in as_completed(futures, loop=client.loop):  # ours, whichever else is open
            future.result()
            done += 1
            if progress:
                progress(done, len(blocks))
    except Exception as error:
        client.cancel(futures)
        lost = isinstance(error, KilledWorker | CancelledError | OSError)
        kind = ClusterError if lost else RunError
        raise kind(
            f"a block ({compute.__name__}) failed on the Dask cluster ({error}); "
            "finished blocks are kept, run again to go on"
        ) from error
    return parts


def _compute_part(
    compute: Callable[..., pa.Table], block: Block, part: Path, arguments: tuple[Any, ...]
) -> None:
    write_parquet(compute(block, *arguments), part)


def _is_whole(part: Path) -> bool:
    """Parts appear by rename, so a present one is complete; its footer guards against damage."""
    if not part.is_file():
        return False
    try:
        pq.read_metadata(part)
    except (pa.ArrowInvalid, OSError):
        part.unlink()
        return False
    return True
