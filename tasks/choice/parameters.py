"""How a run chooses the learned model's parameters, and for how long it keeps them."""

from pydantic import BaseModel, ConfigDict, Field


class ChoiceParameters(BaseModel):
    """What a choice costs, whom it is for, and when it is made again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seconds: float = Field(default=60.0, ge=0.0, le=86_400.0)
    """What the search of a run may take: processor seconds of a common machine. It bounds planned
    work, not time, so that equal inputs give equal choices. 0: the defaults are used."""

    changed: float = Field(default=0.2, gt=0.0, le=1.0)
    """Choose again when less than 1 - this share of the plays, then and now, is in common."""

    new_listeners: float = Field(default=0.2, ge=0.0, le=1.0)
    """What listeners the model has not seen count in the choice; the others are in its training."""

    seed: int = Field(default=0, ge=0)
    """Draws listeners, targets and settings; the same seed, the same choice."""
