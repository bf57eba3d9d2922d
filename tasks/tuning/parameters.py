"""How `crossfade tune` measures and moves: the table ``[tune]``."""

from pydantic import Field

from tasks.choice.parameters import ChoiceParameters


class TuneParameters(ChoiceParameters):
    """How the search of a run and the long one measure and move."""

    share: float = Field(default=0.2, gt=0.0, lt=1.0)
    """Share of the listeners with at least 5 tracks to measure on."""

    most_listeners: int = Field(default=2_000, ge=2)
    """At most this many of them: past a few thousand, only time grows."""

    fold_in: float = Field(default=0.8, gt=0.0, lt=1.0)
    """Share of a tuning listener's tracks that the model is shown."""

    rounds: int = Field(default=3, ge=1, le=10)
    """At most this often through all dials."""

    least_gain: float = Field(default=0.001, ge=0.0, le=0.1)
    """A dial moves only for a gain above this share: less is chance, and may cost time."""

    cross_fit: bool = True
    """Search on either half too, to report what choosing is worth; off, about a third of the time
    is enough and nothing is reported."""
