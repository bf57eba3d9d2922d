"""Parameters of the hybrid blend, and the shipped defaults used until listeners were measured."""

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from warehouse.contract.constants import ARTIST_FACTORS

Share = Annotated[float, Field(ge=0, le=1)]


MOST_PRIOR = 1_000.0
"""Largest strength p of the popularity prior: 99.9 % of the collaborative side."""


class Segment(BaseModel):
    """Listeners with ``min_tracks`` to ``max_tracks`` different tracks in their history."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    segment: str
    min_tracks: int = Field(ge=0)
    max_tracks: int | None = Field(default=None, ge=0)
    weight: Share
    """Default collaborative share w for histories of this length."""
    popularity: float = Field(default=0.0, ge=0, le=MOST_PRIOR)
    """Strength p of the popularity prior within the collaborative side."""


DEFAULT_SEGMENTS = (
    Segment(segment="0", min_tracks=0, max_tracks=0, weight=1.0),
    Segment(segment="1", min_tracks=1, max_tracks=1, weight=0.5, popularity=0.3),
    Segment(segment="2-5", min_tracks=2, max_tracks=5, weight=0.6, popularity=0.1),
    Segment(segment="6-20", min_tracks=6, max_tracks=20, weight=0.7, popularity=0.05),
    Segment(segment=">20", min_tracks=21, weight=0.8),
)
"""New listeners lean on content, old ones on collaboration; segment 0 is the empty history."""


class HybridParameters(BaseModel):
    """What the blend needs beside the neighbour tables."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    segments: tuple[Segment, ...] = DEFAULT_SEGMENTS
    """Ascending, without gaps, from 0 tracks to no upper end."""
    gamma: Share = 0.3
    """γ: an unplayed track's collaborative score is taken to be γ times its content score."""
    artist_factor: Share = 0.7
    """δ: each track of an artist beyond the allowance is multiplied by one more δ."""
    half_life: int = Field(default=0, ge=0, le=36_500)
    """Days after which a play counts half as much in a history; 0: all count the same."""
    popular_candidates: int = Field(default=500, ge=1, le=100_000)
    """How many of the most played tracks are candidates of every list with p > 0 or no history."""
    user_list: int = Field(default=20, ge=1, le=1000)
    """Rows of `user_recommendations` per listener: the default k of recommend_user."""
    similar_list: int = Field(default=10, ge=1, le=1000)
    """Rows of `similar_tracks` per track: the default k of similar_to."""


def artist_factors(delta: float) -> NDArray[np.float64]:
    """Return δ⁰, δ¹, … as the one table that kernel and macros both read."""
    return np.power(delta, np.arange(ARTIST_FACTORS, dtype=np.float64))


def segment_of(lengths: NDArray[np.integer], segments: tuple[Segment, ...]) -> NDArray[np.intp]:
    """Return for each history length the position of its segment."""
    starts = np.array([segment.min_tracks for segment in segments])
    return np.searchsorted(starts, lengths, side="right") - 1


def popularity_prior(listeners: NDArray[np.integer]) -> NDArray[np.float64]:
    """pop(j) = log(1 + listeners) / log(1 + the most listened); zeros if nobody listened."""
    most = listeners.max(initial=0)
    if most == 0:
        return np.zeros(len(listeners))
    prior: NDArray[np.float64] = np.log1p(listeners) / np.log1p(most)
    return prior
