"""Choose w, p and γ on held-out listeners: on either half, and on all of them."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.blend.parameters import Segment
from tasks.evaluation.bootstrap import resample_counts
from tasks.evaluation.cases import gamma_cases, some_of
from tasks.evaluation.choice import Choice, choose_gamma, choose_points, grid, learned_segments
from tasks.evaluation.rounds import Rounds, gamma_block, grid_block
from tasks.evaluation.split import Split


@dataclass(frozen=True)
class Tuned:
    """What was measured at every point (w, p), by segment."""

    segments: list[Segment]
    points: NDArray[np.float64]
    curves: list[NDArray[np.float64]]
    listeners: list[NDArray[np.int32]]
    drawn: NDArray[np.float64]
    half: NDArray[np.int8]

    def of_half(self, half: int) -> list[NDArray[np.bool_]]:
        """Tell which rows of the curves belong to a half; 2 is both."""
        return [(self.half[rows] == half) | (half == 2) for rows in self.listeners]

    def curves_of(self, half: int) -> list[NDArray[np.float64]]:
        """Return the rows of the curves that belong to a half."""
        kept = self.of_half(half)
        return [curve[mine] for curve, mine in zip(self.curves, kept, strict=True)]

    def counts(self, half: int) -> list[NDArray[np.float64]]:
        """Return resamples × listeners for the rows of a half."""
        kept = self.of_half(half)
        return [
            self.drawn.take(rows[mine], axis=1)
            for rows, mine in zip(self.listeners, kept, strict=True)
        ]


def tune(
    rounds: Rounds,
    split: Split,
    cases: pa.Table,
    segments: tuple[Segment, ...],
    has_content: bool,
    part: str = "",
) -> Tuned:
    """Measure the grid (w, p) on cases of every segment.

    ``segments`` hold the blends that a choice starts from, ``part`` names the cases if they are not
    all.
    """
    parameters = rounds.parameters
    points = grid(parameters, has_content)
    given = (rounds.sources, rounds.hybrid, points)
    measured = rounds.measure("tuning", grid_block, cases, *given, part=part)
    flat = measured["values"].combine_chunks().flatten().to_numpy()
    values = flat.reshape(len(cases), len(points))
    of = cases["segment"].to_numpy()
    tuned = [s for s, segment in enumerate(segments) if segment.max_tracks != 0]
    return Tuned(
        [segments[s] for s in tuned],
        points,
        [values[of == s] for s in tuned],
        [cases["listener"].to_numpy()[of == s] for s in tuned],
        resample_counts(len(split), parameters.resamples, parameters.seed),
        split.half,
    )


def choose(rounds: Rounds, split: Split, tuned: Tuned) -> tuple[Choice, Choice, Choice]:
    """Choose w, p and γ on the first half, on the second half, and on all held-out listeners."""
    parameters, hybrid = rounds.parameters, rounds.hybrid
    blends = []
    for half in (0, 1, 2):
        curves = tuned.curves_of(half)
        chosen = choose_points(tuned.points, curves, tuned.counts(half), tuned.segments, parameters)
        blends.append(Choice(learned_segments(hybrid.segments, chosen), hybrid.gamma))
    some = some_of(split, split.fold_in > 0, parameters.tuning_listeners)
    ours = [some[(split.half[some] == half) | (half == 2)] for half in (0, 1, 2)]
    cases = pa.concat_tables(
        [gamma_cases(split, rows, blend, 0.0) for rows, blend in zip(ours, blends, strict=True)]
    )
    measured = rounds.measure(
        "gamma", gamma_block, cases, rounds.sources, hybrid, parameters.gammas
    )
    flat = measured["values"].combine_chunks().flatten().to_numpy()
    gammas = np.array(parameters.gammas)
    values = np.split(
        flat.reshape(len(cases), 2 * len(gammas)), np.cumsum([len(rows) for rows in ours])[:-1]
    )
    choices = []
    for rows, curve, blend in zip(ours, values, blends, strict=True):
        gain, cost = np.hsplit(curve, 2)
        drawn = tuned.drawn[:, rows]
        gamma = choose_gamma(gammas, gain, cost, drawn, hybrid.gamma, parameters)
        choices.append(Choice(blend.segments, blend.gamma if gamma is None else gamma))
    return choices[0], choices[1], choices[2]
