"""Who is held out: the listeners with the smallest hashes."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.holdout.hashing import id_hashes
from tasks.holdout.parameters import HoldoutParameters

MIN_TRACKS = 2
"""One track to fold in and one to find: fewer cannot be split."""


def held_out_listeners(users: pa.Table, parameters: HoldoutParameters) -> NDArray[np.int32]:
    """Return the user keys that are held out (int32, ascending); none with ``holdout`` 0.

    ``users`` has user_key, user_id, tracks_played. Of the listeners with at least two tracks,
    those with the smallest hashes, so that a smaller share is a subset of a larger one: the share
    of all listeners, at least ``min_listeners``, at most ``max_listeners``, never over half of all.
    """
    keys: NDArray[np.int32] = users["user_key"].to_numpy()
    if parameters.holdout == 0:
        return keys[:0]
    hashes = id_hashes(users["user_id"], parameters.seed)
    eligible = np.flatnonzero(users["tracks_played"].to_numpy() >= MIN_TRACKS)
    wanted = max(round(parameters.holdout * len(keys)), parameters.min_listeners)
    wanted = min(wanted, parameters.max_listeners, len(keys) // 2, len(eligible))
    smallest = eligible[np.argsort(hashes[eligible], kind="stable")[:wanted]]
    return np.sort(keys[smallest])
