"""The discount on neighbours that repeat each other, worked by hand and against a dense solve."""

import numpy as np
import pyarrow as pa
import pytest

from tasks.content import ContentParameters
from tasks.content.discount import discounted
from tasks.content.search import Space
from tasks.content.tables import content_tables
from tasks.schemas import EDGES, WEIGHT_SCALE


def edges_of(rows: list[tuple[int, int, float]]) -> pa.Table:
    source, target, weight = zip(*rows, strict=True)
    whole = np.rint(np.array(weight) * WEIGHT_SCALE).astype(np.int16)
    return pa.table([np.array(source, np.int32), np.array(target, np.int32), whole], schema=EDGES)


def weights_of(table: pa.Table) -> dict[tuple[int, int], float]:
    return {
        (row["source"], row["target"]): row["weight"] / WEIGHT_SCALE for row in table.to_pylist()
    }


def test_copies_share_what_they_say() -> None:
    # Tracks 1 and 2 are copies, both 0.6 like track 0; track 3 is 0.8 like it and unlike them.
    vectors = np.array([[0.6, 0.8, 0], [1, 0, 0], [1, 0, 0], [0, 1, 0]], np.float32)
    space = Space(vectors, np.full(4, -1, np.int32), 0.0)
    edges = edges_of([(0, 1, 0.6), (0, 2, 0.6), (0, 3, 0.8)])
    found = weights_of(discounted(edges, space, np.ones(4, np.bool_), 1.0, 10))
    # (K + λI) b = k with λ = 1: two copies solve [[2, 1], [1, 2]] b = (0.6, 0.6).
    assert found[1, 0] == pytest.approx((1 + 1) * 0.6 / 3, abs=1e-4)
    assert found[2, 0] == found[1, 0]
    assert found[3, 0] == pytest.approx((1 + 1) * 0.8 / 2, abs=1e-4)
    nothing = weights_of(discounted(edges, space, np.ones(4, np.bool_), 1e6, 10))
    assert nothing[1, 0] == pytest.approx(0.6, abs=1e-4)


def test_played_and_unplayed_neighbours_do_not_compete() -> None:
    vectors = np.array([[0.6, 0.8], [1, 0], [1, 0]], np.float32)
    space = Space(vectors, np.full(3, -1, np.int32), 0.0)
    edges = edges_of([(0, 1, 0.6), (0, 2, 0.6)])
    found = weights_of(discounted(edges, space, np.array([True, True, False]), 1.0, 10))
    assert found == {(1, 0): pytest.approx(0.6), (2, 0): pytest.approx(0.6)}


def test_only_the_most_similar_are_solved() -> None:
    vectors = np.eye(4, dtype=np.float32)
    space = Space(vectors, np.full(4, -1, np.int32), 0.0)
    edges = edges_of([(0, 1, 0.2), (0, 2, 0.4), (0, 3, 0.3)])
    found = weights_of(discounted(edges, space, np.ones(4, np.bool_), 8.0, 2))
    assert found == {(2, 0): pytest.approx(0.4), (3, 0): pytest.approx(0.3)}


def test_equals_a_dense_solve_and_lists_the_same_pairs() -> None:
    rng = np.random.default_rng(1)
    vectors = np.abs(rng.normal(size=(60, 5)))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    artists = rng.integers(0, 20, 60).astype(np.int32)
    space = Space(vectors, artists, 0.3)
    played = np.ones(60, np.bool_)
    parameters = ContentParameters(neighbours=8, redundancy=8.0)
    similarity, weights = content_tables(space, played, parameters)
    found = weights_of(weights)
    pairs = {(row["source"], row["target"]) for row in similarity.to_pylist()}
    assert set(found) <= pairs
    same = artists[:, None] == artists
    kernel = vectors.astype(np.float64) @ vectors.T * 0.7 + same * 0.3
    for target in range(60):
        near = sorted(source for source, other in pairs if other == target)
        solved = np.linalg.solve(
            kernel[np.ix_(near, near)] + 8 * np.eye(len(near)), kernel[near, target]
        )
        for source, weight in zip(near, 9 * solved, strict=True):
            expected = min(max(weight, 0.0), 1.0)
            assert found.get((source, target), 0.0) == pytest.approx(expected, abs=1e-3)
