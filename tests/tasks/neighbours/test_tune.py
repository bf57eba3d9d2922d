"""Tuning: the split hides what it says, the search finds what it can, the report is honest."""

import numpy as np
import pytest
from scipy import sparse

from tasks.neighbours.parameters import CollaborativeParameters
from tasks.neighbours.tune import (
    METRICS,
    TuneParameters,
    measure,
    rank_unheard,
    split_listeners,
    tune,
)


def tastes(seed: int, users: int = 240, tracks: int = 60) -> sparse.csr_array:
    """Return listeners who each keep mostly to one of four scenes."""
    rng = np.random.default_rng(seed)
    own = rng.integers(4, size=users)[:, None] == np.arange(tracks)[None, :] % 4
    return sparse.csr_array((rng.random((users, tracks)) < np.where(own, 0.5, 0.04)).astype(int))


def test_the_split_hides_a_fifth_and_trains_on_the_others() -> None:
    X = tastes(0)
    listeners = np.array([3, 10, 200])
    fold = split_listeners(X, listeners, 0.8, seed=1)
    assert fold.training.shape == (237, 60)
    assert fold.shown.multiply(fold.hidden).nnz == 0
    np.testing.assert_array_equal((fold.shown + fold.hidden).toarray(), X[listeners].toarray())
    played = np.diff(X.indptr)[listeners]
    hidden = np.diff(fold.hidden.indptr)
    np.testing.assert_array_equal(hidden, np.maximum(1, np.rint(0.2 * played)))


def test_ranking_leaves_out_what_was_shown_and_breaks_ties_by_key() -> None:
    scores = np.array([[0.5, 0.9, 0.5, 0.5]])
    shown = sparse.csr_array([[0, 1, 0, 0]])
    assert rank_unheard(scores, shown, 3).tolist() == [[0, 2, 3]]


def test_measuring_by_hand() -> None:
    X = sparse.csr_array(np.ones((1, 5)))
    fold = split_listeners(X, np.array([0]), 0.8, seed=0)  # four shown, one hidden
    values = measure(np.ones((5, 5)), fold)  # the hidden one is the only candidate
    assert {name: value.tolist() for name, value in values.items()} == {
        "recall@20": [1.0],
        "ndcg@100": [1.0],
    }


def test_the_search_moves_a_dial_that_matters_and_repeats_itself() -> None:
    X = tastes(1)
    bad = CollaborativeParameters(neighbours=1, ridge=10.0)
    grid = {"neighbours": (1, 20), "non_negative": (True, False)}
    tuning = tune(X, bad, grid)
    assert tuning.chosen.neighbours == 20
    assert tuning.chosen.ridge == bad.ridge  # not in the grid
    tried = [point.parameters for point in tuning.curve]
    assert len(tried) == len(set(tried))
    by_setting = {point.parameters: point.values for point in tuning.curve}
    assert by_setting[tuning.chosen]["ndcg@100"] > by_setting[bad]["ndcg@100"]
    assert tune(X, bad, grid) == tuning


def test_the_report_does_not_see_the_choice() -> None:
    """With one setting to choose from, cross-fitting changes nothing."""
    tuning = tune(tastes(2), CollaborativeParameters(neighbours=10), {})
    (point,) = tuning.curve
    assert tuning.reported == pytest.approx(point.values)
    assert set(tuning.reported) == set(METRICS)


def test_too_few_listeners_are_named() -> None:
    with pytest.raises(ValueError, match="at least 5 tracks"):
        tune(sparse.csr_array(np.eye(10)), parameters=TuneParameters())
