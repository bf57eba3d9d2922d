"""Who is held out, and how each held-out history is split: by keyed hashes of the ids.

Hashes of ids, not of keys or positions: the same listeners are held out, and the same tracks of
theirs are to be found, run after run, whatever else is added to the data.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tasks.holdout.hashing import Hashes, mixed

HEAVY = 6
"""Listeners with this many folded-in tracks are heavy: they can be truncated to light ones."""

TARGETS_PER_TRACKS = 5
"""One track in five is to be found, at least one."""


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
    days: NDArray[np.int32] | None = None
    """Day of the first play of each of ``tracks``; None: it is not known."""

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
        indptr, places = self._history_places(listeners, lengths)
        return indptr, self.tracks[places]

    def history_days(
        self, listeners: NDArray[np.integer], lengths: NDArray[np.integer]
    ) -> NDArray[np.int32] | None:
        """Return the day of the first play of every track of `histories`, where it is known."""
        if self.days is None:
            return None
        return self.days[self._history_places(listeners, lengths)[1]]

    def to_find(
        self, listeners: NDArray[np.integer]
    ) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Return the targets of the listeners as CSR, ascending."""
        indptr, places = self._places(self.indptr[listeners], self.targets[listeners])
        return indptr, self.tracks[places]

    def _history_places(
        self, listeners: NDArray[np.integer], lengths: NDArray[np.integer]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        start = self.indptr[listeners] + self.targets[listeners]
        return self._places(start, np.asarray(lengths, dtype=np.int64))

    def _places(
        self, start: NDArray[np.int64], lengths: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return where the tracks of rows stand, ascending by track within each row: CSR."""
        indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        row = np.repeat(np.arange(len(lengths)), lengths)
        places = np.arange(indptr[-1]) - indptr[row] + start[row]
        return indptr, places[np.lexsort((self.tracks[places], row))]
