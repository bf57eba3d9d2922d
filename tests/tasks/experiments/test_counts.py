"""Sample ratio mismatch and power against scipy and statsmodels."""

import pytest
from scipy import stats
from statsmodels.stats.gof import chisquare
from statsmodels.stats.power import NormalIndPower

from tasks.experiments.mismatch import MISMATCH_LEVEL, mismatch_p_value
from tasks.experiments.power import users_needed
from tests.tasks.experiments.simulated import power_of

Z = float(stats.norm.ppf(0.975))


@pytest.mark.parametrize(
    ("users", "shares"),
    [([5000, 5100], [0.5, 0.5]), ([900, 120], [0.9, 0.1]), ([10, 22, 31], [0.2, 0.3, 0.4])],
)
def test_a_mismatch_is_pearsons_test(users: list[int], shares: list[float]) -> None:
    expected = [sum(users) * share / sum(shares) for share in shares]
    _, p_value = chisquare(users, expected)
    assert mismatch_p_value(users, shares) == pytest.approx(p_value, abs=1e-9)


def test_a_mismatch_by_hand() -> None:
    # (600 − 500)²/500 + (400 − 500)²/500 = 40, far beyond what chance gives
    assert mismatch_p_value([600, 400], [0.5, 0.5]) == pytest.approx(stats.chi2.sf(40, 1))
    assert (
        mismatch_p_value([600, 400], [0.5, 0.5])
        < MISMATCH_LEVEL
        < mismatch_p_value([505, 495], [1, 1])
    )
    assert mismatch_p_value([0, 0], [0.5, 0.5]) == 1.0


def test_the_power_is_statsmodels() -> None:
    for per_arm, effect in ((100, 0.3), (1000, 0.1), (50, 0.05)):
        error = (2 / per_arm) ** 0.5
        expected = NormalIndPower().power(effect, per_arm, 0.05)
        assert power_of(effect, error, Z) == pytest.approx(expected, abs=1e-9)


def test_the_listeners_needed_are_statsmodels() -> None:
    expected = NormalIndPower().solve_power(0.1, alpha=0.05, power=0.8)
    needed = users_needed(1000, (2 / 500) ** 0.5, 0.1, Z, 0.8)
    assert needed == pytest.approx(2 * expected, abs=1.01)  # one tail only
