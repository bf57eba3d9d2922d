"""Exact search against a slow plain oracle, ties and blocks included."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.content.search import COLUMNS, NO_TRACK, ROWS, Space, nearest


def lattice_space(size: int, seed: int, bonus: float = 0.0) -> Space:
    """Make vectors of few small whole eighths, so that sums are exact and ties are many."""
    rng = np.random.default_rng(seed)
    vectors = (rng.integers(-2, 3, (size, 6)) / 8).astype(np.float32)
    return Space(vectors, rng.integers(-1, max(size // 5, 1), size).astype(np.int32), bonus)


def oracle(space: Space, k: int, rows: np.ndarray, columns: np.ndarray) -> list[list[int]]:
    """Sort the columns of every row by similarity, then key."""
    same = (space.artists[:, None] == space.artists) & (space.artists >= 0)[:, None]
    similarity = (space.vectors @ space.vectors.T) * (1 - space.bonus) + same * space.bonus
    lists = []
    for row in rows:
        keys = [key for key in columns if key != row and similarity[row, key] > 0]
        keys.sort(key=lambda key: (-similarity[row, key], key))
        lists.append([int(key) for key in keys[:k]])
    return lists


@settings(max_examples=25, deadline=None)
@given(
    size=st.sampled_from([1, 2, 40, ROWS, ROWS + 3, 600]),
    k=st.sampled_from([1, 5, 50]),
    bonus=st.sampled_from([0.0, 0.25, 0.5]),
    seed=st.integers(0, 99),
)
def test_lists_equal_the_oracle(size: int, k: int, bonus: float, seed: int) -> None:
    space = lattice_space(size, seed, bonus)
    rng = np.random.default_rng(seed)
    rows, columns = (np.flatnonzero(rng.random(size) < share) for share in (0.9, 0.7))
    found = nearest(space, 0, len(rows), k, rows, columns)
    lists = [[int(key) for key in row if key != NO_TRACK] for row in found.tracks]
    assert lists == oracle(space, k, rows, columns)


def test_more_than_one_column_tile() -> None:
    size = COLUMNS + 100
    space = lattice_space(size, 7)
    everything = np.arange(size)
    found = nearest(space, ROWS, 2 * ROWS, 9)
    expected = oracle(space, 9, everything, everything)[ROWS : 2 * ROWS]
    assert [[int(key) for key in row if key != NO_TRACK] for row in found.tracks] == expected


def test_equals_brute_force_of_scikit_learn() -> None:
    from sklearn.neighbors import NearestNeighbors

    rng = np.random.default_rng(3)
    vectors = rng.normal(size=(900, 24))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    ours = nearest(Space(vectors, np.full(900, -1, np.int32), 0.0), 0, 900, 20)
    brute = NearestNeighbors(n_neighbors=21, algorithm="brute").fit(vectors)
    theirs = brute.kneighbors(vectors, return_distance=False)[:, 1:]
    assert (ours.tracks == theirs).mean() > 0.999  # float32 may swap two near equals
    products = np.einsum("ij,ikj->ik", vectors, vectors[ours.tracks])
    assert ours.similarity == pytest.approx(products, abs=1e-6)


def test_observed_positions_replace_the_last_columns_of_the_listed() -> None:
    vectors = np.array([[1, 0], [0, 1], [0.6, 0.8]], np.float32)
    observed = np.array([[0], [0.5], [-1]], np.float32)
    space = Space(vectors, np.full(3, -1, np.int32), 0.0, observed)
    found = nearest(space, 0, 3, 2, observed=True)
    # Row 2 · (0, ½) = 0.8 × ½ and row 2 · (1, 0) = 0.6.
    assert found.tracks[2].tolist() == [0, 1]
    assert found.similarity[2] == pytest.approx([0.6, 0.8 * 0.5])
    # Row 1 · (1, 0) = 0 and row 1 · (0.6, -1) < 0: nothing is listed.
    assert found.tracks[1].tolist() == [NO_TRACK, NO_TRACK]


def test_start_must_lie_on_the_grid() -> None:
    with pytest.raises(ValueError, match="multiple"):
        nearest(lattice_space(10, 0), 3, 10, 2)


def test_other_artists_alone() -> None:
    space = lattice_space(300, 4, bonus=0.5)
    found = nearest(space, 0, 300, 7, other_artists=True)
    same = (space.artists[:, None] == space.artists) & (space.artists >= 0)[:, None]
    similarity = np.where(same, 0, (space.vectors @ space.vectors.T) * 0.5)
    np.fill_diagonal(similarity, 0)
    for row in range(300):
        order = np.argsort(-similarity[row], kind="stable")[:7]
        expected = [int(key) for key in order if similarity[row, key] > 0]
        assert [int(key) for key in found.tracks[row] if key != NO_TRACK] == expected
