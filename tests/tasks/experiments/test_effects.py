"""Differences and intervals against scipy, statsmodels, the bootstrap and arithmetic by hand."""

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.typing import NDArray
from scipy import optimize
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from tasks.experiments.effects import Arm, compare

CLOSE = 1e-9


def _arm(rng: np.random.Generator, users: int, rate: float) -> Arm:
    shown = (rng.poisson(8, users) + 1).astype(np.float64)
    liking = rng.gamma(2.0, rate / 2.0, users).clip(max=1)
    before = rng.poisson(6, users).astype(float)
    return Arm(
        rng.binomial(shown.astype(int), liking).astype(float),
        shown,
        rng.binomial(before.astype(int), liking).astype(float),
        before,
    )


def residual(arm: Arm) -> NDArray[np.float64]:
    """Return (y − R n) / n̄ per listener."""
    error: NDArray[np.float64] = arm.numerator - arm.ratio * arm.denominator
    return error / float(arm.denominator.mean())


def _mean_variance(errors: NDArray[np.float64]) -> float:
    return float(errors @ errors) / (len(errors) * (len(errors) - 1))


def _means(values: NDArray[np.float64]) -> Arm:
    nothing = np.zeros(len(values))
    return Arm(values, np.ones(len(values)), nothing, nothing)


@pytest.mark.parametrize("seed", range(5))
def test_means_are_compared_as_statsmodels_does(seed: int) -> None:
    rng = np.random.default_rng(seed)
    control, treated = rng.exponential(3, 90), rng.exponential(4, 140)
    effect = compare(_means(control), _means(treated))
    z, _ = CompareMeans(DescrStatsW(treated), DescrStatsW(control)).ztest_ind(usevar="unequal")
    assert effect.z == pytest.approx(z, abs=CLOSE)
    assert effect.difference == pytest.approx(treated.mean() - control.mean(), abs=CLOSE)


@pytest.mark.parametrize("seed", range(5))
def test_a_ratio_is_a_weighted_regression_on_a_constant_with_robust_errors(seed: int) -> None:
    arm = _arm(np.random.default_rng(seed), 200, 0.2)
    ratios = arm.numerator / arm.denominator
    fitted = sm.WLS(ratios, np.ones(200), weights=arm.denominator).fit(cov_type="HC1")
    assert arm.ratio == pytest.approx(fitted.params[0], abs=CLOSE)
    assert _mean_variance(residual(arm)) == pytest.approx(fitted.bse[0] ** 2, abs=CLOSE)


@pytest.mark.parametrize("seed", range(5))
def test_what_was_before_is_taken_out_as_by_a_regression(seed: int) -> None:
    rng = np.random.default_rng(seed)
    control, treated = _arm(rng, 300, 0.1), _arm(rng, 260, 0.12)
    effect = compare(control, treated)
    arms = (control, treated)
    total = sum(arm.before_denominator.sum() for arm in arms)
    pooled = sum(arm.before_numerator.sum() for arm in arms) / total
    x = np.concatenate([arm.before_numerator - pooled * arm.before_denominator for arm in arms])
    x /= total / 560
    e = np.concatenate([residual(arm) + arm.ratio for arm in arms])
    is_treated = np.repeat([0.0, 1.0], [300, 260])
    fitted = sm.OLS(e, np.column_stack([np.ones(560), is_treated, x])).fit()
    assert effect.difference == pytest.approx(fitted.params[1], abs=CLOSE)
    assert 0 < effect.explained < 1


def test_the_delta_method_agrees_with_the_bootstrap_by_listener() -> None:
    rng = np.random.default_rng(7)
    arm = _arm(rng, 500, 0.15)
    draws = rng.integers(0, 500, (4000, 500))
    ratios = arm.numerator[draws].sum(axis=1) / arm.denominator[draws].sum(axis=1)
    assert np.sqrt(_mean_variance(residual(arm))) == pytest.approx(ratios.std(), rel=0.05)


@pytest.mark.parametrize("seed", range(20))
def test_the_interval_leaves_out_0_just_when_the_difference_is_significant(seed: int) -> None:
    rng = np.random.default_rng(seed)
    effect = compare(_arm(rng, 200, 0.1), _arm(rng, 200, 0.13))
    low, high = (float(end) for end in effect.lift_interval(1.96))
    assert (low > 0 or high < 0) == (abs(effect.z) > 1.96)
    assert low < effect.lift < high

    def distance(lift: float) -> float:
        c, t = effect.control, effect.treated
        spread = t.variance + (1 + lift) ** 2 * c.variance
        return float((t.value - (1 + lift) * c.value) ** 2 - 1.96**2 * spread)

    for end, inside in ((low, float(effect.lift)), (high, float(effect.lift))):
        far = end + 3 * (end - inside)
        assert optimize.brentq(distance, inside, far) == pytest.approx(end, abs=CLOSE)


def test_an_interval_without_bounds_is_nan() -> None:
    effect = compare(_means(np.array([0.0, 0, 0, 1])), _means(np.array([0.0, 1, 1, 0])))
    assert np.isnan(effect.lift_interval(1.96)).all()


def test_four_listeners_by_hand() -> None:
    nothing = np.zeros(2)
    control = Arm(np.array([1.0, 2.0]), np.array([4.0, 6.0]), nothing, nothing)
    treated = Arm(np.array([3.0, 2.0]), np.array([5.0, 5.0]), nothing, nothing)
    effect = compare(control, treated)
    assert effect.control.value == pytest.approx(3 / 10)
    assert effect.treated.value == pytest.approx(5 / 10)
    # residuals (1 - 0.3·4)/5 = -0.04 and (2 - 0.3·6)/5 = 0.04; their mean varies by their squares
    assert effect.control.variance == pytest.approx((0.04**2 + 0.04**2) / (2 * 1))
    # (3 - 0.5·5)/5 = 0.1 and (2 - 0.5·5)/5 = -0.1
    assert effect.treated.variance == pytest.approx((0.1**2 + 0.1**2) / (2 * 1))
    assert effect.lift == pytest.approx(0.5 / 0.3 - 1)
    assert effect.z == pytest.approx(0.2 / (0.0016 + 0.01) ** 0.5)
