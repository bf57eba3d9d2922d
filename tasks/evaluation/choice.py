"""Choose the weight w, the prior p and γ from what was measured on tuning listeners.

The best point of a measured curve is a noisy pick. It is picked in every bootstrap resample and the
picks are averaged (bagging, Breiman 1996), which settles in the middle of a plateau and moves
little from run to run. A segment with few listeners leans on its neighbours.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.blend.parameters import Segment
from tasks.evaluation.bootstrap import whole
from tasks.evaluation.parameters import EvaluationParameters

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Choice:
    """What was chosen on some of the held-out listeners."""

    segments: tuple[Segment, ...]
    gamma: float


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
    pooling: float,
) -> list[tuple[float, float] | None]:
    """Return for every segment the bagged (w, p), or None without any listener to learn from.

    ``curves[s]`` is listeners × points, ``counts[s]`` resamples × listeners. A segment with fewer
    than ``pooling`` listeners borrows the missing ones from the segments next to it; one with
    enough stands alone, because what suits shorter histories suits it less than its own evidence.
    The prior is averaged as its share p / (1 + p) of the collaborative side.
    """
    share = points[:, 1] / (1.0 + points[:, 1])
    totals = [_relative(c, n) for c, n in zip(curves, counts, strict=True)]
    chosen: list[tuple[float, float] | None] = []
    for s in range(len(curves)):
        near = [t for t in (s - 1, s + 1) if 0 <= t < len(curves) and len(curves[t])]
        if not len(curves[s]) and not near:
            chosen.append(None)
            continue
        curve = len(curves[s]) * totals[s]
        for t in near:
            borrowed = max(0.0, pooling - len(curves[s])) / len(near)
            curve = curve + min(borrowed, len(curves[t])) * totals[t]
        best = np.argmax(curve, axis=1)
        mixed = float(share[best].mean())
        chosen.append((round(float(points[best, 0].mean()), 2), round(mixed / (1 - mixed), 2)))
    return chosen


def choose_gamma(
    gammas: NDArray[np.float64], curve: Values, cost: Values, counts: Values, price: float
) -> float | None:
    """Return the bagged γ among those that cost little enough. None without a listener.

    ``curve`` and ``cost`` are listeners × gammas, see `tasks.evaluation.measure.gamma_values`. A γ
    may lose at most the share ``price`` of the best mean in ``cost``.
    """
    if not len(curve):
        return None
    visible = whole(cost).sum(axis=0)
    cheap = visible >= (1 - price) * visible.max()
    best = np.argmax(np.where(cheap, counts @ whole(curve), -np.inf), axis=1)
    return round(float(gammas[best].mean()), 2)


def learned_segments(
    defaults: tuple[Segment, ...], chosen: list[tuple[float, float] | None]
) -> tuple[Segment, ...]:
    """Return the segments with what was chosen for those of at least one track."""
    learned, choices = [], iter(chosen)
    for segment in defaults:
        choice = next(choices) if segment.max_tracks != 0 else None
        update = {"weight": choice[0], "popularity": choice[1]} if choice else {}
        learned.append(segment.model_copy(update=update))
    return tuple(learned)


def _relative(curve: Values, counts: NDArray[np.float64]) -> Values:
    """Return resampled sums of a curve in units of its best mean: resamples × points."""
    if not len(curve):
        return np.zeros((len(counts), curve.shape[1]))
    best = float(whole(curve).sum(axis=0).max()) or 1.0
    return np.asarray(counts @ whole(curve) / best)
