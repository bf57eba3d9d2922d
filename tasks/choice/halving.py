"""Successive halving: many settings on few targets, then fewer settings on more of them.

Each round keeps the best of the one before and adds settings between and around them, so dials
that depend on each other move together (Karnin et al. 2013; Jamieson & Talwalkar 2016). One part
of the listeners chooses. Whether the choice is better than the start is asked of the others.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tasks.choice.costs import Costs
from tasks.choice.space import Space
from tasks.choice.world import METRICS, Values
from tasks.collaborative.parameters import CollaborativeParameters

DRAWN = 15
"""Random settings in the first round."""

ROUNDS: tuple[tuple[int, int], ...] = ((6, 6), (4, 6), (3, 5))
"""Survivors of the round before and children of theirs, for each later round."""

LONG_DRAWN = 45
LONG_ROUNDS: tuple[tuple[int, int], ...] = ((16, 16), (12, 16), (8, 14), (5, 12))
"""The same for `crossfade tune`, which has an hour."""

LIGHT_EDGES = 2_000_000
"""A table of weights of this size is small, whatever the start's is."""

HEAVIER = 1.1
"""How much larger than the start's a table may be beyond that."""

DOUBT = 0.5
"""Standard errors that a gain is taken to be smaller: what differs little is known better."""

LEAST_GAIN = 1e-3
"""A setting is worth its place for a gain above this: less is chance."""


class Trial(NamedTuple):
    """What a setting was worth to every listener, and the size of its table."""

    values: Mapping[str, Values]
    edges: float


Measured = Callable[[int, Sequence[CollaborativeParameters], float], Sequence[Trial]]
"""Measures settings in a round on a share of the targets."""


class Gain(NamedTuple):
    """How much better a setting is than another: a share, with its standard error."""

    mean: float
    error: float


@dataclass(frozen=True)
class Tried:
    """A setting in a round, and what it measured."""

    round: int
    share: float
    setting: CollaborativeParameters
    trial: Trial


@dataclass(frozen=True)
class Mix:
    """Whom a choice is for: two kinds of listeners, and what the new ones count."""

    is_new: NDArray[np.bool_]
    new: float

    def score(self, values: Mapping[str, Values], of: NDArray[np.bool_]) -> float:
        """Return the geometric mean of the metrics' means over some listeners."""
        return float(np.sqrt(np.prod([self._mean(values[name], of) for name in METRICS])))

    def gain(
        self, one: Mapping[str, Values], other: Mapping[str, Values], of: NDArray[np.bool_]
    ) -> Gain:
        """Return the paired gain in the score of ``one`` over ``other``."""
        before = self.score(other, of)
        if before <= 0:
            return Gain(0.0, np.inf)
        mean = self.score(one, of) / before - 1.0
        # the delta method: what each listener adds to the logarithm of the ratio
        adds = np.mean(
            [
                one[name] / max(self._mean(one[name], of), 1e-12)
                - other[name] / max(self._mean(other[name], of), 1e-12)
                for name in METRICS
            ],
            axis=0,
        )
        variance = 0.0
        for kind, share in self._kinds(of):
            size = np.count_nonzero(kind)
            variance += share**2 * float(adds[kind].var(ddof=1) if size > 1 else np.inf) / size
        return Gain(mean, float((1.0 + mean) * np.sqrt(variance)))

    def _mean(self, values: Values, of: NDArray[np.bool_]) -> float:
        return sum(share * float(values[kind].mean()) for kind, share in self._kinds(of))

    def _kinds(self, of: NDArray[np.bool_]) -> list[tuple[NDArray[np.bool_], float]]:
        kinds = [(of & ~self.is_new, 1.0 - self.new), (of & self.is_new, self.new)]
        there = [(kind, share) for kind, share in kinds if kind.any() and share > 0]
        total = sum(share for _, share in there)
        return [(kind, share / total) for kind, share in there]


NOTHING = Gain(0.0, 0.0)


@dataclass(frozen=True)
class Halving:
    """What was chosen, all that was tried, and what the choice gains over the start."""

    chosen: CollaborativeParameters
    best: CollaborativeParameters
    """The best setting found; the start is chosen in its place where the gain may be chance."""
    tried: list[Tried] = field(default_factory=list)
    gain: Gain = NOTHING
    """Of what either half of the listeners chooses, for the other half."""
    gain_known: Gain = NOTHING
    gain_new: Gain = NOTHING


def halve(
    measured: Measured,
    space: Space,
    costs: Costs,
    mix: Mix,
    budget: float,
    drawn: int = DRAWN,
    rounds: Sequence[tuple[int, int]] = ROUNDS,
) -> Halving:
    """Choose a setting within a budget of planned additions."""
    search = _Search(measured, costs, mix, budget / (1 + len(rounds)), space.start)
    if not search.round(0, space.draws(drawn)):
        return Halving(space.start, space.start)
    for number, (survivors, children) in enumerate(rounds, 1):
        parents = search.best(survivors)
        share = search.tried[-1].share
        born = space.children(parents, children, two_steps=share >= 1.0)
        if not search.round(number, list(dict.fromkeys([space.start, *parents, *born]))):
            break
    return search.judged()


@dataclass
class _Search:
    measured: Measured
    costs: Costs
    mix: Mix
    budget: float
    """Of a round."""
    start: CollaborativeParameters
    tried: list[Tried] = field(default_factory=list)

    def round(self, number: int, settings: list[CollaborativeParameters]) -> bool:
        """Measure the settings that the budget pays for, the first ones first; False: not two."""
        while (share := self.costs.share_for(settings, self.budget)) is None or share < 1.0:
            # a second step needs the weights into all tracks
            single = [one for one in settings if one.two_step == 0.0 or one == self.start]
            if len(single) < len(settings):
                settings = single
            elif share is not None:
                break
            else:
                settings = settings[:-1]
            if len(settings) < 2:
                return False
        if share < 1.0 and self.start.two_step > 0.0:
            return False
        trials = self.measured(number, settings, share)
        for setting, trial in zip(settings, trials, strict=True):
            self.tried.append(Tried(number, share, setting, trial))
        return True

    def best(
        self, number: int, of: NDArray[np.bool_] | None = None
    ) -> list[CollaborativeParameters]:
        """Return the best settings of the last round whose tables are small enough."""
        last, everyone = self._last(), np.ones(len(self.mix.is_new), dtype=bool)
        asked = everyone if of is None else of
        start = next(one.trial for one in last if one.setting == self.start)
        most = max(LIGHT_EDGES, HEAVIER * start.edges)

        def sure(one: Tried) -> float:
            gain = self.mix.gain(one.trial.values, start.values, asked)
            return gain.mean - DOUBT * gain.error

        fit = [one for one in last if one.trial.edges <= most or one.setting == self.start]
        return [one.setting for one in sorted(fit, key=sure, reverse=True)[:number]]

    def judged(self) -> Halving:
        """Return the best of the last round if what either half chooses helps the other half."""
        (best,) = self.best(1)
        last = {one.setting: one.trial.values for one in self._last()}
        half = np.arange(len(self.mix.is_new)) % 2 == 0
        honest = {name: np.empty(len(half)) for name in METRICS}
        for choose in (half, ~half):
            (by_others,) = self.best(1, choose)
            for name in METRICS:
                honest[name][~choose] = last[by_others][name][~choose]
        gains = [
            mix.gain(honest, last[self.start], np.ones(len(half), dtype=bool))
            for mix in (self.mix, Mix(self.mix.is_new, 0.0), Mix(self.mix.is_new, 1.0))
        ]
        is_better = gains[0].mean - gains[0].error > LEAST_GAIN
        chosen = best if is_better else self.start
        return Halving(chosen, best, self.tried, *gains)

    def _last(self) -> list[Tried]:
        return [one for one in self.tried if one.round == self.tried[-1].round]
