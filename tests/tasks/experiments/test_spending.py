"""Critical values against published ones and against simulation; p-values against intervals."""

import numpy as np
import pytest
from scipy import stats

from tasks.experiments.spending import Boundary, critical_values, spent


def _even(looks: int) -> list[float]:
    return [look / looks for look in range(1, looks + 1)]


@pytest.mark.parametrize(
    ("looks", "published"),
    [
        (1, [1.9600]),
        (2, [2.9626, 1.9686]),
        (5, [4.8769, 3.3569, 2.6803, 2.2898, 2.0310]),
    ],
)
def test_the_boundaries_are_the_published_ones(looks: int, published: list[float]) -> None:
    """Lan-DeMets spending of the O'Brien-Fleming shape, two-sided 5 %."""
    found = critical_values(_even(looks), _even(looks), 0.05)
    assert found == pytest.approx(published, abs=2e-4)


def test_one_reading_is_the_plain_test() -> None:
    boundary = Boundary([1.0], [1.0], 0.05)
    assert boundary.critical == pytest.approx(stats.norm.ppf(0.975), abs=1e-9)
    for z in (0.0, 0.3, 1.96, -4.0):
        assert boundary.p_value(z) == pytest.approx(2 * stats.norm.sf(abs(z)), abs=1e-12)


def test_all_of_the_error_is_spent_in_the_end() -> None:
    assert spent(0.05, np.array([1.0])) == pytest.approx(0.05)
    assert np.all(np.diff(spent(0.05, np.linspace(0.02, 1, 50))) > 0)


@pytest.mark.parametrize("pace", [1.0, 0.4, 2.5])
def test_random_walks_cross_as_often_as_they_may(pace: float) -> None:
    """Listeners may arrive early or late."""
    time = np.array(_even(20))
    information = time**pace
    critical = critical_values(information.tolist(), time.tolist(), 0.05)
    steps = np.sqrt(np.diff(information, prepend=0.0))
    walks = (np.random.default_rng(0).normal(size=(100_000, 20)) * steps).cumsum(axis=1)
    crossed = (np.abs(walks / np.sqrt(information)) > critical).any(axis=1).mean()
    assert crossed == pytest.approx(0.05, abs=0.0025)


def test_a_reading_without_new_listeners_changes_nothing() -> None:
    found = critical_values([0.5, 0.5, 1.0], [0.4, 0.5, 1.0], 0.05)
    assert found[1] == found[0]


@pytest.mark.parametrize("done", [1, 7, 14])
def test_the_p_value_is_small_just_when_the_interval_leaves_out_0(done: int) -> None:
    boundary = Boundary(_even(14)[:done], _even(14), 0.05)
    assert boundary.p_value(boundary.critical) == pytest.approx(0.05)
    values = [boundary.p_value(z) for z in np.linspace(0, boundary.critical + 2, 200)]
    assert np.all(np.diff(values) <= 0)
    assert (
        boundary.p_value(boundary.critical + 1e-6)
        < 0.05
        < boundary.p_value(boundary.critical - 1e-6)
    )
