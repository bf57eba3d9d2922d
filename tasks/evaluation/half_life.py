"""Choose by what is played next how fast the past of a history fades, or that it does not.

Every half-life is tried on all listeners whom the temporal split asks, with the blend that the
random split chose. None is what is in use until one is better by more than luck (`SUPPORT`): there
is nothing between none and some.
"""

from typing import NamedTuple, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.evaluation.bootstrap import resample_counts, whole
from tasks.evaluation.cases import as_is_cases
from tasks.evaluation.choice import Choice
from tasks.evaluation.rounds import Rounds, half_life_block
from tasks.evaluation.shrinkage import evidence
from tasks.evaluation.split import Split
from tasks.lake.contracts.stages.temporal import HALF_LIVES

SUPPORT = 0.5
"""Evidence that a half-life needs: its gain is 1.2 times what the best of them gains by luck."""

ALL = 2
"""The half that stands for all listeners, as in `CHOICES`."""


class HalfLives(NamedTuple):
    """What the half-lives were worth to one half of the listeners, or to all of them."""

    tried: tuple[int, ...]
    """In days; 0: none."""
    ndcg: NDArray[np.float64]
    """Mean NDCG@100 of each."""
    support: float
    """`evidence` for the best of them against none, 0 to 1."""

    @classmethod
    def of(
        cls, tried: tuple[int, ...], values: NDArray[np.float64], counts: NDArray[np.float64]
    ) -> Self:
        """Take listeners × tried, and resamples × listeners."""
        in_billionths = whole(values)
        total = in_billionths.sum(axis=0)
        best = float(total.max(initial=0.0)) or 1.0
        drawn = counts @ in_billionths / best
        support = evidence(total / best, drawn, tried.index(0), len(values))
        return cls(tried, values.mean(axis=0) if len(values) else np.zeros(len(tried)), support)

    @property
    def chosen(self) -> int:
        """The half-life to use, in days; 0: none."""
        return self.tried[int(np.argmax(self.ndcg))] if self.support >= SUPPORT else 0


def choose_half_lives(
    rounds: Rounds, split: Split, learned: Choice, tried: tuple[int, ...]
) -> tuple[HalfLives, HalfLives, HalfLives]:
    """Return what half-lives are worth to the first half, to the second half, and to everybody.

    ``learned`` is the blend that all of them are tried with, ``tried`` are the half-lives beside
    none.
    """
    tried = (0, *sorted(set(tried) - {0}))
    cases = as_is_cases(split, (learned, learned))
    measured = rounds.measure(
        "half_life", half_life_block, cases, rounds.sources, rounds.hybrid, tried
    )
    flat = measured["values"].combine_chunks().flatten().to_numpy()
    values = flat.reshape(len(cases), len(tried))
    listener = cases["listener"].to_numpy()
    parameters = rounds.parameters
    drawn = resample_counts(len(split), parameters.resamples, parameters.seed)[:, listener]
    half = split.half[listener]
    first, second, everybody = (
        HalfLives.of(tried, values[rows], drawn[:, rows])
        for rows in (half == 0, half == 1, np.ones(len(half), np.bool_))
    )
    return first, second, everybody


def half_lives_table(found: tuple[HalfLives, ...]) -> pa.Table:
    """Return `HALF_LIVES`."""
    return pa.Table.from_pylist(
        [
            {
                "half": half,
                "half_life": days,
                "ndcg": ndcg,
                "support": one.support,
                "is_chosen": days == one.chosen,
            }
            for half, one in enumerate(found)
            for days, ndcg in zip(one.tried, one.ndcg.tolist(), strict=True)
        ],
        schema=HALF_LIVES.schema,
    )


def chosen_half_life(half_lives: pa.Table, half: int = ALL) -> int:
    """Return what was chosen on a half of the listeners, or on all of them, by `HALF_LIVES`."""
    rows = half_lives.to_pylist()
    chosen = (row["half_life"] for row in rows if row["half"] == half and row["is_chosen"])
    return int(next(chosen))
