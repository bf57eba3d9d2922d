"""Metrics against RecTools, whose values for random lists are kept in a file beside this one."""

import json
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import sparse

from tasks.evaluation import beyond
from tasks.evaluation.metrics import (
    average_precision_at_k,
    hit_rate_at_k,
    ndcg_at_k,
    recall_at_k,
)
from tests.tasks.evaluation.rectools_reference import ITEMS, REFERENCE, USERS


def assert_close(values: NDArray[np.float64], expected: list[float]) -> None:
    np.testing.assert_allclose(values, expected, rtol=0, atol=1e-9)


@pytest.fixture(scope="module")
def lists() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(REFERENCE.read_text())
    return found


@pytest.mark.parametrize("k", [1, 5, 10, 25])
def test_accuracy(lists: dict[str, Any], k: int) -> None:
    ranked, expected = np.array(lists["ranked"]), lists["expected"]
    dense = np.zeros((USERS, ITEMS), np.int8)
    for user, row in enumerate(lists["targets"]):
        dense[user, row] = 1
    targets, sizes = sparse.csr_array(dense), dense.sum(axis=1)
    # RecTools divides by the number of targets, we by how many of them fit into the list
    fits = np.minimum(sizes, k) / sizes
    recall = recall_at_k(ranked, targets, k) * fits
    precision = average_precision_at_k(ranked, targets, k) * fits
    assert_close(recall, expected[f"recall@{k}"])
    assert_close(precision, expected[f"map@{k}"])
    assert_close(ndcg_at_k(ranked, targets, k), expected[f"ndcg@{k}"])
    assert_close(hit_rate_at_k(ranked, targets, k), expected[f"hit_rate@{k}"])


@pytest.mark.parametrize("k", [1, 5, 10, 25])
def test_coverage_and_novelty(lists: dict[str, Any], k: int) -> None:
    ranked, expected = np.array(lists["ranked"])[:, :k], lists["expected"]
    shown = beyond.exposures(ranked, ITEMS)
    assert beyond.coverage(shown) == pytest.approx(expected[f"coverage@{k}"], abs=1e-9)
    listeners = np.bincount([item for row in lists["plays"] for item in row], minlength=ITEMS)
    information = beyond.self_information(listeners - 1, USERS - 1)  # RecTools adds no listener
    novelty = beyond.mean_along_lists(ranked, information)
    assert_close(novelty, expected[f"novelty@{k}"])


@pytest.mark.parametrize("k", [5, 10, 25])
def test_diversity_is_the_mean_distance_of_pairs(lists: dict[str, Any], k: int) -> None:
    ranked = np.array(lists["ranked"])[:, :k]
    expected = lists["expected"][f"diversity@{k}"]
    by_artist = beyond.artist_diversity(ranked, np.array(lists["artist"]))
    assert_close(by_artist, expected)
    # One tag per track is the same distance: 0 with the same tag, else 1
    tags = np.array(lists["artist"], np.int32)
    by_tag = beyond.tag_diversity(ranked, np.arange(ITEMS + 1, dtype=np.int64), tags)
    assert_close(by_tag, expected)
