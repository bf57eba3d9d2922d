"""The metrics of experiments in words: what they count, and which direction is better."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """One metric as the page names it."""

    name: str
    """Its name in `experiment_results`."""
    words: str
    """Short, for labels and sentences."""
    more_is_better: bool = True


METRICS = (
    Metric("click_through_rate", "clicks per track shown"),
    Metric("plays_per_exposure", "plays per track shown"),
    Metric("skip_rate", "skips per play", more_is_better=False),
    Metric("listening_seconds", "listening time"),
    Metric("return_day_1", "returns after 1 day"),
    Metric("return_day_7", "returns after 7 days"),
    Metric("return_day_30", "returns after 30 days"),
    Metric("subscription_rate", "subscriptions"),
    Metric("cancellation_rate", "cancellations", more_is_better=False),
)
"""In display order."""


def metric_named(name: str) -> Metric:
    """Return a metric; one that this version does not know keeps its name."""
    return next((m for m in METRICS if m.name == name), Metric(name, name.replace("_", " ")))
