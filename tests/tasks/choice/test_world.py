"""What settings are measured on: splits, samples of targets, metrics against a slow oracle."""

from itertools import pairwise

import numpy as np
import pytest
from scipy import sparse

from tasks.choice.training import weight_matrices
from tasks.choice.world import World, can_choose, draw_targets, make_world, measure
from tasks.collaborative.find_edges import weight_matrix
from tasks.collaborative.interactions import Interactions
from tasks.collaborative.parameters import CollaborativeParameters
from tests.tasks.collaborative import oracle


def matrix(seed: int, users: int = 300, tracks: int = 60) -> sparse.csr_array:
    rng = np.random.default_rng(seed)
    return sparse.csr_array((rng.random((users, tracks)) < 0.2).astype(np.int8))


def test_known_listeners_are_learned_from_and_new_ones_are_not() -> None:
    X = matrix(0)
    world = make_world(X, seed=1)
    heavy = int(np.count_nonzero(np.diff(X.indptr) >= 5))
    new = int(np.count_nonzero(world.is_new))
    assert (world.known, new) == (heavy // 2, heavy // 5)
    assert world.shown.multiply(world.hidden).nnz == 0
    rows = {row.tobytes() for row in X.toarray()}
    assert all(row.tobytes() in rows for row in (world.shown + world.hidden).toarray())
    assert world.training.shape == (300 - new, 60)
    assert world.training.nnz == X.nnz - (
        world.hidden[: world.known].nnz + (world.shown + world.hidden)[world.known :].nnz
    )
    np.testing.assert_array_equal(
        world.training.toarray()[-world.known :], world.shown[: world.known].toarray()
    )


def test_few_listeners_with_five_tracks_are_too_few() -> None:
    X = np.zeros((300, 10), np.int8)
    X[:, :4] = 1
    X[:199, 4] = 1
    assert not can_choose(sparse.csr_array(X))
    X[199, 4] = 1
    assert can_choose(sparse.csr_array(X))


def test_smaller_samples_of_targets_are_parts_of_larger_ones_and_stand_for_all() -> None:
    interactions = Interactions.of(matrix(1, tracks=500))
    drawn = [draw_targets(interactions, share, seed=3) for share in (0.1, 0.3, 0.6, 1.0)]
    for few, more in pairwise(drawn):
        assert set(few.tracks.tolist()) < set(more.tracks.tolist())
    totals = [draw_targets(interactions, 0.3, seed).weight.sum() for seed in range(200)]
    assert np.mean(totals) == pytest.approx(500, rel=0.02)


def by_hand(world: World, W: oracle.Dense, listeners: oracle.Dense) -> tuple[float, float]:
    """Return the means of recall@20 and NDCG@100, listener by listener."""
    recalls, gains = [], []
    for shown, hidden in zip(world.shown.toarray(), world.hidden.toarray(), strict=True):
        scores = shown @ W
        ranked = sorted(
            np.flatnonzero((shown == 0) & (listeners > 0)),
            key=lambda j: (-scores[j], -listeners[j]),
        )
        hits = [bool(hidden[j]) for j in ranked]
        size = int(hidden.sum())
        recalls.append(sum(hits[:20]) / min(size, 20))
        dcg = sum(1 / np.log2(at + 2) for at, hit in enumerate(hits[:100]) if hit)
        gains.append(dcg / sum(1 / np.log2(at + 2) for at in range(min(size, 100))))
    return float(np.mean(recalls)), float(np.mean(gains))


def test_metrics_on_all_targets_are_exact() -> None:
    world = make_world(matrix(2), seed=0)
    interactions = Interactions.of(world.training)
    W = weight_matrix(interactions, CollaborativeParameters(neighbours=10))
    targets = draw_targets(interactions, 1.0, 0)
    values = measure(W, world, targets, interactions.listeners)
    expected = by_hand(world, W.toarray(), interactions.listeners.astype(float))
    found = values["recall@20"].mean(), values["ndcg@100"].mean()
    assert found == pytest.approx(expected, rel=1e-4)  # scores that differ by rounding may tie


def test_metrics_on_samples_of_targets_are_near_those_on_all() -> None:
    world = make_world(matrix(4, users=1_000, tracks=400), seed=0)
    interactions = Interactions.of(world.training)
    W = weight_matrix(interactions, CollaborativeParameters(neighbours=20))
    every = measure(W, world, draw_targets(interactions, 1.0, 0), interactions.listeners)
    some = [
        measure(W, world, draw_targets(interactions, 0.5, seed), interactions.listeners)
        for seed in range(10)
    ]
    near = np.mean([values["ndcg@100"].mean() for values in some])
    assert near == pytest.approx(every["ndcg@100"].mean(), rel=0.1)


def test_weights_of_many_settings_at_once_are_those_of_each_alone() -> None:
    interactions = Interactions.of(matrix(5))
    base = CollaborativeParameters(neighbours=10, two_step_neighbours=20)
    settings = [
        base,
        base.model_copy(update={"ridge": 5.0}),
        base.model_copy(update={"target_exponent": 0.3, "source_exponent": 0.2}),
        base.model_copy(update={"marginal_share": 0.3}),
        base.model_copy(update={"non_negative": False, "popularity_ridge": 2.0}),
        base.model_copy(update={"two_step": 0.5}),
    ]
    every = np.arange(interactions.tracks, dtype=np.int32)
    for setting, found in zip(
        settings, weight_matrices(interactions, every, settings), strict=True
    ):
        alone = weight_matrix(interactions, setting)
        np.testing.assert_allclose(found.toarray(), alone.toarray(), rtol=1e-12)
    some = every[::3]
    (found,) = weight_matrices(interactions, some, settings[:1])
    dense = weight_matrix(interactions, base).toarray()
    np.testing.assert_allclose(found.toarray()[:, some], dense[:, some], rtol=1e-12)
    assert found.nnz == np.count_nonzero(dense[:, some])
