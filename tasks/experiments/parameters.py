"""Parameters of the measurement of experiments."""

from pydantic import BaseModel, ConfigDict, Field


class ExperimentParameters(BaseModel):
    """How sure a result must be, and what it is adjusted by."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    """Share of experiments without an effect that may show one, however often they are read until
    their end."""
    power: float = Field(default=0.8, gt=0.5, lt=1)
    """Probability of detecting `effect`, to compute how many listeners are missing."""
    effect: float = Field(default=0.05, gt=0)
    """Smallest relative lift of interest."""
    fewest_users: int = Field(default=100, ge=2)
    """Listeners that each variant needs for an interval; with fewer, means are not close enough to
    normal."""
    days_before: int = Field(default=28, ge=0, le=365)
    """Days before the start whose behaviour reduces the variance; 0: none."""
    cap: float = Field(default=0.999, gt=0.9, lt=1)
    """Quantile of the listeners' values, above 0, that one listener adds to a metric at most."""
    goal: str = "click_through_rate"
    """Metric that decides the best measured weight of a segment."""
    fewest_exposures: int = Field(default=20, ge=1)
    """Exposures of a track within a segment below which no click rate is published."""
