"""What decides how quality is measured, how weights are learned and what the gate allows."""

from typing import Annotated, Any

from pydantic import Field

from tasks.blend.parameters import MOST_PRIOR
from tasks.holdout.parameters import HoldoutParameters

Share = Annotated[float, Field(ge=0, le=1)]


class EvaluationParameters(HoldoutParameters):
    """The held-out listeners, the grids that are tried on them, and the gate's limits."""

    weights: tuple[Share, ...] = Field(
        default=(0.0, 0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0), min_length=1, max_length=101
    )
    """The collaborative shares w that are tried for each history-length segment."""
    priors: tuple[Annotated[float, Field(ge=0, le=MOST_PRIOR)], ...] = Field(
        default=(0.0, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 8.0, 100.0), min_length=1, max_length=51
    )
    """The strengths p of the popularity prior that are tried together with each w. With the
    largest, popularity alone orders the collaborative side."""
    gammas: tuple[Share, ...] = Field(
        default=(0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0),
        min_length=1,
        max_length=101,
    )
    """The γ that are tried for unplayed tracks."""
    gamma_price: float = Field(default=0.01, ge=0, le=1)
    """Share of the NDCG of played tracks that showing unplayed ones may cost, at most."""
    hidden: float = Field(default=0.2, gt=0, lt=1)
    """Share of played tracks that are taken for unplayed while γ is chosen."""
    hiding_plays: int = Field(default=2_000_000, ge=0, le=10**12)
    """Up to this many listens, γ is chosen with neighbours learned without the hidden tracks'
    plays. Beyond, learning once more would cost more than it tells: see docs/evaluation.md."""
    refit_above: Share = 0.02
    """Where more than this share of the listeners is held out, the neighbours are learned once
    more, from everybody, after they were measured, and those are published."""
    tuning_listeners: int = Field(default=1_000, ge=2, le=1_000_000)
    """Listeners per segment that the grids are tried on, of those held out and of those whom the
    temporal split asks; the reports are on all of them."""
    truncated_listeners: int = Field(default=2_500, ge=2, le=1_000_000)
    """Heavy listeners per segment that are measured a second time with a truncated history."""
    pooling: float = Field(default=100.0, ge=0, le=1e6)
    """A segment with fewer listeners than this leans on the segments next to it for the rest."""
    resamples: int = Field(default=1_000, ge=100, le=5_000)
    """Bootstrap resamples of the listeners (Efron 1979)."""
    confidence: float = Field(default=0.95, ge=0.5, le=0.999)
    """Share of resamples that an interval covers (percentile method)."""
    temporal_listeners: int = Field(default=1_000, ge=2, le=1_000_000)
    """The temporal split cuts off the fewest days at the end of the data in which this many
    listeners with earlier plays have played something new."""
    temporal_fewest: int = Field(default=30, ge=2, le=1_000_000)
    """With fewer of them than this there is no temporal split."""
    temporal_share: float = Field(default=0.2, ge=0, le=0.5)
    """Largest share of the listens that may be cut off; 0: no temporal split."""
    temporal_plays: int = Field(default=1_000_000, ge=1, le=10**12)
    """Where there are more listens than this, the temporal split learns from a sample of the
    listeners with about as many, and asks these: see docs/evaluation.md."""
    temporal_asked: int = Field(default=2_500, ge=2, le=1_000_000)
    """Listeners whom the models have seen that the temporal split asks at most, and as many others
    whom they have not."""
    temporal_tuning: int = Field(default=250, ge=2, le=1_000_000)
    """Held-out listeners per segment on which the blend of the models of the past is chosen."""
    temporal_half_lives: tuple[Annotated[int, Field(ge=0, le=36_500)], ...] = Field(
        default=(90, 180, 360, 720, 1_440), max_length=51
    )
    """Days after which a play of a history may count half; that all count the same is tried too."""
    gate_loss: float = Field(default=0.02, ge=0, le=1)
    """Largest allowed loss against the current release or the anchor, as a share of its value."""
    gate_collapse: float = Field(default=0.25, ge=0, le=1)
    """Largest fall of NDCG@100 below what the current release reached on the plays of its day."""
    gate_size: float = Field(default=0.05, gt=0, le=0.5)
    """Largest probability of refusing an equal release, over all metrics and both comparisons."""
    gate_strict: bool = False
    """True: what cannot be shown to stay within the limit is refused too (non-inferiority proper).
    False: refused is a loss beyond the limit whose interval leaves out zero."""
    gate_listeners: int = Field(default=30, ge=2, le=1_000_000)
    """With fewer common listeners than this the gate does not compare."""

    def measured_by(self) -> dict[str, Any]:
        """Return the fields that decide what is measured on given held-out listeners."""
        others = {name for name in type(self).model_fields if name.startswith(_OTHERS)}
        elsewhere = {"holdout", "min_listeners", "max_listeners", "hiding_plays", "refit_above"}
        return self.model_dump(exclude=elsewhere | others)

    def cut_by(self) -> dict[str, Any]:
        """Return the fields that decide what the temporal split learns from and asks."""
        names = {name for name in type(self).model_fields if name.startswith("temporal_")}
        return self.model_dump(
            include={"seed", *names} - {"temporal_tuning", "temporal_half_lives"}
        )

    def asked_by(self) -> dict[str, Any]:
        """Return the fields that decide what the temporal split makes of its answers."""
        grids = {"weights", "priors", "tuning_listeners", "pooling", "temporal_half_lives"}
        return self.model_dump(include={*grids, "resamples", "confidence", "seed"})

    def of_the_past(self) -> "EvaluationParameters":
        """Return what the blend of the temporal split is chosen with, on fewer listeners."""
        return self.model_copy(
            update={
                "tuning_listeners": min(self.tuning_listeners, self.temporal_tuning),
                "truncated_listeners": min(self.truncated_listeners, self.temporal_tuning),
            }
        )


_OTHERS = ("gate_", "temporal_")
"""Beginnings of the names of fields that decide nothing of the random split."""
