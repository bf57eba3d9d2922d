"""The properties of the intervals on simulated experiments: false alarms, coverage, power.

The whole table, for every metric: `python -m tests.benchmarks.experiments`.
"""

from functools import cache

import numpy as np
import pytest

from tasks.experiments.metrics import METRICS
from tasks.sample.feedback import FeedbackParameters
from tests.tasks.experiments.simulated import (
    PATTERNS,
    Drawn,
    draw,
    metric_named,
    paths,
    power_of,
)

Z = 1.959963984540054
NOTHING = FeedbackParameters(lift=0.0)


@cache
def without_effect(pattern: str, count: int) -> list[Drawn]:
    return [draw(seed, 400, pattern, NOTHING) for seed in range(count)]


@pytest.mark.parametrize("metric", [metric.name for metric in METRICS])
@pytest.mark.parametrize("pattern", PATTERNS)
def test_experiments_read_every_day(pattern: str, metric: str) -> None:
    """A short form of the table: three alarms of thirty are plausible, seven are not.

    The critical values are those of the data: no reading has one beyond 4.5, and the last one is
    near 1.96 however the listeners come, a little above it where the cases are few.
    """
    found = paths(metric_named(metric), without_effect(pattern, 30))
    critical = found.critical
    assert (np.abs(found.z) > critical).any(axis=1).sum() <= 6
    assert critical[found.information > 0].max() < 4.5
    assert np.median(critical[:, -1]) < 2.06
    assert critical[:, -1].max() < 2.3


@pytest.mark.slow
@pytest.mark.parametrize("metric", ["click_through_rate", "listening_seconds", "return_day_7"])
@pytest.mark.parametrize("pattern", PATTERNS)
def test_many_experiments_without_effect_give_few_false_alarms(pattern: str, metric: str) -> None:
    drawn = [draw(seed, 600, pattern, NOTHING) for seed in range(500)]
    found = paths(metric_named(metric), drawn)
    daily = (np.abs(found.z) > found.critical).any(axis=1).mean()
    assert 0.025 <= daily <= 0.078  # 99.5 % of the draws of a true 5 %


@pytest.mark.slow
def test_intervals_cover_the_true_lift_and_find_it_as_often_as_the_textbook_says() -> None:
    drawn = [draw(seed, 600, "even", FeedbackParameters(lift=0.15)) for seed in range(500)]
    found = paths(metric_named("click_through_rate"), drawn)
    low, high = found.effect.lift_interval(found.critical[:, -1])
    assert 0.92 <= ((low <= 0.15) & (high >= 0.15)).mean() <= 0.98
    power = (np.abs(found.z[:, -1]) > found.critical[:, -1]).mean()
    difference = 0.15 * found.effect.control.value.mean()
    textbook = power_of(difference, found.effect.standard_error, Z).mean()
    assert power == pytest.approx(textbook, abs=0.06)


def test_what_was_before_makes_intervals_narrower() -> None:
    found = paths(metric_named("click_through_rate"), without_effect("even", 30))
    assert found.effect.explained.mean() > 0.1
