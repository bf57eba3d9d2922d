"""How much of the plays is the same as when a choice was made: a sketch of both, compared.

The sketch holds the smallest hashes of all pairs of listener and track. The share of them that
both have estimates what both data sets have in common, of what either has (Broder 1997).
"""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.holdout.hashing import id_hashes, mixed
from tasks.lake.dataset import Dataset

SIZE = 2_048
"""Hashes of a sketch: a share of 0.8 is known to ± 0.01."""


def sketch_of(interactions: Dataset, users: Dataset, tracks: Dataset) -> NDArray[np.int64]:
    """Return the sketch of all plays, ascending; it depends on ids alone."""
    user = mixed(id_hashes(users.read(["user_id"])["user_id"], 0))
    table = tracks.read(["track_id", "listeners"])
    played = table.filter(pa.array(table["listeners"].to_numpy() > 0))
    track = mixed(id_hashes(played["track_id"], 0), 1)
    smallest = np.empty(0, np.int64)
    for batch in interactions.batches(["user_key", "played_key"]):
        pairs = mixed(
            user[batch["user_key"].to_numpy()] ^ track[batch["played_key"].to_numpy()]
        ) >> np.uint64(1)
        found = pairs.astype(np.int64)
        if len(smallest) == SIZE:
            found = found[found < smallest[-1]]
        smallest = np.unique(np.concatenate([smallest, found]))[:SIZE]
    return smallest


def in_common(one: NDArray[np.int64], other: NDArray[np.int64]) -> float:
    """Estimate the plays in both data sets as a share of those in either."""
    either = np.union1d(one, other)[:SIZE]
    both = np.intersect1d(np.intersect1d(one, other), either)
    return len(both) / max(1, len(either))
