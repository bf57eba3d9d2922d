"""What it costs to measure settings, planned from the data alone, so that time decides nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tasks.choice.dials import LADDERS
from tasks.choice.training import candidate_counts, gathered_by, solved_by
from tasks.choice.world import draw_targets
from tasks.collaborative.interactions import Interactions
from tasks.collaborative.parameters import CollaborativeParameters

RATE = 1e9
"""Steps that count as a second: of the walk over rows, on a machine of 2020."""

GATHER, DESCEND, FACTOR, SUBSTITUTE, RANK, STEP = 2.0, 7.0, 0.03, 5.0, 25.0, 4.0
"""Steps for: an entry of a Gram matrix; the same in a non-negative solution; a multiplication of a
factorisation, which runs along contiguous rows; an entry in the rest of a signed solution; the
score of a listener's target; a product of two weights."""

SHARES = (1.0, 0.7, 0.5, 0.35, 0.25, 0.18, 0.12, 0.08, 0.05, 0.03)
"""Shares of the targets that a round may measure on."""

FEWEST_TARGETS = 400

LOOKED_AT = 256
"""Targets whose candidates are counted: tracks that share listeners share many of them."""


@dataclass(frozen=True)
class Costs:
    """Plans the work of a round."""

    interactions: Interactions
    listeners: int
    """Measured by every setting."""
    seed: int

    def of(self, settings: Sequence[CollaborativeParameters], share: float) -> float:
        """Return the additions of measuring ``settings`` on a share of the targets."""
        pairs = self.pairs
        tracks = draw_targets(self.interactions, share, self.seed).tracks
        # every group walks the rows of its candidates, which are most tracks, and those of targets
        walks = 2.0 * (pairs[tracks].sum() + pairs.sum() / 2)
        walks += self.interactions.tracks * len(tracks)
        total = 0.0
        for neighbours, _ in {gathered_by(one) for one in settings}:
            total += walks + GATHER * (self._sizes(tracks, neighbours) ** 2).sum()
        for neighbours, *_, non_negative in {solved_by(one) for one in settings}:
            size = self._sizes(tracks, neighbours)
            if non_negative:
                total += DESCEND * (size**2).sum()
            else:
                total += SUBSTITUTE * (size**2).sum() + FACTOR * (size**3).sum()
        for one in settings:
            if one.two_step > 0:
                total += STEP * (self._sizes(tracks, one.neighbours) ** 2).sum()
        return float(total + len(settings) * self.listeners * len(tracks) * RANK)

    @cached_property
    def pairs(self) -> NDArray[np.float64]:
        """Of each track: the plays of its listeners."""
        return self.interactions.pair_costs()

    @cached_property
    def _distinct(self) -> float:
        """How many candidates a track has, by its `pairs`: the exponent of their growth."""
        played = np.flatnonzero(self.interactions.listeners)
        rng = np.random.default_rng(self.seed)
        some = np.sort(rng.permutation(played)[:LOOKED_AT]).astype(np.int32)
        most = LADDERS["neighbours"][-1]
        counts = candidate_counts(self.interactions, some, most)
        pairs = self.pairs[some]
        open_ended = (counts < most) & (counts > 1) & (pairs > 1)
        if not open_ended.any():
            return 1.0
        return float(
            np.clip(np.log(counts[open_ended]).sum() / np.log(pairs[open_ended]).sum(), 0, 1)
        )

    def _sizes(self, tracks: NDArray[np.int32], neighbours: int) -> NDArray[np.float64]:
        """Estimate how many candidates each track has."""
        most = np.minimum(float(neighbours), self.interactions.tracks)
        return np.minimum(most, self.pairs[tracks] ** self._distinct)

    def share_for(self, settings: Sequence[CollaborativeParameters], budget: float) -> float | None:
        """Return the largest share of the targets that a budget pays for; None: not the least."""
        played = int(np.count_nonzero(self.interactions.listeners))
        for share in SHARES:
            if share < 1.0 and share * played < FEWEST_TARGETS:
                return None
            if self.of(settings, share) <= budget:
                return share
        return None
