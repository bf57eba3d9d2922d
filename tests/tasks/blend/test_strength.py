"""Strengths by hand, their bounds, and whose plays they depend on."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.blend.kernels.sums import LONGEST_HISTORY
from tasks.blend.strength import STRONGEST, strengths


def of(days: list[int], half_life: int) -> list[int]:
    """Return the strengths of one history."""
    return [int(one) for one in strengths(np.array([0, len(days)]), np.array(days), half_life)]


def test_a_play_counts_half_as_much_after_a_half_life() -> None:
    assert of([1000, 910, 820, 730, 0], 90) == [8, 8 / 2, 8 / 4, 8 / 8, 1]
    # 8 / 2 ** (45 / 90) = 5.66, 8 / 2 ** (10 / 90) = 7.41
    assert of([1000, 955, 990], 90) == [8, 6, 7]


def test_with_no_half_life_all_tracks_count_once() -> None:
    assert of([5, 1000, -1], 0) == [1, 1, 1]


def test_a_play_without_a_day_counts_as_the_newest() -> None:
    assert of([1000, -1, 910], 90) == [8, 8, 4]
    assert of([-1, -1], 90) == [8, 8]


def test_histories_do_not_depend_on_each_other() -> None:
    days = np.array([1000, 910, 500, 410, 0])
    indptr = np.array([0, 2, 2, 4, 5])
    assert strengths(indptr, days, 90).tolist() == [8, 4, 8, 4, 8]
    half_lives = np.array([90, 90, 0, 45])
    assert strengths(indptr, days, half_lives).tolist() == [8, 4, 1, 1, 8]


@pytest.mark.parametrize(
    ("tracks", "most"),
    [(1, 8), (4_095, 8), (4_096, 7), (10_922, 3), (16_383, 2), (16_384, 1), (LONGEST_HISTORY, 1)],
)
def test_a_long_history_has_strengths_whose_sums_fit(tracks: int, most: int) -> None:
    strong = strengths(np.array([0, tracks]), np.zeros(tracks, np.int64), 90)
    assert set(strong.tolist()) == {most}
    assert int(strong.sum()) <= LONGEST_HISTORY


@settings(max_examples=100, deadline=None)
@given(
    days=st.lists(st.integers(0, 30_000), min_size=1, max_size=30),
    half_life=st.integers(1, 5_000),
    later=st.integers(0, 3_000),
)
def test_only_a_listener_s_own_newest_play_matters(
    days: list[int], half_life: int, later: int
) -> None:
    found = of(days, half_life)
    assert found == of([day + later for day in days], half_life)
    assert max(found) == STRONGEST
    assert min(found) >= 1
    order = np.argsort(days)
    assert (np.diff(np.array(found)[order]) >= 0).all()
