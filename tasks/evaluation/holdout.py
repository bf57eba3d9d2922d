"""Who is held out, and how each held-out history is split: by keyed hashes of the ids.

Hashes of ids, not of keys or positions: the same listeners are held out, and the same tracks of
theirs are to be found, run after run, whatever else is added to the data.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from tasks.evaluation.parameters import EvaluationParameters

MIN_TRACKS = 2
"""One track to fold in and one to find: fewer cannot be split."""

HEAVY = 6
"""Listeners with so many folded-in tracks are heavy: they can be truncated to light ones."""

TARGETS_PER_TRACKS = 5
"""One track in five is to be found, at least one."""

Hashes = NDArray[np.uint64]


def id_hashes(ids: pa.ChunkedArray | pa.Array, seed: int) -> Hashes:
    """Hash string ids (SipHash keyed by ``seed``), one uint64 each."""
    values = np.asarray(ids.to_numpy(zero_copy_only=False), dtype=object)
    return pd.util.hash_array(values, hash_key=f"{seed:016d}", categorize=False)


def mixed(values: Hashes, stream: int = 0) -> Hashes:
    """Scramble uint64 values (the finaliser of SplitMix64, Steele et al. 2014)."""
    z = values + np.uint64((0x9E3779B97F4A7C15 * (stream + 1)) % 2**64)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(z ^ (z >> np.uint64(31)), dtype=np.uint64)


def held_out_listeners(users: pa.Table, parameters: EvaluationParameters) -> NDArray[np.int32]:
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


def targets_of(sizes: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return how many tracks of histories of these sizes are to be found."""
    half_up = (2 * sizes + TARGETS_PER_TRACKS) // (2 * TARGETS_PER_TRACKS)
    return np.asarray(np.minimum(np.maximum(half_up, 1), sizes), dtype=np.int64)


@dataclass(frozen=True)
class Split:
    """Held-out listeners with their tracks in drawing order, the ones to be found in front.

    Listener x has ``tracks[indptr[x]:indptr[x + 1]]``; the first ``targets[x]`` are to be found,
    the rest is the fold-in, and a fold-in truncated to n tracks is the first n of it.
    """

    hashes: Hashes
    indptr: NDArray[np.int64]
    tracks: NDArray[np.int32]
    targets: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        hashes: Hashes,
        listeners: NDArray[np.integer],
        tracks: NDArray[np.int32],
        track_hashes: Hashes,
    ) -> Self:
        """Split plays given as pairs (row of the listener, track key).

        The order in which a listener's tracks are drawn depends on the two ids alone.
        """
        drawn = mixed(hashes[listeners] ^ mixed(track_hashes[tracks]))
        order = np.lexsort((tracks, drawn, listeners))
        sizes = np.bincount(listeners, minlength=len(hashes))
        indptr = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        return cls(hashes, indptr, tracks[order], targets_of(sizes))

    def __len__(self) -> int:
        return len(self.hashes)

    @property
    def fold_in(self) -> NDArray[np.int64]:
        """How many tracks of each listener are folded in."""
        return np.asarray(np.diff(self.indptr) - self.targets)

    @property
    def half(self) -> NDArray[np.int8]:
        """0 or 1: what is chosen on one half is reported on the other."""
        return (mixed(self.hashes, stream=1) & np.uint64(1)).astype(np.int8)

    def drawn_lengths(self, low: int, high: int, stream: int) -> NDArray[np.int64]:
        """Draw a history length from ``low`` to ``high`` for each listener, at most the fold-in."""
        top = np.minimum(self.fold_in, high)
        choices = np.maximum(top - low + 1, 1).astype(np.uint64)
        drawn = (mixed(self.hashes, stream=2 + stream) % choices).astype(np.int64)
        return np.asarray(np.minimum(low + drawn, top))

    def histories(
        self, listeners: NDArray[np.integer], lengths: NDArray[np.integer]
    ) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Return the first ``lengths`` fold-in tracks of the listeners as CSR, ascending."""
        start = self.indptr[listeners] + self.targets[listeners]
        return self._rows(start, np.asarray(lengths, dtype=np.int64))

    def to_find(
        self, listeners: NDArray[np.integer]
    ) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Return the targets of the listeners as CSR, ascending."""
        return self._rows(self.indptr[listeners], self.targets[listeners])

    def _rows(
        self, start: NDArray[np.int64], lengths: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        row = np.repeat(np.arange(len(lengths)), lengths)
        values = self.tracks[np.arange(indptr[-1]) - indptr[row] + start[row]]
        return indptr, values[np.lexsort((values, row))]
