"""An experiment as it is configured: its variants, their shares, and when it runs."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
"""No colon: it parts the experiment from the listener in the text that is hashed."""

MOST_LOOKS = 60
"""Readings that the error is spread over: one a day, or one every few days in a long experiment."""

DAY = np.timedelta64(1, "D")

PRESETS: dict[str, float | None] = {
    "content": 0.0,
    "balanced": 0.5,
    "collaborative": 1.0,
    "learned": None,
}
"""Weights by name; None is the weight learned for the listener's history length."""


def _in_utc(value: Any) -> Any:
    """Take a time without a zone for UTC."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if isinstance(value, datetime) and value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    if not isinstance(value, datetime) and hasattr(value, "isoformat"):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    return value


Moment = Annotated[datetime, BeforeValidator(_in_utc)]


class Variant(BaseModel):
    """One way of recommending: a weight or preset, a model, or a release; none is the default."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    share: float = Field(gt=0, le=1)
    """Share of the listeners."""
    weight: float | None = Field(default=None, ge=0, le=1)
    """Collaborative share that recommend_user uses."""
    preset: Literal["content", "balanced", "collaborative", "learned"] | None = None
    """The same by name: 0, 0.5, 1, or the one learned for the history's length."""
    model: str | None = None
    """The model whose release the app asks; for the record."""
    release: str | None = None
    """The release that the app asks; for the record."""

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        given = [
            name
            for name in ("weight", "preset", "model", "release")
            if getattr(self, name) is not None
        ]
        if len(given) > 1:
            raise ValueError(
                f"variant `{self.name}` has {' and '.join(given)}; keep one, so that it is known "
                "what made the difference"
            )
        return self

    @property
    def served_weight(self) -> float | None:
        """The weight to recommend with; None: the default."""
        return PRESETS[self.preset] if self.preset else self.weight

    @property
    def decides_weight(self) -> bool:
        """Tell whether a weight is all that the variant is about."""
        return self.model is None and self.release is None


class Experiment(BaseModel):
    """A comparison of variants on listeners drawn by chance; the first variant is the control."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    start: Moment
    """First moment whose exposures count; a time without a zone is UTC."""
    end: Moment
    """First moment whose exposures do not count. Fixed beforehand: the error is spread up to it."""
    variants: tuple[Variant, ...] = Field(min_length=2, max_length=20)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = [variant.name for variant in self.variants]
        if len(set(names)) < len(names):
            raise ValueError(f"experiment `{self.name}` has two variants of one name; rename one")
        if self.end <= self.start:
            raise ValueError(f"experiment `{self.name}` ends before it starts; fix `end`")
        total = sum(variant.share for variant in self.variants)
        if total > 1 + 1e-9:
            raise ValueError(
                f"the shares of experiment `{self.name}` add up to {total:g}; make it at most 1"
            )
        return self

    @property
    def shares(self) -> tuple[float, ...]:
        """The variants' shares in order."""
        return tuple(variant.share for variant in self.variants)

    def looks(self, wait_days: int = 0) -> NDArray[np.datetime64]:
        """Return the end of every reading's period (UTC).

        The last one that can have new listeners is the experiment's end. Further ones follow until
        a listener who came last has been here for ``wait_days``.
        """
        start, end = (naive(moment) for moment in (self.start, self.end))
        days = max(1, int(np.ceil((end - start) / DAY)))
        each = -(-days // MOST_LOOKS)
        inside = np.minimum(start + np.arange(1, -(-days // each) + 1) * each * DAY, end)
        after = end + np.arange(1, -(-wait_days // each) + 1) * each * DAY
        return np.concatenate([inside, after])


def naive(moment: datetime) -> np.datetime64:
    """Return a moment in UTC without its zone, in microseconds."""
    return np.datetime64(moment.astimezone(UTC).replace(tzinfo=None), "us")


def upper_ends(shares: Sequence[float]) -> list[float]:
    """Return where each variant's part of [0, 1) ends; beyond the last nobody takes part."""
    return [min(1.0, float(end)) for end in np.cumsum(np.asarray(shares, np.float64)).round(12)]
