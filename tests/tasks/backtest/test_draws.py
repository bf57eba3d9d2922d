"""Intervals over draws of hidden tracks: as wide as the draws differ."""

import numpy as np
import pytest

from tasks.backtest.draws import draw_means

DRAWS, LISTENERS = 10, 300


def test_a_hand_worked_interval() -> None:
    values = np.array([0.1, 0.3, np.nan, 0.5, 0.7, 0.6])  # draws of means 0.2 and 0.6
    found = draw_means(values, 2).interval()
    mean = (0.1 + 0.3 + 0.5 + 0.7 + 0.6) / 5
    residuals = [0.4 - 2 * mean, 1.8 - 3 * mean]  # they add up to 0
    half = 12.7062 * (abs(residuals[0] - residuals[1]) / 2**0.5) * 2**0.5 / 5
    assert found.value == pytest.approx(mean)
    assert found.high - found.value == pytest.approx(half, rel=1e-4)
    assert found.value - found.low == pytest.approx(half, rel=1e-4)


def test_intervals_hold_the_truth_when_draws_differ() -> None:
    """Draws move all their listeners together; nineteen of twenty intervals hold the mean."""
    rng = np.random.default_rng(0)
    held = held_ratio = narrow = 0
    worlds = 1_000
    for _ in range(worlds):
        easy = 1 + 0.2 * rng.normal(size=(DRAWS, 1))
        theirs = 0.3 * easy + 0.2 * rng.normal(size=(DRAWS, LISTENERS))
        ours = 0.36 * easy * (1 + 0.05 * rng.normal(size=(DRAWS, 1)))
        ours = ours + 0.2 * rng.normal(size=(DRAWS, LISTENERS))
        mean = draw_means(theirs.ravel(), DRAWS)
        found, ratio = mean.interval(), draw_means(ours.ravel(), DRAWS).ratio_to(mean)
        held += found.low <= 0.3 <= found.high
        held_ratio += ratio.low <= 1.2 <= ratio.high
        error = theirs.std() / theirs.size**0.5  # of listeners alone
        narrow += abs(theirs.mean() - 0.3) <= 1.96 * error
    assert 0.93 <= held / worlds <= 0.97
    assert 0.93 <= held_ratio / worlds <= 0.97
    assert narrow / worlds < 0.6


def test_a_ratio_to_nothing_is_not_a_number_or_infinite() -> None:
    nothing, some = draw_means(np.zeros(6), 2), draw_means(np.full(6, 0.2), 2)
    assert np.isinf(some.ratio_to(nothing).value)
    assert np.isnan(nothing.ratio_to(nothing).value)
    assert some.ratio_to(some) == pytest.approx((1, 1, 1))


def test_listeners_without_a_value_do_not_count() -> None:
    values = np.array([0.2, np.nan, 0.4, 0.6])
    assert draw_means(values, 2).pooled == pytest.approx((0.2 + 0.4 + 0.6) / 3)
    assert np.isnan(draw_means(np.full(4, np.nan), 2).pooled)
