"""How much each track of a history counts: less, the longer ago it was played first.

A strength is a small whole number, so sums stay exact. It follows from the listener's own plays
alone: the age of a play is counted from the listener's newest one. The age is that of the *first*
play, because that is what a model of the past can know (docs/scoring.md).
"""

import numpy as np
from numpy.typing import NDArray

from tasks.blend.kernels.sums import LONGEST_HISTORY

STRONGEST = 8
"""Strength of the newest track of a history; an eighth of it is the least there is."""


def strengths(
    indptr: NDArray[np.int64], days: NDArray[np.integer], half_life: NDArray[np.integer] | int
) -> NDArray[np.uint8]:
    """Return the strength of every track of CSR histories.

    ``days`` has the day of each track's first play, negative where it is not known: such a track
    counts as the newest. ``half_life`` is in days, for all or for each history; with 0 all its
    tracks count 1. A history too long for `STRONGEST` has strengths up to what `LONGEST_HISTORY`
    leaves room for, so that the sums fit: 1 beyond half of it.
    """
    lengths = np.diff(indptr)
    row = np.repeat(np.arange(len(lengths)), lengths)
    newest = np.full(len(lengths), -1, np.int64)
    np.maximum.at(newest, row, days)
    age = np.where(days < 0, 0, newest[row] - days)
    most = np.minimum(STRONGEST, LONGEST_HISTORY // np.maximum(lengths, 1))
    half_life = np.broadcast_to(np.asarray(half_life), lengths.shape)
    most = np.where(half_life > 0, most, 1)
    halvings = age / np.maximum(half_life, 1)[row]
    faded = np.floor(most[row] * np.exp2(-halvings) + 0.5)
    return np.asarray(np.maximum(1, faded), np.uint8)
