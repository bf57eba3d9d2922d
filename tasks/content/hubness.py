"""What a similarity says beyond what is common around a track.

A track in a crowd is similar to everything in it, and a history that touches the crowd adds all of
that up: hubs are then in every list. What a neighbour has to say is how much closer it is than
the track's other neighbours. So of every similarity a share θ of the target's mean is taken off,

    weight_ij = s_ij - θ · mean of s_kj over the played neighbours k of j

(localised centring, Suzuki et al. 2013, against hubs; one-sided, because a history speaks for its
targets and not the other way round). θ = 0 keeps the similarities.
"""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.lake.contracts.edges import EDGES


def centre_hubs(edges: pa.Table, played: NDArray[np.bool_], share: float) -> pa.Table:
    """Take ``share`` of each target's mean weight off its weights; nothing falls below one unit.

    ``edges`` is `EDGES` with both directions of every pair. The mean is over neighbours that can
    be in a history (``played``, a flag per track), over all where a target has none of them.
    """
    source, target = edges["source"].to_numpy(), edges["target"].to_numpy()
    weight = edges["weight"].to_numpy()
    heard = played[source] if len(source) else np.zeros(0, np.bool_)
    size = len(played)
    mean = _means(target[heard], weight[heard], size)
    nobody = np.bincount(target[heard], minlength=size) == 0
    mean[nobody] = _means(target, weight, size)[nobody]
    left = np.maximum(np.rint(weight - share * mean[target]), 1).astype(np.int16)
    return pa.table([source, target, left], schema=EDGES)


def _means(target: NDArray[np.int32], weight: NDArray[np.int16], size: int) -> NDArray[np.float64]:
    counts = np.bincount(target, minlength=size)
    return np.asarray(np.bincount(target, weight, minlength=size) / np.maximum(counts, 1))
