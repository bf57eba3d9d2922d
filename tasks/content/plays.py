"""Who played what, as the matrix that content learns from."""

import numpy as np
import pyarrow as pa
from scipy import sparse

from tasks.lake.dataset import Dataset
from tasks.lake.plays import add_by_listener, kept_plays, listeners_in


def read_plays(
    interactions: Dataset, held_out: Dataset | None, catalogue: pa.Table
) -> sparse.csr_array:
    """Return who played what (listeners × track keys, presence), without the held out."""
    # Row i of the catalogue has key i; played keys count its rows that have one.
    track_of = np.flatnonzero(catalogue["played_key"].is_valid().to_numpy()).astype(np.int32)
    tracks = np.empty(interactions.rows, np.int32)
    history = np.zeros(listeners_in(interactions), np.int64)  # tracks by listener
    filled = 0
    for users, played in kept_plays(interactions, held_out):
        add_by_listener(history, users)
        tracks[filled : filled + len(played)] = track_of[played]
        filled += len(played)
    starts = np.concatenate([[0], np.cumsum(history)])
    ones = np.ones(filled, np.int8)
    return sparse.csr_array((ones, tracks[:filled], starts), (len(history), catalogue.num_rows))
