"""Tuning: the split hides what it says, the search finds what it can, the report is honest."""

from collections.abc import Sequence

import numpy as np
import pytest
from scipy import sparse

from tasks.collaborative.parameters import CollaborativeParameters
from tasks.evaluation.metrics import Values
from tasks.tuning.folds import METRICS, measure, rank_unheard, split_listeners
from tasks.tuning.parameters import TuneParameters
from tasks.tuning.search import Grid, Tuning, measured_here, tune, tuning_fold
from warehouse.errors import InputError


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


def tuned(X: sparse.csr_array, start: CollaborativeParameters, grid: Grid) -> Tuning:
    return tune(measured_here(tuning_fold(X, TuneParameters())), start, grid)


def test_the_search_moves_a_dial_that_matters_and_repeats_itself() -> None:
    X = tastes(1)
    bad = CollaborativeParameters(neighbours=1, ridge=10.0)
    grid = {"neighbours": (1, 8, 20), "non_negative": (False, True)}
    tuning = tuned(X, bad, grid)
    assert tuning.chosen.neighbours > 1
    assert tuning.chosen.ridge == bad.ridge  # not in the grid
    tried = [point.parameters for point in tuning.curve]
    assert len(tried) == len(set(tried))
    by_setting = {point.parameters: point.values for point in tuning.curve}
    assert by_setting[tuning.chosen]["ndcg@100"] > by_setting[bad]["ndcg@100"]
    assert tuned(X, bad, grid) == tuning


@pytest.mark.parametrize("cross_fit", [True, False])
def test_how_far_a_search_is_never_goes_back_and_ends_at_all(cross_fit: bool) -> None:
    said: list[tuple[int, int]] = []
    parameters = TuneParameters(cross_fit=cross_fit)
    grid = {"neighbours": (1, 8, 20), "non_negative": (False, True)}
    tune(
        measured_here(tuning_fold(tastes(1), parameters)),
        CollaborativeParameters(neighbours=1, ridge=10.0),
        grid,
        parameters,
        turned=lambda done, of: said.append((done, of)),
    )
    assert [done for done, _ in said] == sorted(done for done, _ in said)
    assert all(done <= of for done, of in said)
    assert said[0] == (0, (3 if cross_fit else 1) * parameters.rounds * len(grid))
    done, of = said[-1]
    assert done == of > 0


def test_a_dial_climbs_both_ways_and_stops_where_a_step_is_not_worth_it() -> None:
    """Quality has its top at 30 and is flat beyond 50, where a search must not wander."""
    of_ridge = {10.0: 0.20, 20.0: 0.25, 30.0: 0.30, 50.0: 0.29, 100.0: 0.29, 200.0: 0.29}
    asked: list[float] = []

    def measured(settings: Sequence[CollaborativeParameters]) -> list[dict[str, Values]]:
        asked.extend(setting.ridge for setting in settings)
        return [dict.fromkeys(METRICS, np.full(6, of_ridge[one.ridge])) for one in settings]

    for start, top in ((10.0, 30.0), (50.0, 30.0), (200.0, 200.0)):
        asked.clear()
        grid = {"ridge": tuple(of_ridge)}
        assert tune(measured, CollaborativeParameters(ridge=start), grid).chosen.ridge == top
        assert len(asked) == len(set(asked)) < len(of_ridge)


def test_what_a_half_found_is_taken_where_it_is_better_for_everyone() -> None:
    """Ridge 20 is worse for all listeners than 10, but not for half of them, who get to 30."""
    halves = {10.0: (0.30, 0.30), 20.0: (0.35, 0.21), 30.0: (0.45, 0.35)}

    def measured(settings: Sequence[CollaborativeParameters]) -> list[dict[str, Values]]:
        return [dict.fromkeys(METRICS, np.array(halves[one.ridge] * 3)) for one in settings]

    start, grid = CollaborativeParameters(ridge=10.0), {"ridge": tuple(halves)}
    assert tune(measured, start, grid).chosen.ridge == 30.0
    alone = TuneParameters(cross_fit=False)
    assert tune(measured, start, grid, alone).chosen.ridge == 10.0


def test_the_report_does_not_see_the_choice() -> None:
    """With one setting to choose from, cross-fitting changes nothing."""
    tuning = tuned(tastes(2), CollaborativeParameters(neighbours=10), {})
    (point,) = tuning.curve
    assert tuning.reported == pytest.approx(point.values)
    assert set(tuning.reported) == set(METRICS)


def test_tuning_listeners_come_from_those_allowed() -> None:
    X, among = tastes(3), np.arange(0, 240, 2)
    fold = tuning_fold(X, TuneParameters(share=0.5), among)
    heavy = np.flatnonzero(np.diff(X.indptr) >= 5)
    expected = round(0.5 * len(np.intersect1d(heavy, among)))
    assert len(fold.shown.indptr) - 1 == expected
    assert fold.training.shape[0] == 240 - expected
    kept = {row.tobytes() for row in fold.training.toarray()}
    assert all(row.tobytes() in kept for row in X.toarray()[1::2])


def test_too_few_listeners_are_named() -> None:
    with pytest.raises(InputError, match="at least 5 tracks"):
        tuning_fold(sparse.csr_array(np.eye(10)), TuneParameters())
