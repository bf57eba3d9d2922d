"""Choose the weight w, the prior p and γ from what was measured on tuning listeners.

The best point of a measured curve is a noisy pick. It is picked in every bootstrap resample and the
picks are averaged (bagging, Breiman 1996), which settles in the middle of a plateau and moves
little from run to run. A segment with few listeners leans on its neighbours, and a choice leaves
its default only as far as the listeners can tell the two apart (`tasks.evaluation.shrinkage`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from tasks.blend.parameters import Segment
from tasks.evaluation.bootstrap import whole
from tasks.evaluation.parameters import EvaluationParameters
from tasks.evaluation.shrinkage import evidence

Values = NDArray[np.float64]


class Blend(NamedTuple):
    """How the signals are mixed for histories of one length."""

    weight: float
    """w, the collaborative share."""
    prior: float
    """p, the strength of the popularity prior."""


class Best(NamedTuple):
    """What measured best for histories of one length, and how far that moves a choice."""

    blend: Blend
    support: float
    """The share of the way from the default to it that the listeners support, see `evidence`."""

    def moved(self, start: Blend) -> Blend:
        """Return a blend moved by the supported share of the way; p moves as p / (1 + p)."""
        weight = start.weight + self.support * (self.blend.weight - start.weight)
        before, best = _share(start.prior), _share(self.blend.prior)
        share = before + self.support * (best - before)
        return Blend(round(float(weight), 2), round(float(share / (1 - share)), 2))


@dataclass(frozen=True)
class Choice:
    """What was chosen on some of the held-out listeners."""

    segments: tuple[Segment, ...]
    gamma: float
    half_life: int = 0
    """Days after which a play counts half; 0: all count the same. Only chosen in time."""


def grid(parameters: EvaluationParameters, has_content: bool) -> NDArray[np.float64]:
    """Return the points (w, p) to try: points × 2.

    Equal p stand together, w descending: of equally good points the first is taken, so what makes
    no difference is decided for the full collaborative signal and no prior. Without the
    collaborative side (w = 0) its prior has no effect and is not varied.
    """
    weights = sorted(set(parameters.weights), reverse=True) if has_content else [1.0]
    priors = sorted(set(parameters.priors))
    points = [(w, p) for p in priors for w in weights if w > 0 or p == priors[0]]
    return np.array(points, dtype=np.float64)


def choose_points(
    points: NDArray[np.float64],
    curves: list[Values],
    counts: list[NDArray[np.float64]],
    defaults: Sequence[Segment],
    parameters: EvaluationParameters,
) -> list[Blend | None]:
    """Return for every segment the chosen blend, or None without any listener to learn from.

    It is the default, moved towards what `find_best` finds.
    """
    found = find_best(points, curves, counts, defaults, parameters)
    starts = [_within(points, np.array([one.weight, one.popularity])) for one in defaults]
    return [
        best and best.moved(Blend(*start.tolist()))
        for best, start in zip(found, starts, strict=True)
    ]


def find_best(
    points: NDArray[np.float64],
    curves: list[Values],
    counts: list[NDArray[np.float64]],
    defaults: Sequence[Segment],
    parameters: EvaluationParameters,
) -> list[Best | None]:
    """Return for every segment what measured best, or None without any listener to learn from.

    ``curves[s]`` is listeners × points, ``counts[s]`` resamples × listeners, ``defaults[s]`` what
    the segment has until it is measured. A segment with fewer than ``pooling`` listeners borrows
    the missing ones from the segments next to it; one with enough stands alone, because what
    suits shorter histories suits it less than its own evidence. The prior is averaged as its
    share p / (1 + p) of the collaborative side.
    """
    at = np.column_stack([points[:, 0], _share(points[:, 1])])
    measured = [_Curve.of(c, n) for c, n in zip(curves, counts, strict=True)]
    chosen: list[Best | None] = []
    for s, own in enumerate(measured):
        near = [measured[t] for t in (s - 1, s + 1) if 0 <= t < len(curves) and len(curves[t])]
        if not own.listeners and not near:
            chosen.append(None)
            continue
        curve = own.times(own.listeners)
        for other in near:
            borrowed = max(0.0, parameters.pooling - own.listeners) / len(near)
            curve = curve.plus(other.times(min(borrowed, other.listeners)))
        start = _within(at, np.array([defaults[s].weight, _share(defaults[s].popularity)]))
        nearest = int(np.argmin(((at - start) ** 2).sum(axis=1)))
        bagged = at[np.argmax(curve.drawn, axis=1)].mean(axis=0)
        support = evidence(curve.observed, curve.drawn, nearest, curve.listeners)
        weight, share = bagged.tolist()
        chosen.append(Best(Blend(weight, share / (1 - share)), support))
    return chosen


def choose_gamma(
    gammas: NDArray[np.float64],
    curve: Values,
    cost: Values,
    counts: Values,
    default: float,
    parameters: EvaluationParameters,
) -> float | None:
    """Return the chosen γ among those that cost little enough. None without a listener.

    ``curve`` and ``cost`` are listeners × gammas, see `tasks.evaluation.measure.gamma_values`. A γ
    may lose at most the share ``gamma_price`` of the best mean in ``cost``; that holds for the
    ``default`` too, which is lowered to the largest γ that may.
    """
    if not len(curve):
        return None
    visible = whole(cost).sum(axis=0)
    cheap = np.flatnonzero(visible >= (1 - parameters.gamma_price) * visible.max())
    gain, at = whole(curve)[:, cheap], gammas[cheap]
    drawn = counts @ gain
    start = min(max(default, float(at.min())), float(at.max()))
    nearest = int(np.argmin(np.abs(at - start)))
    bagged = float(at[np.argmax(drawn, axis=1)].mean())
    listeners = int((~np.isnan(curve[:, cheap])).all(axis=1).sum())
    support = evidence(gain.sum(axis=0), drawn, nearest, listeners)
    return round(start + support * (bagged - start), 2)


def learned_segments(
    defaults: tuple[Segment, ...], chosen: list[Blend | None]
) -> tuple[Segment, ...]:
    """Return the segments with what was chosen for those of at least one track."""
    learned, choices = [], iter(chosen)
    for segment in defaults:
        choice = next(choices) if segment.max_tracks != 0 else None
        update = {"weight": choice.weight, "popularity": choice.prior} if choice else {}
        learned.append(segment.model_copy(update=update))
    return tuple(learned)


@dataclass(frozen=True)
class _Curve:
    """A curve in units of its best mean, as observed and in every resample."""

    observed: Values
    drawn: Values
    """Resamples × points."""
    listeners: float

    @classmethod
    def of(cls, curve: Values, counts: NDArray[np.float64]) -> Self:
        if not len(curve):
            nothing = np.zeros((len(counts), curve.shape[1]))
            return cls(nothing[0], nothing, 0)
        values = whole(curve)
        total = values.sum(axis=0)
        best = float(total.max()) or 1.0
        return cls(total / best, np.asarray(counts @ values / best), len(curve))

    def times(self, listeners: float) -> "_Curve":
        """Count the curve as that of this many listeners."""
        return _Curve(self.observed * listeners, self.drawn * listeners, listeners)

    def plus(self, other: "_Curve") -> "_Curve":
        return _Curve(
            self.observed + other.observed,
            self.drawn + other.drawn,
            self.listeners + other.listeners,
        )


def _share(prior: NDArray[np.float64] | float) -> NDArray[np.float64]:
    return np.asarray(prior / (1.0 + np.asarray(prior)))


def _within(at: Values, point: Values) -> Values:
    """Return the point, moved into the range that the grid spans: a grid of one point decides."""
    return np.clip(point, at.min(axis=0), at.max(axis=0))
