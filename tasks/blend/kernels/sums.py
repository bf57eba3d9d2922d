"""What a history says of every track: sums of neighbour weights, gathered into short arrays.

Tracks are numbered by popularity in here (`tasks.blend.kernels.kernel_layout`).
"""

from typing import NamedTuple

import numba as nb
import numpy as np
from numpy.typing import NDArray

from tasks.blend.kernels.kernel_layout import PackedEdges

LONGEST_HISTORY = 32_767
"""Strength of a history at most, and so its tracks: both sums of a track share 64 bits, reasons are
int16."""

HEARD = np.int64(np.iinfo(np.int64).min)
"""In place of a sum: the track is in the history."""


class Candidates(NamedTuple):
    """What a history touched; every array has one place to spare."""

    tracks: NDArray[np.uint32]
    collaborative: NDArray[np.int32]
    """Sums of collaborative weights."""
    content: NDArray[np.int32]
    """Sums of content weights."""
    popularity: NDArray[np.float64]


class Gathered(NamedTuple):
    """What `gather` found of one history."""

    found: np.int64
    """Number of candidates."""
    c_max: np.int64
    """C⁺, the largest collaborative sum; 0: there is none."""
    d_max: np.int64
    """D⁺, the largest content sum; 0: there is none."""


@nb.njit(cache=True, nogil=True)
def new_candidates(tracks: int) -> Candidates:
    """Return workspace for the candidates of any history."""
    return Candidates(
        np.empty(tracks + 1, np.uint32),
        np.empty(tracks + 1, np.int32),
        np.empty(tracks + 1, np.int32),
        np.empty(tracks + 1, np.float64),
    )


@nb.njit(cache=True, nogil=True)
def accumulate(
    history: NDArray[np.int32],
    strengths: NDArray[np.uint8],
    popular: int,
    neighbours: PackedEdges,
    sums: NDArray[np.int64],
    touched: NDArray[np.uint32],
) -> np.int64:
    """Sum the neighbour weights of the history; return how many tracks were touched.

    Each track counts as often as its strength says; without ``strengths`` all count once.
    A sum is 2³² times the collaborative sum plus twice the content sum, and odd once touched.
    The ``popular`` most played tracks count as touched. No branch depends on the data, and
    positions are unsigned, which spares the machine a look for negative ones. Tracks of the
    history are left `HEARD`.
    """
    indptr, targets, weights = neighbours.indptr, neighbours.targets, neighbours.weights
    count = np.uint64(0)
    for x in range(len(history)):
        i = history[x]
        strength = np.int64(strengths[x]) if len(strengths) else np.int64(1)
        to, by = targets[indptr[i] : indptr[i + 1]], weights[indptr[i] : indptr[i + 1]]
        for e in range(len(to)):
            content = np.int16(by[e])
            collaborative = (np.int64(by[e]) - content) >> 16
            before = sums[to[e]]
            touched[count] = to[e]
            count += np.uint64(before == 0)
            both = (collaborative << 32) + (np.int64(content) << 1)
            sums[to[e]] = (before + strength * both) | 1
    for i in history:
        sums[i] = HEARD
    for j in range(popular):
        touched[count] = j
        count += np.uint64(sums[j] == 0)
    return np.int64(count)


@nb.njit(cache=True, nogil=True)
def gather(
    touched: NDArray[np.uint32],
    history: NDArray[np.int32],
    sums: NDArray[np.int64],
    popularity: NDArray[np.float64],
    candidates: Candidates,
) -> Gathered:
    """Move the sums of all touched tracks outside the history to ``candidates``.

    Unplayed tracks have no use for a collaborative sum: their score is estimated.
    """
    tracks, popularities = candidates.tracks, candidates.popularity
    c_sums, d_sums = candidates.collaborative, candidates.content
    found, c_max, d_max = np.uint64(0), np.int64(0), np.int32(0)
    for j in touched:
        both = sums[j]
        sums[j] = 0
        low = np.int32(both & 0xFFFFFFFF)
        d = low >> 1
        c = (both - low) >> 32
        tracks[found] = j
        c_sums[found] = c if popularity[j] > 0.0 else 0
        d_sums[found] = d
        popularities[found] = popularity[j]
        if both != HEARD:
            found += np.uint64(1)
            c_max = max(c_max, c)
            d_max = max(d_max, d)
    for i in history:
        sums[i] = 0
    return Gathered(np.int64(found), c_max, np.int64(d_max))


@nb.njit(cache=True, nogil=True)
def leave_out(
    tracks: NDArray[np.int32],
    found: np.int64,
    candidates: Candidates,
    marked: NDArray[np.bool_],
) -> np.int64:
    """Drop tracks from the ``found`` candidates; return how many are left.

    ``marked`` holds False for every track and does so again afterwards.
    """
    if len(tracks) == 0:
        return found
    numbers, popularities = candidates.tracks, candidates.popularity
    c_sums, d_sums = candidates.collaborative, candidates.content
    for j in tracks:
        marked[j] = True
    left = np.int64(0)
    for x in range(found):
        numbers[left], popularities[left] = numbers[x], popularities[x]
        c_sums[left], d_sums[left] = c_sums[x], d_sums[x]
        left += not marked[numbers[x]]
    for j in tracks:
        marked[j] = False
    return left
