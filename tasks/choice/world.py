"""What settings are measured on: plays to learn from, and listeners with plays to be found.

Two kinds of listeners are asked. Of known ones, a fifth of the plays is hidden and the others are
learned from, as with those whom a release serves. New ones are left out of training whole, and
four fifths of their plays are shown.

Ranks may be estimated from a sample of targets: each is drawn with a probability of its own, by
which it counts less (Horvitz & Thompson 1952). With all targets the metrics are exact.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from tasks.collaborative.interactions import Interactions

Values = NDArray[np.float64]

METRICS = ("recall@20", "ndcg@100")

LIGHTEST = 5
"""Fewest tracks of a listener to measure on."""

FEWEST = 200
"""Fewest such listeners: with fewer, chance decides."""

MOST_KNOWN, MOST_NEW = 1_000, 500
"""Most listeners of each kind; at most half of the listeners are known ones, a fifth new ones."""

HIDDEN = 0.2
"""Share of a listener's plays that is to be found."""

ROWS = 256
"""Listeners ranked at a time: their scores of all targets are dense."""

RECALL, NDCG = 20, 100


class Targets(NamedTuple):
    """Tracks that are scored, and what each stands for: itself and others like it."""

    tracks: NDArray[np.int32]
    weight: NDArray[np.float64]


@dataclass(frozen=True)
class World:
    """Training rows, and listeners × tracks that are shown and hidden: known ones, then new."""

    training: sparse.csr_array
    shown: sparse.csr_array
    hidden: sparse.csr_array
    known: int
    """How many of the listeners are in the training rows."""

    @property
    def is_new(self) -> NDArray[np.bool_]:
        """Tell which listeners the training rows have nothing of."""
        return np.arange(self.shown.shape[0]) >= self.known


def can_choose(matrix: sparse.csr_array) -> bool:
    """Tell whether there are enough listeners to measure on."""
    return int(np.count_nonzero(np.diff(matrix.indptr) >= LIGHTEST)) >= FEWEST


def make_world(
    matrix: sparse.csr_array, seed: int, most_known: int = MOST_KNOWN, most_new: int = MOST_NEW
) -> World:
    """Draw listeners of a listeners × tracks matrix, of which only the pattern is used."""
    heavy = np.flatnonzero(np.diff(matrix.indptr) >= LIGHTEST)
    rng = np.random.default_rng(seed)
    drawn = rng.permutation(heavy)
    new = np.sort(drawn[: min(len(heavy) // 5, most_new)])
    known = np.sort(drawn[len(new) :][: min(len(heavy) // 2, most_known)])
    listeners = np.concatenate([known, new])
    row, track = matrix[listeners].tocoo().coords
    order = np.lexsort((rng.random(len(row)), row))
    row, track = row[order], track[order]
    played = np.bincount(row, minlength=len(listeners))
    place = np.arange(len(row)) - (np.cumsum(played) - played)[row]
    hide = place < np.maximum(1, np.rint(HIDDEN * played))[row]
    shape = (len(listeners), matrix.shape[1])

    def part(of: NDArray[np.bool_]) -> sparse.csr_array:
        return sparse.csr_array((np.ones(of.sum(), np.int8), (row[of], track[of])), shape=shape)

    shown = part(~hide)
    others = np.setdiff1d(np.arange(matrix.shape[0]), listeners)
    training: sparse.csr_array = sparse.vstack([matrix[others], shown[: len(known)]], format="csr")
    return World(training, shown, part(hide), len(known))


def draw_targets(interactions: Interactions, share: float, seed: int) -> Targets:
    """Draw about ``share`` of the tracks that have listeners, more of those with many.

    The draws of one seed are nested: what a smaller share has, a larger one has too.
    """
    listeners = interactions.listeners
    played = np.flatnonzero(listeners)
    if share >= 1.0:
        return Targets(played.astype(np.int32), np.ones(len(played)))
    root = np.sqrt(listeners[played].astype(np.float64))
    chance = _chances(root, share * len(played))
    kept = np.random.default_rng(seed).random(len(played)) < chance
    return Targets(played[kept].astype(np.int32), 1.0 / chance[kept])


def _chances(size: NDArray[np.float64], wanted: float) -> NDArray[np.float64]:
    """Return min(1, c · size) with a sum of about ``wanted``."""
    chance = np.minimum(1.0, size * (wanted / size.sum()))
    for _ in range(20):  # what the largest cannot take goes to the others
        free = chance < 1.0
        rest = wanted - np.count_nonzero(~free)
        if not free.any() or rest <= 0:
            break
        chance[free] = np.minimum(1.0, size[free] * (rest / size[free].sum()))
    return np.asarray(chance)


def measure(
    weights: sparse.csr_array, world: World, targets: Targets, listeners: NDArray[np.int64]
) -> dict[str, Values]:
    """Return every listener's `METRICS` under a sources × tracks matrix.

    Equal scores, those of 0 among them, are ranked by the number of ``listeners`` of the track.
    """
    into = weights[:, targets.tracks].tocsr()
    behind = listeners[targets.tracks] / (listeners.max(initial=1) * 1e9)
    found = [
        _measured_rows(world, targets, into, behind, slice(start, start + ROWS))
        for start in range(0, world.shown.shape[0], ROWS)
    ]
    return {name: np.concatenate([one[at] for one in found]) for at, name in enumerate(METRICS)}


def _measured_rows(
    world: World,
    targets: Targets,
    into: sparse.csr_array,
    behind: NDArray[np.float64],
    rows: slice,
) -> tuple[Values, Values]:
    shown, hidden = world.shown[rows], world.hidden[rows]
    scores = (shown.astype(np.float64) @ into).toarray()
    largest = np.abs(scores).max(axis=1, keepdims=True, initial=0.0)
    scores += behind * np.where(largest > 0, largest, 1.0)
    scores[shown[:, targets.tracks].nonzero()] = -np.inf
    top = min(NDCG, scores.shape[1])
    first = np.argpartition(-scores, top - 1, axis=1)[:, :top]
    best = np.take_along_axis(scores, first, axis=1)
    first = np.take_along_axis(first, np.argsort(-best, axis=1, kind="stable"), axis=1)
    weight = targets.weight[first]
    rank = 1.0 + np.cumsum(weight, axis=1) - weight
    is_hit = np.take_along_axis(hidden[:, targets.tracks].toarray() > 0, first, axis=1)
    sizes = np.diff(hidden.indptr)
    recall = (weight * (is_hit & (rank <= RECALL))).sum(axis=1) / np.minimum(sizes, RECALL)
    gains = np.where(is_hit & (rank <= NDCG), weight / np.log2(rank + 1.0), 0.0).sum(axis=1)
    ideal = np.concatenate([[0.0], np.cumsum(1.0 / np.log2(np.arange(2, NDCG + 2)))])
    return recall, gains / ideal[np.minimum(sizes, NDCG)]
