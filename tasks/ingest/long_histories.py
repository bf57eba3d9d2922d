"""Listeners whose history is longer than a list can be made of: set aside, counted, named."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.ingest.history import Plays

LONGEST_HISTORY = 32_767
"""Different tracks of one listener: what ranking can add up (tasks.blend.kernels.sums). The longest
real history in the Kaggle file has 784; one like this is a shop's loudspeaker or a robot."""

SCHEMA = pa.schema([("user_id", pa.string()), ("tracks", pa.int64()), ("records", pa.int64())])


def set_long_aside(plays: Plays, longest: int = LONGEST_HISTORY) -> tuple[Plays, pa.Table]:
    """Return the plays without listeners of more than ``longest`` different tracks, and those.

    The table has the `SCHEMA`: the listener, the different tracks, and the play records.
    """
    user: NDArray[np.int32] = plays.rows["user_code"].to_numpy()
    records = np.bincount(user, minlength=len(plays.user_ids))
    suspects = np.flatnonzero(records > longest)
    tracks = np.array([_distinct(plays, user, int(one)) for one in suspects], dtype=np.int64)
    long = suspects[tracks > longest]
    aside = pa.table(
        [
            plays.user_ids.take(pa.array(long)).cast(pa.string()),
            tracks[tracks > longest],
            records[long].astype(np.int64),
        ],
        schema=SCHEMA,
    )
    if not len(long):
        return plays, aside
    return replace(plays, rows=plays.rows.filter(pa.array(~np.isin(user, long)))), aside


def _distinct(plays: Plays, user: NDArray[np.int32], one: int) -> int:
    """Count a listener's different tracks; rows are sorted by listener and track."""
    start, stop = np.searchsorted(user, [one, one + 1])
    track = plays.rows["track_key"].slice(start, stop - start).to_numpy()
    return 1 + int(np.count_nonzero(track[1:] != track[:-1]))
