"""What can be chosen about content neighbours."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class ContentParameters(BaseModel):
    """How content becomes neighbours; the defaults were measured, see docs/content.md."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    neighbours: int = Field(default=50, ge=1, le=500)
    """Nearest tracks that every track lists; lists are made symmetric afterwards."""

    played_neighbours: int = Field(default=20, ge=0, le=500)
    """Nearest *played* tracks that every unplayed track lists besides, so that a history
    reaches it."""

    dimensions: int = Field(default=96, ge=2, le=512)
    """Length of the embedding. Exact search costs in proportion."""

    weights: Literal["learned", "fixed"] = "learned"
    """``learned``: fitted to how people listen, where there are plays enough; ``fixed``: the
    shipped weights."""

    tag_vocabulary: int = Field(default=5_000, ge=10, le=100_000)
    """Most frequent tags that are kept; a tag on one track alone links nothing and is dropped."""

    seed: int = Field(default=0, ge=0, le=2**31 - 1)
    """Seeds the randomised decomposition and the sample of tracks to learn from."""
