"""What decides who is held out."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class HoldoutParameters(BaseModel):
    """How many listeners the measured model does not see."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    holdout: float = Field(default=0.01, ge=0, le=0.5)
    """Share of listeners that the measured model does not see and is measured on; 0: none."""
    min_listeners: int = Field(default=200, ge=2, le=1_000_000)
    """Double the share until about this many can be measured, up to half of all listeners."""
    max_listeners: int = Field(default=10_000, ge=2, le=1_000_000)
    """Halve the share until about this many are held out: intervals are narrow enough by then."""
    seed: int = Field(default=0, ge=0, le=2**31 - 1)
    """Keys every hash: who is held out, how a history is split, which half tunes."""

    def held_out_by(self) -> dict[str, Any]:
        """Return the fields that decide who is held out."""
        return self.model_dump(include=set(HoldoutParameters.model_fields))
