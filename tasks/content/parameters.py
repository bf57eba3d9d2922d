"""What can be chosen about content neighbours."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class ContentParameters(BaseModel):
    """How content becomes neighbours; the defaults were measured, see docs/content.md."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    neighbours: int = Field(default=50, ge=1, le=500)
    """Nearest tracks that every track lists; lists are made symmetric afterwards."""

    played_neighbours: int = Field(default=50, ge=0, le=500)
    """Nearest *played* tracks that every unplayed track lists besides, so that a history
    reaches it."""

    other_artists: int = Field(default=20, ge=0, le=500)
    """Nearest tracks by other artists that a track lists at least: a long discography fills
    a list otherwise."""

    dimensions: int = Field(default=96, ge=2, le=2_048)
    """Dimensions that features are reduced to in a catalogue of 50,000 tracks or more. Smaller
    ones get more for the same cost of search, see `tasks.content.model`."""

    weights: Literal["learned", "fixed"] = "learned"
    """``learned``: fitted to how people listen, where there are plays enough; ``fixed``: the
    shipped weights and nothing learned."""

    listening_rank: int = Field(default=32, ge=2, le=256)
    """Dimensions of the space of listening that content is mapped to, beside `dimensions`."""

    listening_share: float = Field(default=0.4, ge=0.0, le=0.95)
    """Share of similarity that lies in the mapped positions, the rest in the features as they
    are. Fewer than some thousand played tracks lower it."""

    crowd: float = Field(default=0.8, ge=0.0, le=1.0)
    """θ, the share of a track's mean similarity that is taken off its neighbours' weights: see
    `tasks.content.hubness`."""

    tag_vocabulary: int = Field(default=5_000, ge=10, le=100_000)
    """Most frequent tags that are kept; a tag on one track alone links nothing and is dropped."""

    seed: int = Field(default=0, ge=0, le=2**31 - 1)
    """Seeds the randomised decomposition and the sample of tracks to learn from."""
