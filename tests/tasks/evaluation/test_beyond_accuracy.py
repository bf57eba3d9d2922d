"""Metrics beyond accuracy, worked by hand."""

import math

import numpy as np
import pytest
from scipy import sparse

from tasks.evaluation import beyond_accuracy as beyond
from tasks.evaluation.metrics import average_precision, hit_rate, hits, sizes

RANKED = np.array([[0, 1, 2, 3], [2, 4, -1, -1], [-1, -1, -1, -1]], np.int32)


def test_average_precision_and_hit_rate_by_hand() -> None:
    targets = sparse.csr_array(
        np.array([[1, 0, 0, 1, 1], [1, 0, 0, 0, 1], [1, 0, 0, 0, 0], [0, 0, 0, 0, 0]])
    )
    found = hits(np.vstack([RANKED, RANKED[:1]]), targets)
    expected = [1 / 3 * (1 / 1 + 2 / 4), 1 / 2 * (1 / 2), 0 / 1, math.nan]
    np.testing.assert_allclose(average_precision(found, sizes(targets), 4), expected)
    # Of three targets only two fit into a list of two
    np.testing.assert_allclose(average_precision(found, sizes(targets), 2)[0], 1 / 2 * (1 / 1))
    np.testing.assert_allclose(hit_rate(found, sizes(targets), 4), [1, 1, 0, math.nan])
    np.testing.assert_allclose(hit_rate(found[:, 1:], sizes(targets), 1), [0, 1, 0, math.nan])


def test_means_along_lists_by_hand() -> None:
    value = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
    expected = [(1 + 2 + 4 + 8) / 4, (4 + 16) / 2, math.nan]
    np.testing.assert_allclose(beyond.mean_along_lists(RANKED, value), expected)


def test_novelty_by_hand() -> None:
    information = beyond.self_information(np.array([0, 1, 7]), 7)
    np.testing.assert_allclose(information, [-math.log2(1 / 8), -math.log2(2 / 8), 0])


def test_artist_diversity_by_hand() -> None:
    artist = np.array([5, 5, 5, -1, -1])
    # Of 6 pairs the 3 among the first three tracks share an artist; no artist is nobody's artist
    expected = [(6 - 3) / 6, 1.0, math.nan]
    np.testing.assert_allclose(beyond.artist_diversity(RANKED, artist), expected)


def test_tag_diversity_by_hand() -> None:
    tags = [[0, 1], [1, 2], [], [0, 1, 2], [3]]
    indptr = np.cumsum([0, *map(len, tags)])
    flat = np.array([tag for row in tags for tag in row], np.int32)
    # Pairs of tagged tracks: 0-1 share 1 of 3 tags, 0-3 two of 3, 1-3 two of 3
    expected = [(2 / 3 + 1 / 3 + 1 / 3) / 3, math.nan, math.nan]
    np.testing.assert_allclose(beyond.tag_diversity(RANKED, indptr, flat), expected)


def test_coverage_and_gini_by_hand() -> None:
    shown = beyond.exposures(RANKED, 6)
    np.testing.assert_array_equal(shown, [1, 1, 2, 1, 1, 0])
    assert beyond.coverage(shown) == 5 / 6
    # Mean absolute difference of all pairs of exposures / (2 × mean)
    differences = sum(abs(int(a) - int(b)) for a in shown for b in shown)
    assert beyond.gini(shown) == pytest.approx(differences / (2 * 6 * 6 * (6 / 6)))
    assert beyond.gini(np.full(9, 4)) == pytest.approx(0)
    assert beyond.gini(np.array([0, 0, 0, 8])) == pytest.approx(3 / 4)
    assert beyond.gini(np.zeros(3, np.int64)) == beyond.coverage(np.zeros(3, np.int64)) == 0
