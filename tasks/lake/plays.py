"""Who played what, read from the lake piece by piece: never all of it at once."""

from collections.abc import Iterator

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tasks.lake.dataset import Dataset
from tasks.lake.record import StageResult


def played_tracks(ingested: StageResult) -> int:
    """Return the number of tracks that have listeners: the width of the played_key space."""
    return int(ingested.counts["tracks"]) - int(ingested.counts["unplayed_tracks"])


def kept_plays(
    interactions: Dataset, held_out: Dataset | None
) -> Iterator[tuple[NDArray[np.int32], NDArray[np.int32]]]:
    """Read listeners and tracks of all plays but those held out, piece by piece, in order."""
    keys = np.empty(0, np.int32)
    if held_out is not None:
        keys = held_out.read(["user_key"])["user_key"].to_numpy()
    for users, tracks, are_theirs in _pieces(interactions, keys):
        kept = ~are_theirs
        yield users[kept], tracks[kept]


def plays_of(
    interactions: Dataset, listeners: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return listeners and tracks of all plays of some listeners, in order."""
    pieces = [
        (users[are_theirs], tracks[are_theirs])
        for users, tracks, are_theirs in _pieces(interactions, listeners)
    ]
    users, tracks = zip(*pieces, strict=True)
    return np.concatenate(users), np.concatenate(tracks)


def _pieces(
    interactions: Dataset, listeners: NDArray[np.int32]
) -> Iterator[tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.bool_]]]:
    """Read listeners and tracks of all plays in order, and which are by the given listeners."""
    chosen = np.append(np.bincount(listeners) > 0, False)  # the last stands for all beyond
    for batch in interactions.batches(["user_key", "played_key"]):
        users, tracks = batch["user_key"].to_numpy(), batch["played_key"].to_numpy()
        yield users, tracks, chosen[np.minimum(users, len(chosen) - 1)]


def listeners_in(interactions: Dataset) -> int:
    """Return how many listeners the file numbers, held out or not; it is sorted by them."""
    with pq.ParquetFile(interactions.path) as file:
        if not interactions.rows:
            return 0
        last = file.read_row_group(file.num_row_groups - 1, ["user_key"])["user_key"]
    return int(last[-1].as_py()) + 1


def add_by_listener(
    totals: NDArray[np.number],
    users: NDArray[np.int32],
    weights: NDArray[np.number] | None = None,
) -> None:
    """Add to each listener's total its plays in a piece, or their ``weights``, in place."""
    if len(users):  # sorted
        totals[users[0] : users[-1] + 1] += np.bincount(users - users[0], weights)
