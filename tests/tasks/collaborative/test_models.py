"""Every model against its dense formula, over shapes with gaps, single users and ties."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from implicit.nearest_neighbours import BM25Recommender
from scipy import sparse

from tasks.collaborative import find_edges as models
from tasks.collaborative.find_edges import find_edges, weight_matrix
from tasks.collaborative.interactions import Interactions
from tasks.collaborative.parameters import CollaborativeParameters
from tests.tasks.collaborative import oracle


def every_track(interactions: Interactions) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    return np.arange(interactions.tracks, dtype=np.int32)


def weights(interactions: Interactions, parameters: CollaborativeParameters) -> oracle.Dense:
    matrix = weight_matrix(interactions, parameters)
    return np.asarray(matrix.toarray(), dtype=np.float64)


SHAPES = [(1, 1, 1.0), (1, 5, 1.0), (40, 1, 0.5), (30, 12, 0.3), (200, 60, 0.05), (60, 90, 0.1)]


@pytest.mark.parametrize(("users", "tracks", "density"), SHAPES)
@pytest.mark.parametrize("m", [1, 4, 100])
def test_cosine_equals_its_formula(users: int, tracks: int, density: float, m: int) -> None:
    X = oracle.random_interactions(7, users, tracks, density)
    parameters = CollaborativeParameters(model="cosine", neighbours=m)
    np.testing.assert_array_equal(weights(X, parameters), oracle.cosine(X, m))


@pytest.mark.parametrize(("users", "tracks", "density"), SHAPES)
@pytest.mark.parametrize(
    "parameters",
    [
        CollaborativeParameters(model="asymmetric_cosine", asymmetry=0.2),
        CollaborativeParameters(model="rp3beta", walk_exponent=0.9, walk_popularity=0.3),
        CollaborativeParameters(model="bm25", saturation=2.0, length_share=0.5),
        CollaborativeParameters(model="rp3beta", neighbours_of="target"),
        CollaborativeParameters(model="bm25", neighbours_of="target"),
    ],
    ids=lambda parameters: f"{parameters.model} {parameters.neighbours_of}",
)
def test_other_models_equal_their_formula(
    users: int, tracks: int, density: float, parameters: CollaborativeParameters
) -> None:
    X = oracle.random_interactions(13, users, tracks, density)
    full = oracle.formula(X, parameters)
    np.fill_diagonal(full, 0.0)
    np.testing.assert_allclose(weights(X, parameters), full, rtol=2e-5, atol=1e-9)
    cut = weights(X, parameters.model_copy(update={"neighbours": 3}))
    # of each target's sources, or of each source's targets
    targets = parameters.model == "asymmetric_cosine" or parameters.neighbours_of == "target"
    side = 0 if targets else 1
    assert np.all((cut != 0).sum(axis=side) == np.minimum((full > 0).sum(axis=side), 3))
    left, kept = np.where(cut > 0, 0.0, full), np.where(cut > 0, full, np.inf)
    assert np.all(left.max(axis=side) <= kept.min(axis=side) * (1 + 2e-5))


def test_bm25_agrees_with_implicit() -> None:
    X = oracle.random_interactions(17, 80, 30, 0.2)
    counts = sparse.csr_matrix(oracle.dense(X))
    theirs = BM25Recommender(K=30, K1=1.5, B=0.6, num_threads=1)
    theirs.fit(counts, show_progress=False)
    similarity = theirs.similarity.toarray()
    np.fill_diagonal(similarity, 0.0)
    ours = weights(X, CollaborativeParameters(model="bm25", saturation=1.5, length_share=0.6))
    np.testing.assert_allclose(ours, similarity, rtol=2e-5)


@pytest.mark.parametrize(("users", "tracks", "density"), SHAPES)
@pytest.mark.parametrize("non_negative", [True, False])
@pytest.mark.parametrize("kept", [5, 300])
def test_two_steps_equal_the_dense_square(
    users: int, tracks: int, density: float, non_negative: bool, kept: int
) -> None:
    X = oracle.random_interactions(19, users, tracks, density)
    parameters = CollaborativeParameters(
        neighbours=6, ridge=0.7, non_negative=non_negative, two_step=0.4, two_step_neighbours=kept
    )
    np.testing.assert_allclose(
        weights(X, parameters), oracle.learned(X, parameters), atol=1e-5, rtol=0
    )


@pytest.mark.parametrize(("users", "tracks", "density"), SHAPES)
@pytest.mark.parametrize("m", [1, 4, 100])
@pytest.mark.parametrize("non_negative", [True, False])
@pytest.mark.parametrize("user_exponent", [0.0, 0.5])
def test_learned_equals_one_dense_solve_per_track(
    users: int, tracks: int, density: float, m: int, non_negative: bool, user_exponent: float
) -> None:
    X = oracle.random_interactions(11, users, tracks, density)
    parameters = CollaborativeParameters(
        neighbours=m,
        ridge=0.7,
        popularity_ridge=0.2,
        non_negative=non_negative,
        user_exponent=user_exponent,
        target_exponent=0.1,
        source_exponent=0.2,
    )
    np.testing.assert_allclose(
        weights(X, parameters), oracle.learned(X, parameters), atol=5e-6, rtol=0
    )


@given(
    seed=st.integers(0, 10_000),
    users=st.integers(1, 40),
    tracks=st.integers(1, 25),
    m=st.integers(1, 30),
    non_negative=st.booleans(),
    exponent=st.sampled_from([0.0, 0.25, 1.0]),
    share=st.sampled_from([0.0, 0.3, 1.0]),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_learned_on_any_small_matrix(
    seed: int, users: int, tracks: int, m: int, non_negative: bool, exponent: float, share: float
) -> None:
    X = oracle.random_interactions(seed, users, tracks, 0.25)
    parameters = CollaborativeParameters(
        neighbours=m,
        ridge=1.0,
        non_negative=non_negative,
        user_exponent=exponent,
        marginal_share=share,
    )
    np.testing.assert_allclose(
        weights(X, parameters), oracle.learned(X, parameters), atol=5e-6, rtol=0
    )


def test_a_marginal_share_by_hand() -> None:
    # track 2 is played by {a, b, c, d}; 0 by {a, b} and 1 by {a, b, c} say the same of it, and
    # non-negative weights leave one of the two without any
    X = Interactions.of(sparse.csr_array([[1, 1, 1], [1, 1, 1], [0, 1, 1], [0, 0, 1]]))
    plain: dict[str, Any] = {
        "ridge": 1e-6,
        "popularity_ridge": 0.0,
        "user_exponent": 0.0,
        "target_exponent": 0.0,
    }
    solved = weights(X, CollaborativeParameters(**plain, marginal_share=0.0))[:, 2]
    np.testing.assert_allclose(solved, [0, 1, 0], atol=1e-5)
    shared = weights(X, CollaborativeParameters(**plain, marginal_share=0.4))[:, 2]
    # cosines 2/√(2·4) and 3/√(3·4): a share of .4 goes 0.7071 : 0.8660
    np.testing.assert_allclose(shared, [0.4 * 0.4495, 0.6 + 0.4 * 0.5505, 0], atol=1e-4)


def test_cosine_by_hand() -> None:
    # listeners: track 0 {a, b}, track 1 {a, b, c}, track 2 {c}, track 3 nobody
    X = Interactions.of(sparse.csr_array([[1, 1, 0, 0], [1, 1, 0, 0], [0, 1, 1, 0]]))
    W = weights(X, CollaborativeParameters(model="cosine"))
    assert W[0, 1] == W[1, 0] == pytest.approx(2 / (2 * 3) ** 0.5)
    assert W[1, 2] == W[2, 1] == pytest.approx(1 / (3 * 1) ** 0.5)
    assert np.count_nonzero(W) == 4


def test_learned_by_hand() -> None:
    # two tracks that three listeners share, one hears the first alone: b = 3 / (4 + λ)
    X = Interactions.of(sparse.csr_array([[1, 1], [1, 1], [1, 1], [1, 0]]))
    parameters = CollaborativeParameters(
        ridge=2.0, popularity_ridge=0.0, user_exponent=0.0, target_exponent=0.0
    )
    W = weights(X, parameters)
    assert W[0, 1] == pytest.approx(3 / (4 + 2))
    assert W[1, 0] == pytest.approx(3 / (3 + 2))


def test_equal_scores_go_to_the_lower_key() -> None:
    X = Interactions.of(sparse.csr_array(np.ones((3, 9))))
    W = weights(X, CollaborativeParameters(model="cosine", neighbours=2))
    for target in range(9):
        lowest = [key for key in range(9) if key != target][:2]
        assert np.flatnonzero(W[:, target]).tolist() == lowest


@pytest.mark.parametrize("dtype", [bool, np.int8, np.int64, np.float32, np.float64])
@pytest.mark.parametrize("form", [sparse.csr_array, sparse.csr_matrix])
def test_only_the_pattern_of_the_input_counts(dtype: type, form: type) -> None:
    counts = np.array([[3, 1, 0], [0, 2, 2], [1, 1, 0]])
    plain = Interactions.of(sparse.csr_array(counts > 0))
    given_counts = Interactions.of(form(counts.astype(dtype)))
    np.testing.assert_array_equal(plain.user_tracks, given_counts.user_tracks)
    np.testing.assert_array_equal(plain.track_users, given_counts.track_users)


def test_targets_do_not_depend_on_their_company() -> None:
    X = oracle.random_interactions(3, 300, 80, 0.08)
    rng = np.random.default_rng(0)
    for model in ("learned", "cosine"):
        parameters = CollaborativeParameters.model_validate({"model": model, "neighbours": 20})
        whole = find_edges(X, every_track(X), parameters)
        order = rng.permutation(every_track(X))
        for targets in np.array_split(order, 7):
            part = find_edges(X, targets, parameters)
            for name in ("weights", "similarity"):
                expected = getattr(whole, name).matrix(80).toarray()[:, targets]
                found = getattr(part, name).matrix(80).toarray()[:, targets]
                np.testing.assert_array_equal(found, expected)


def test_similarity_is_cosine_whatever_the_model() -> None:
    X = oracle.random_interactions(4, 120, 40, 0.15)
    for model in ("learned", "bm25"):
        parameters = CollaborativeParameters.model_validate({"model": model, "similar": 6})
        found = find_edges(X, every_track(X), parameters).similarity
        np.testing.assert_array_equal(found.matrix(40).toarray(), oracle.cosine(X, 6))


def test_listener_weights_keep_the_scale_of_listeners() -> None:
    X = oracle.random_interactions(5, 100, 40, 0.2)
    for exponent in (0.0, 0.3, 1.0):
        rows = X.weights_by_length(exponent)
        assert rows.unit * rows.whole @ X.tracks_played == pytest.approx(X.plays, rel=1e-4)
        assert np.all(np.diff(rows.whole[np.argsort(X.tracks_played)]) <= 0)
        assert X.column_sums(rows.whole).max() < 2**31


def test_memory_decides_how_many_targets_at_a_time() -> None:
    X = oracle.random_interactions(6, 50, 40, 0.2)
    many = CollaborativeParameters(neighbours=30)
    assert models.fewest_blocks(X, many) == 1
    whole = weight_matrix(X, many).toarray()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models, "BLOCK_BYTES", 1)
        # 40 targets of 30 · 29 / 2 entries of 4 bytes, in the 8 bytes of each play
        assert models.fewest_blocks(X, many) == -(-40 * 30 * 29 // 2 * 4 // (8 * X.plays))
        np.testing.assert_array_equal(weight_matrix(X, many).toarray(), whole)
