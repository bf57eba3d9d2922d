"""Ranking metrics against hand-worked lists and a plain oracle."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from tasks.evaluation.metrics import hits, ndcg_at_k, recall_at_k


def targets_of(*rows: list[int], tracks: int = 10) -> sparse.csr_array:
    dense = np.zeros((len(rows), tracks), dtype=np.int8)
    for row, keys in enumerate(rows):
        dense[row, keys] = 1
    return sparse.csr_array(dense)


RANKED = np.array([[3, 1, 4, 0], [5, 6, -1, -1], [9, 8, 7, 2]], dtype=np.int32)


def test_hits_by_hand() -> None:
    found = hits(RANKED, targets_of([1, 4, 9], [6], []))
    assert found.tolist() == [[False, True, True, False], [False, True] + 2 * [False], 4 * [False]]


def test_recall_by_hand() -> None:
    targets = targets_of([1, 4, 9], [6], [])
    # first 2 of the list hold one of 3 targets, of which at most 2 fit; then 1 of 1; then no value
    np.testing.assert_allclose(recall_at_k(RANKED, targets, 2), [1 / 2, 1 / 1, math.nan])
    np.testing.assert_allclose(recall_at_k(RANKED, targets, 4), [2 / 3, 1 / 1, math.nan])


def test_ndcg_by_hand() -> None:
    targets = targets_of([1, 4, 9], [6], [])
    gain = [1 / math.log2(2), 1 / math.log2(3), 1 / math.log2(4)]
    expected = [(gain[1] + gain[2]) / (gain[0] + gain[1] + gain[2]), gain[1] / gain[0], math.nan]
    np.testing.assert_allclose(ndcg_at_k(RANKED, targets, 100), expected)
    np.testing.assert_allclose(
        ndcg_at_k(RANKED, targets, 2),
        [gain[1] / (gain[0] + gain[1]), gain[1] / gain[0], math.nan],
    )


@given(st.integers(0, 10_000), st.integers(1, 12), st.integers(1, 15))
@settings(max_examples=50, deadline=None, derandomize=True)
def test_properties(seed: int, k: int, length: int) -> None:
    rng = np.random.default_rng(seed)
    tracks = 15
    ranked = np.array([rng.permutation(tracks)[:length] for _ in range(6)])
    targets = sparse.csr_array(rng.random((6, tracks)) < 0.3)
    for metric in (recall_at_k, ndcg_at_k):
        values = metric(ranked, targets, k)
        none = targets.sum(axis=1) == 0
        assert np.array_equal(np.isnan(values), none)
        assert np.all((values[~none] >= 0) & (values[~none] <= 1 + 1e-12))
        beyond = np.hstack([ranked[:, :k], rng.permutation(tracks)[None, :].repeat(6, 0)])
        np.testing.assert_array_equal(
            metric(beyond, targets, min(k, length)), metric(ranked, targets, min(k, length))
        )
    for row in range(6):
        wanted = set(targets[[row]].indices.tolist())
        if wanted:
            found = [at for at, key in enumerate(ranked[row, :k]) if int(key) in wanted]
            size = min(len(wanted), k)
            ideal = sum(1 / math.log2(at + 2) for at in range(size))
            gained = sum(1 / math.log2(at + 2) for at in found)
            assert recall_at_k(ranked, targets, k)[row] == pytest.approx(len(found) / size)
            assert ndcg_at_k(ranked, targets, k)[row] == pytest.approx(gained / ideal)


def test_perfect_lists_are_worth_one() -> None:
    targets = targets_of([2, 5, 7], [0])
    ranked = np.array([[7, 2, 5], [0, 1, 2]])
    for k in (1, 2, 3, 50):
        assert recall_at_k(ranked, targets, k).tolist() == [1.0, 1.0]
        np.testing.assert_allclose(ndcg_at_k(ranked, targets, k), 1.0)
