"""The metrics, each a ratio of two sums over listeners."""

from dataclasses import dataclass

USERS = "users"
"""1 per listener, from the first exposure on."""

WAITS = {"1": 2, "7": 8, "30": 31}
"""Days from the first exposure until the listener's day 1, 7 or 30 is over."""


@dataclass(frozen=True)
class Metric:
    """One metric: sums of columns of what listeners did (`Activity`)."""

    name: str
    meaning: str
    numerator: tuple[str, ...]
    denominator: tuple[str, ...]
    before: tuple[tuple[str, ...], tuple[str, ...]]
    """Numerator and denominator before the experiment, for CUPED."""
    outcome: str
    """The outcomes that it waits for: clicks, plays (and skips), or those of a listener."""
    wait_days: int = 0
    """Days from a listener's first exposure until the listener counts."""
    is_capped: bool = True
    """A listener may add any number; False: 0 or 1."""


def _ratio(
    name: str, meaning: str, above: tuple[str, ...], below: tuple[str, ...], outcome: str
) -> Metric:
    before = tuple(tuple(f"before_{column}" for column in side) for side in (above, below))
    return Metric(name, meaning, above, below, (before[0], before[1]), outcome)


def _share(name: str, meaning: str, column: str, below: str = USERS, wait_days: int = 0) -> Metric:
    before = (("before_exposures",), (USERS,))
    return Metric(
        name, meaning, (column,), (below,), before, "listener", wait_days, is_capped=False
    )


METRICS = (
    _ratio(
        "click_through_rate", "exposures that were clicked, of all", ("clicks",), ("exposures",),
        "clicks",
    ),
    _ratio("plays_per_exposure", "plays for each exposure", ("plays",), ("exposures",), "plays"),
    _ratio(
        "skip_rate", "skips, of plays and skips together", ("skips",), ("plays", "skips"), "plays"
    ),
    Metric(
        "listening_seconds", "seconds listened for each listener", ("seconds",), (USERS,),
        (("before_seconds",), (USERS,)), "plays",
    ),
    *(
        _share(
            f"return_day_{day}", f"listeners who came back on the {word} day after",
            f"returned_{day}", f"due_{day}", WAITS[day],
        )
        for day, word in (("1", "first"), ("7", "seventh"), ("30", "thirtieth"))
    ),
    _share("subscription_rate", "listeners who subscribed", "subscribed"),
    _share("cancellation_rate", "listeners who cancelled", "cancelled"),
)  # fmt: skip
"""In display order."""
