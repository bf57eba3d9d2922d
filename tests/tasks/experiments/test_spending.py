"""Critical values against published ones and against simulation; p-values against intervals."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from tasks.experiments.information import AT_END, Boundary, boundary, plan, rising
from tasks.experiments.spending import critical_values, obrien_fleming, spent

DAYS = 28


def _even(looks: int) -> NDArray[np.float64]:
    return np.arange(1, looks + 1) / looks


PATHS = {
    "even": _even(DAYS),
    "early": _even(DAYS) ** 0.4,
    "late": _even(DAYS) ** 2.5,
    "bursty": np.cumsum([0.3, 0.1] + [0.01] * 7 + [0.25, 0.05] + [0.02] * 17),
    # all came on the first day: what they do adds less and less
    "cohort": _even(DAYS) / (_even(DAYS) + 3 / DAYS),
    # all come due on one day, and nothing is added later
    "returns of a cohort": np.concatenate([np.zeros(8), np.ones(DAYS - 8)]),
}


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
    allowed = np.diff(obrien_fleming(0.05, _even(looks)), prepend=0.0)
    found = critical_values(_even(looks)[None], allowed[None])[0]
    assert found == pytest.approx(published, abs=2e-4)


def test_one_reading_is_the_plain_test() -> None:
    one = Boundary(np.ones(1), 1, True, 0.05)
    assert one.critical == pytest.approx(stats.norm.ppf(0.975), abs=1e-6)
    for z in (1.96, -4.0):
        assert one.p_value(z) == pytest.approx(2 * stats.norm.sf(abs(z)), rel=0.02)
    assert one.p_value(0.0) == 1.0


def test_all_of_the_error_is_spent_in_the_end() -> None:
    assert spent(0.05, np.array([1.0])) == pytest.approx(0.05)
    assert np.all(np.diff(spent(0.05, np.linspace(0.02, 1, 50))) > 0)
    for path in PATHS.values():
        allowed = plan(path[None], DAYS, True, 0.05).allowed
        assert allowed.sum() == pytest.approx(0.05)
        assert allowed[0, -1] > (1 - AT_END) * 0.05 - 1e-12


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS.keys())
def test_random_walks_cross_as_often_as_they_may(path: NDArray[np.float64]) -> None:
    """However the information grows, and although its growth was not foreseen."""
    critical = boundary(path[None], DAYS, True, 0.05)[0]
    steps = np.sqrt(np.diff(path, prepend=0.0))
    walks = (np.random.default_rng(0).normal(size=(100_000, DAYS)) * steps).cumsum(axis=1)
    z = walks / np.sqrt(np.maximum(path, 1e-12))
    assert (np.abs(z) > critical).any(axis=1).mean() == pytest.approx(0.05, abs=0.0025)


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS.keys())
def test_no_interval_is_absurdly_wide(path: NDArray[np.float64]) -> None:
    """A cohort that all came on the first day had critical values of 11.8, until its end."""
    for done in range(1, DAYS + 1):
        if path[done - 1] > 0:
            assert boundary(path[None, :done], DAYS, done == DAYS, 0.05)[0, -1] < 4.5
    assert boundary(path[None], DAYS, True, 0.05)[0, -1] < 2.06


def test_a_cohort_that_is_complete_is_not_held_back() -> None:
    critical = boundary(PATHS["returns of a cohort"][None], DAYS, True, 0.05)[0]
    assert critical[17] < 2.3  # ten days after all came due
    assert critical[-1] == pytest.approx(1.96, abs=0.001)


def test_a_later_reading_does_not_change_an_earlier_one() -> None:
    for path in PATHS.values():
        whole = boundary(path[None], DAYS, False, 0.05)[0]
        for done in (5, 12, 20):
            assert boundary(path[None, :done], DAYS, False, 0.05)[0] == pytest.approx(whole[:done])


def test_information_never_falls() -> None:
    given = np.array([np.nan, 1.0, 0.9, np.inf, 1.2])
    assert rising(given).tolist() == [0.0, 1.0, 1.0, 1.0, 1.2]


@pytest.mark.parametrize("done", [1, 7, 14])
def test_the_p_value_is_small_just_when_the_interval_leaves_out_0(done: int) -> None:
    found = Boundary(_even(14)[:done], 14, done == 14, 0.05)
    assert found.p_value(found.critical) == pytest.approx(0.05)
    values = [found.p_value(z) for z in np.linspace(0, found.critical + 2, 200)]
    assert np.all(np.diff(values) <= 0)
    assert found.p_value(found.critical + 1e-6) < 0.05 < found.p_value(found.critical - 1e-6)


def test_another_level_is_nearly_that_of_its_own_boundary() -> None:
    found = Boundary(PATHS["even"], DAYS, True, 0.05)
    for level in (0.025, 0.005, 0.001):
        exact = boundary(PATHS["even"][None], DAYS, True, level)[0, -1]
        assert found.critical_at(level) == pytest.approx(exact, abs=0.005)
