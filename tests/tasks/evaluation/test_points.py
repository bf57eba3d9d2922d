"""Lists at many points are the lists of the scoring page, whatever the history."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tasks.blend.model import BlendCatalogue, HybridModel
from tasks.blend.parameters import HybridParameters
from tasks.blend.ranking import rank_histories
from tasks.evaluation.measure import hiding_model
from tasks.evaluation.points import BlendPoints, rank_points, rank_popular
from tests.tasks.blend.worlds import random_model

POINTS = [(w, p) for p in (0.0, 0.3, 2.0) for w in (1.0, 0.7, 0.5, 0.0)]


def random_histories(
    rng: np.random.Generator, tracks: int, histories: int
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return CSR histories of 0 to 8 tracks, ascending, played or not."""
    rows = [
        np.sort(rng.permutation(tracks)[: rng.integers(0, min(9, tracks))])
        for _ in range(histories)
    ]
    indptr = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
    return indptr.astype(np.int64), np.concatenate(rows).astype(np.int32)


@given(seed=st.integers(0, 2**32 - 1), tracks=st.integers(1, 60), k=st.sampled_from([1, 5, 100]))
@settings(max_examples=60, deadline=None)
def test_every_point_gives_the_list_of_the_ranking_kernel(seed: int, tracks: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    model = random_model(rng, tracks, HybridParameters(popular_candidates=7, artist_factor=0.4))
    indptr, history = random_histories(rng, tracks, 6)
    gammas = (0.0, 0.35)
    tried = [(w, p, g, f) for f in (True, False) for g in gammas for w, p in POINTS]
    points = BlendPoints.of(6, *(np.array(values) for values in zip(*tried, strict=True)))
    lists = rank_points(model, indptr, history, points, k)
    for q, (w, p, gamma, factor) in enumerate(tried):
        delta = 0.4 if factor else 1.0
        parameters = HybridParameters(popular_candidates=7, gamma=gamma, artist_factor=delta)
        at_point = HybridModel(model.collaborative, model.content, model.catalogue, parameters)
        expected = rank_histories(at_point, indptr, history, np.full(6, w), np.full(6, p), k)
        np.testing.assert_array_equal(lists[:, q], expected.tracks)


def test_points_may_differ_between_histories() -> None:
    rng = np.random.default_rng(5)
    model = random_model(rng, 40, HybridParameters())
    indptr, history = random_histories(rng, 40, 5)
    w, p, gamma = rng.random((3, 5, 3))
    points = BlendPoints.of(5, w, p, gamma, rng.random((5, 3)) < 0.5)
    together = rank_points(model, indptr, history, points, 20)
    for u in range(5):
        own = history[indptr[u] : indptr[u + 1]]
        point = BlendPoints.of(1, w[u], p[u], gamma[u], points.artist_factor[u])
        alone = rank_points(model, np.array([0, len(own)]), own, point, 20)
        np.testing.assert_array_equal(together[u], alone[0])


def test_popularity_lists_what_was_not_heard_by_listeners() -> None:
    tracks = pa.table(
        {"listeners": pa.array([3, 9, 0, 9, 5], pa.int32()), "artist_key": pa.nulls(5, pa.int32())}
    )
    lists = rank_popular(
        BlendCatalogue.from_tracks(tracks), np.array([0, 1, 1]), np.array([3], np.int32), 4
    )
    np.testing.assert_array_equal(lists, [[1, 4, 0, 2], [1, 3, 4, 0]])


@pytest.mark.parametrize("seed", range(5))
def test_a_hidden_world_reaches_hidden_tracks_by_content_alone(seed: int) -> None:
    rng = np.random.default_rng(seed)
    model = random_model(rng, 50, HybridParameters(gamma=0.8))
    listeners = np.where(model.catalogue.is_cold, 0, rng.integers(1, 9, 50))
    hidden = (rng.random(50) < 0.4) & (listeners > 0)
    world = hiding_model(model, listeners, hidden)
    present = np.flatnonzero(listeners > 0)
    indptr, history = random_histories(rng, 50, 30)
    kept = (listeners > 0) & ~hidden
    rows = [h[kept[h]] for h in np.split(history, indptr[1:-1])]
    indptr = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    history = np.concatenate(rows).astype(np.int32)
    lists = rank_points(world, indptr, history, BlendPoints.of(30, 1.0, 0.0, 0.0), 50)[:, 0]
    for u, row in enumerate(rows):
        # Everything but what nobody has played, each once, the history left out
        assert sorted(lists[u][lists[u] >= 0]) == sorted(set(present) - set(row.tolist()))
        played = [kept[j] for j in lists[u] if j >= 0]
        if row.size:
            assert world.catalogue.is_cold[hidden].all()
            assert played.index(False) >= sum(
                kept[j] and _reached(world, row, j) for j in range(50) if j not in row
            )


def _reached(model: HybridModel, history: NDArray[np.int32], j: int) -> bool:
    total = 0
    for i in history:
        for e in range(model.collaborative.indptr[i], model.collaborative.indptr[i + 1]):
            if model.collaborative.targets[e] == j:
                total += int(model.collaborative.weights[e])
    return total > 0
