"""The properties of the intervals on simulated experiments: false alarms, coverage, power."""

import numpy as np
import pytest
from scipy import stats

from tasks.experiments.spending import critical_values
from tests.tasks.experiments.simulated import DAYS, simulate

TIME = [day / DAYS for day in range(1, DAYS + 1)]
Z = 1.959963984540054


@pytest.mark.slow
def test_a_thousand_experiments_without_effect_give_few_false_alarms() -> None:
    rng = np.random.default_rng(11)
    once, daily, naive = 0, 0, 0
    for _ in range(1000):
        drawn = simulate(rng, 1000)
        critical = critical_values(drawn.seen(), TIME, 0.05)
        z = np.array([drawn.read(day).z for day in range(1, DAYS + 1)])
        once += abs(z[-1]) > Z
        daily += bool(np.any(np.abs(z) > critical))
        naive += bool(np.any(np.abs(z) > Z))
    assert 35 <= once <= 65
    assert 35 <= daily <= 65
    assert naive > 130  # what reading every day does to an interval that was not made for it


@pytest.mark.slow
@pytest.mark.parametrize("lift", [0.1, -0.2])
def test_a_thousand_intervals_cover_the_true_lift(lift: float) -> None:
    rng = np.random.default_rng(2)
    covered = 0
    for _ in range(1000):
        drawn = simulate(rng, 1500, lift)
        critical = critical_values(drawn.seen(), TIME, 0.05)[-1]
        interval = drawn.read(DAYS).lift_interval(critical)
        assert interval
        covered += interval[0] <= lift <= interval[1]
    assert 930 <= covered <= 970


@pytest.mark.slow
def test_the_power_is_that_of_the_textbook() -> None:
    rng = np.random.default_rng(3)
    found, errors = [], []
    boundary = critical_values(TIME, TIME, 0.05)[-1]
    for _ in range(600):
        effect = simulate(rng, 1500, 0.12).read(DAYS)
        found.append((abs(effect.z) > Z, abs(effect.z) > boundary))
        errors.append(effect.standard_error)
    true_effect = 0.012
    for position, critical in enumerate((Z, boundary)):
        shift = true_effect / float(np.mean(errors))
        expected = stats.norm.sf(critical - shift) + stats.norm.cdf(-critical - shift)
        assert np.mean([one[position] for one in found]) == pytest.approx(expected, abs=0.05)


def test_fifty_experiments_read_every_day() -> None:
    """A short form of the test above: four alarms of fifty are plausible, ten are not."""
    rng = np.random.default_rng(4)
    alarms = 0
    for _ in range(50):
        drawn = simulate(rng, 400)
        critical = critical_values(drawn.seen(), TIME, 0.05)
        alarms += any(abs(drawn.read(day).z) > critical[day - 1] for day in range(1, DAYS + 1))
    assert alarms <= 8


def test_what_was_before_makes_intervals_narrower_and_moves_no_effect() -> None:
    rng = np.random.default_rng(5)
    with_it, without = [], []
    for _ in range(60):
        drawn = simulate(rng, 1000, 0.1)
        with_it.append(drawn.read(DAYS))
        without.append(drawn.read(DAYS, before=False))
    assert np.mean([one.explained for one in with_it]) > 0.05
    assert {one.explained for one in without} == {0.0}
    mean = np.mean([one.difference for one in with_it])
    assert mean == pytest.approx(0.01, abs=0.002)
