"""Metrics against RecTools on random lists: values kept in a file, and values computed now.

RecTools wants pandas < 3, so it is installed into an environment of its own.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import sparse

from tasks.evaluation import beyond_accuracy as beyond
from tasks.evaluation.metrics import (
    average_precision,
    hit_rate,
    hits,
    ndcg_at_k,
    recall_at_k,
)
from tests.tasks.evaluation.rectools_reference import ITEMS, LENGTH, REFERENCE, USERS


def assert_close(values: NDArray[np.float64], expected: list[float]) -> None:
    np.testing.assert_allclose(values, expected, rtol=0, atol=1e-9)


def assert_accuracy(lists: dict[str, Any], k: int) -> None:
    ranked, expected = np.array(lists["ranked"]), lists["expected"]
    dense = np.zeros((USERS, ITEMS), np.int8)
    for user, row in enumerate(lists["targets"]):
        dense[user, row] = 1
    targets, sizes = sparse.csr_array(dense), dense.sum(axis=1)
    # RecTools divides by the number of targets, we by how many of them fit into the list
    fits = np.minimum(sizes, k) / sizes
    recall = recall_at_k(ranked, targets, k) * fits
    found = hits(ranked, targets)
    precision = average_precision(found, sizes, k) * fits
    assert_close(recall, expected[f"recall@{k}"])
    assert_close(precision, expected[f"map@{k}"])
    assert_close(ndcg_at_k(ranked, targets, k), expected[f"ndcg@{k}"])
    assert_close(hit_rate(found, sizes, k), expected[f"hit_rate@{k}"])


def assert_coverage_and_novelty(lists: dict[str, Any], k: int) -> None:
    ranked, expected = np.array(lists["ranked"])[:, :k], lists["expected"]
    shown = beyond.exposures(ranked, ITEMS)
    assert beyond.coverage(shown) == pytest.approx(expected[f"coverage@{k}"], abs=1e-9)
    listeners = np.bincount([item for row in lists["plays"] for item in row], minlength=ITEMS)
    information = beyond.self_information(listeners - 1, USERS - 1)  # RecTools adds no listener
    novelty = beyond.mean_along_lists(ranked, information)
    assert_close(novelty, expected[f"novelty@{k}"])


def assert_diversity_is_the_mean_distance_of_pairs(lists: dict[str, Any], k: int) -> None:
    ranked = np.array(lists["ranked"])[:, :k]
    expected = lists["expected"][f"diversity@{k}"]
    by_artist = beyond.artist_diversity(ranked, np.array(lists["artist"]))
    assert_close(by_artist, expected)
    # One tag per track is the same distance: 0 with the same tag, else 1
    tags = np.array(lists["artist"], np.int32)
    by_tag = beyond.tag_diversity(ranked, np.arange(ITEMS + 1, dtype=np.int64), tags)
    assert_close(by_tag, expected)


def assert_all(lists: dict[str, Any]) -> None:
    for k in (1, 5, 10, LENGTH):
        assert_accuracy(lists, k)
        assert_coverage_and_novelty(lists, k)
    for k in (5, 10, LENGTH):
        assert_diversity_is_the_mean_distance_of_pairs(lists, k)


def test_kept_values() -> None:
    assert_all(json.loads(REFERENCE.read_text()))


@pytest.fixture(scope="module")
def rectools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the Python of a new environment with RecTools in it."""
    environment, uv = tmp_path_factory.mktemp("rectools"), Path(sys.executable).parent / "uv"
    python = environment / "bin" / "python"
    for command in (
        ["venv", "--clear", str(environment)],
        ["pip", "install", "--python", str(python), "rectools==0.19.0"],
    ):
        done = subprocess.run([uv, *command], capture_output=True, text=True, timeout=200)
        if done.returncode:
            pytest.skip(f"RecTools cannot be installed: {done.stderr.strip().splitlines()[-1]}")
    return python


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_values_of_the_moment(rectools: Path, seed: int, tmp_path: Path) -> None:
    file = tmp_path / "lists.json"
    subprocess.run(
        [rectools, "-m", "tests.tasks.evaluation.rectools_reference", str(seed), file],
        cwd=Path(__file__).parents[3],
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        check=True,
        timeout=120,
    )
    assert_all(json.loads(file.read_text()))
