"""Tracks that no longer say the same about what to hear next: whoever played one is ranked again.

A list depends on the listener's history, on the edges that leave its tracks, on the popular tracks
and on who made what. A new track changes the edges of the tracks that it is near to, and those of
no other.
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.lake.dataset import Dataset
from tasks.refresh.moves import Moves


class Ranked(NamedTuple):
    """What lists are made from, in the keys of one catalogue."""

    catalogue: Dataset
    edges: tuple[Dataset, ...]
    """EDGES of each kind, sorted by source."""


class Same(NamedTuple):
    """What two catalogues have in common."""

    is_touched: NDArray[np.bool_]
    """Whether the edges of each track of today differ from those of before."""
    popular: int
    """How many of the first tracks by listeners are the same, in the same order."""
    listened: int
    """How many tracks have listeners, in the catalogue that has more of them."""


def compare(before: Ranked, now: Ranked, moves: Moves) -> Same:
    """Compare what lists were made from; ``moves`` leads from the catalogue before to today's."""
    is_touched = np.zeros(len(moves.earlier), np.bool_)
    for old, new in zip(before.edges, now.edges, strict=True):
        if not (moves.are_none and old.digest == new.digest):
            is_touched |= _touched(old.read(), new.read(), moves.keys, len(is_touched))
    catalogues = before.catalogue.read(), now.catalogue.read()
    listened = max(int(np.count_nonzero(one["popularity"].to_numpy())) for one in catalogues)
    return Same(is_touched, _same_popular(*catalogues, moves), listened)


def _same_popular(before: pa.Table, now: pa.Table, moves: Moves) -> int:
    """Return how many of the first tracks by listeners are the same; 0 if popularity is not."""
    known = moves.earlier >= 0
    popularity = before["popularity"].to_numpy()[moves.earlier[known]]
    if not np.array_equal(popularity, now["popularity"].to_numpy()[known]):
        return 0
    first = moves.keys[np.argsort(before["listener_rank"].to_numpy())]
    first_now = np.argsort(now["listener_rank"].to_numpy())
    size = min(len(first), len(first_now))
    differs = np.flatnonzero(first[:size] != first_now[:size])
    return int(differs[0]) if len(differs) else size


def _touched(
    before: pa.Table, now: pa.Table, keys: NDArray[np.int32], tracks: int
) -> NDArray[np.bool_]:
    """Tell which sources have other targets or weights than before."""
    source, target = (keys[before[name].to_numpy()] for name in ("source", "target"))
    stayed = source >= 0
    source, target, weight = source[stayed], target[stayed], before["weight"].to_numpy()[stayed]
    new_source = now["source"].to_numpy()
    as_many = np.bincount(source, minlength=tracks) == np.bincount(new_source, minlength=tracks)
    # of sources with as many edges as before, both tables have the same rows at the same places
    old, new = as_many[source], as_many[new_source]
    differs = target[old] != now["target"].to_numpy()[new]
    differs |= weight[old] != now["weight"].to_numpy()[new]
    touched = ~as_many
    touched[source[old][differs]] = True
    return np.asarray(touched)
