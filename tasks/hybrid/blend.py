"""The formulas of docs/scoring.md, from the sums of one track to its score."""

from enum import IntEnum
from typing import TypeAlias

import numba as nb
import numpy as np
from numpy.typing import NDArray

from tasks.hybrid.parameters import TICKS
from tasks.hybrid.sums import Candidates

Query: TypeAlias = tuple[float, float, float, np.int64, np.int64, bool]
"""What scores one history: w, p, γ, C⁺, D⁺ (docs/scoring.md), and whether it is empty."""

SLACK = 2
"""Ticks that `estimate` may be off: roundings move a score by at most one, floats by far less."""


class Source(IntEnum):
    """Which signals put a row into a list; the value is what the release stores."""

    HYBRID = 0
    COLLABORATIVE = 1
    CONTENT = 2
    POPULAR = 3
    SAME_ARTIST = 4
    CATALOGUE = 5


@nb.njit(cache=True, nogil=True)
def ticks(query: Query, c_sum: int, d_sum: int, popularity: float) -> tuple[int, int, int]:
    """c', d and w·c' + (1 - w)·d in ticks; the same expressions stand in macros/ranked.sql.

    A track is cold where its popularity is 0: nobody has played it.
    """
    w, p, gamma, c_max, d_max, no_history = query
    is_cold = popularity == 0.0
    d = np.sqrt(min(1.0, d_sum / d_max)) if d_max > 0 else 0.0
    estimated = is_cold or c_max <= 0
    c = gamma * d if estimated else np.sqrt(min(1.0, max(0.0, c_sum / c_max)))
    if no_history:
        c = popularity
    elif not is_cold:
        c = (c + p * popularity) / (1.0 + p)
    c_tick = np.floor(c * TICKS + 0.5)
    d_tick = np.floor(d * TICKS + 0.5)
    return int(c_tick), int(d_tick), int(np.floor(w * c_tick + (1.0 - w) * d_tick + 0.5))


@nb.njit(cache=True, nogil=True)
def estimate(query: Query, candidates: Candidates, out: NDArray[np.float32]) -> None:
    """Blend every candidate without the roundings: within `SLACK` ticks of `ticks`.

    Single precision, no divisions and floors: eight or sixteen tracks at a time.
    """
    w, p, gamma, c_max, d_max, no_history = query
    _, c_sums, d_sums, popularities = candidates
    c_share = np.float32(1.0 / c_max if c_max > 0 else 0.0)
    d_share = np.float32(1.0 / d_max if d_max > 0 else 0.0)
    per_c = np.float32(w / (1.0 + p) * TICKS)
    per_pop = np.float32(w * TICKS if no_history else w * p / (1.0 + p) * TICKS)
    cold_d = np.float32((w * gamma + 1.0 - w) * TICKS)
    warm = 1.0 - w
    if c_max <= 0 and not no_history:
        warm += w * gamma / (1.0 + p)
    warm_d = np.float32(warm * TICKS)
    for x in range(len(out)):
        pop = np.float32(popularities[x])
        per = cold_d if pop == np.float32(0.0) else warm_d
        c = np.sqrt(np.float32(max(c_sums[x], np.int32(0))) * c_share)
        d = np.sqrt(np.float32(d_sums[x]) * d_share)
        out[x] = c * per_c + d * per + pop * per_pop


@nb.njit(cache=True, nogil=True)
def source_of(c_sum: int, d_sum: int, no_history: bool) -> int:
    """Which signals were there."""
    if no_history:
        return Source.POPULAR.value
    if c_sum > 0:
        return Source.HYBRID.value if d_sum > 0 else Source.COLLABORATIVE.value
    return Source.CONTENT.value if d_sum > 0 else Source.POPULAR.value
