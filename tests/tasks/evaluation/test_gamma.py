"""γ weighs what unplayed tracks gain by how many of them there are, at most one for one."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import sparse

from tasks.blend.model import HybridModel
from tasks.blend.parameters import DEFAULT_SEGMENTS, HybridParameters
from tasks.evaluation.bootstrap import resample_counts
from tasks.evaluation.cases import gamma_cases
from tasks.evaluation.choice import Choice, choose_gamma
from tasks.evaluation.measure import DEPTH, gamma_values, hiding_model
from tasks.evaluation.metrics import ndcg_at_k
from tasks.evaluation.parameters import EvaluationParameters
from tasks.evaluation.points import BlendPoints, rank_points
from tasks.evaluation.split import Split
from tests.tasks.blend.worlds import random_model

GAMMAS = np.array([0.0, 0.5, 1.0])
TRACKS, LISTENERS, TARGETS, FOLD_IN = 150, 40, 2, 4


def _ndcg(
    model: HybridModel, histories: list[NDArray[np.int32]], targets: NDArray[np.int32]
) -> NDArray[np.float64]:
    """Return NDCG of every listener at every γ, with the segment's blend of its whole fold-in."""
    indptr = np.concatenate([[0], np.cumsum([len(h) for h in histories])]).astype(np.int64)
    blend = DEFAULT_SEGMENTS[2]
    points = BlendPoints.of(len(histories), blend.weight, blend.popularity, GAMMAS)
    lists = rank_points(model, indptr, np.concatenate(histories), points, DEPTH)
    wanted = np.zeros((len(targets), TRACKS))
    np.put_along_axis(wanted, targets.astype(np.int64), 1.0, axis=1)
    found = sparse.csr_array(wanted)
    return np.column_stack([ndcg_at_k(lists[:, q], found, DEPTH) for q in range(len(GAMMAS))])


@pytest.mark.parametrize("hidden_share", [0.1, 0.9])
def test_the_gain_counts_in_proportion_to_the_unplayed_tracks(hidden_share: float) -> None:
    """Few hidden: there are more unplayed tracks, and the gain counts once. Many: in part."""
    rng = np.random.default_rng(3)
    model = random_model(rng, TRACKS, HybridParameters(popular_candidates=7))
    cold = model.catalogue.is_cold
    played = np.flatnonzero(~cold).astype(np.int32)
    hidden = np.zeros(TRACKS, np.bool_)
    hidden[played[: round(hidden_share * len(played))]] = True
    drawn = np.stack([rng.permutation(played)[: TARGETS + FOLD_IN] for _ in range(LISTENERS)])
    split = Split(
        np.arange(LISTENERS, dtype=np.uint64),
        np.arange(LISTENERS + 1, dtype=np.int64) * (TARGETS + FOLD_IN),
        drawn.ravel(),
        np.full(LISTENERS, TARGETS, np.int64),
    )
    hiding = hiding_model(model, np.where(cold, 0, 5), hidden)
    everyone = np.arange(LISTENERS)
    cases = gamma_cases(split, everyone, Choice(DEFAULT_SEGMENTS, 0.0), 0.0)
    gain = gamma_values(model, hiding, split, cases, GAMMAS, hidden)[:, : len(GAMMAS)]

    histories = [np.sort(row[TARGETS:]) for row in drawn]
    as_it_is = _ndcg(model, histories, drawn[:, :TARGETS])
    visible = [history[~hidden[history]] for history in histories]
    with_hidden = _ndcg(hiding, visible, drawn[:, :TARGETS])
    with_hidden[[len(history) == 0 for history in visible]] = 0.0  # nothing to go by, no gain
    worth = min(1.0, int(cold.sum()) / int(hidden.sum()))
    assert (worth == 1.0) == (hidden_share == 0.1)
    np.testing.assert_allclose(gain, worth * with_hidden + as_it_is, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("worth", "chosen"), [(1.0, 1.0), (0.25, 0.0)])
def test_a_gain_that_counts_less_is_not_worth_the_same_loss(worth: float, chosen: float) -> None:
    hidden_gain = np.tile([0.0, 0.1, 0.2], (50, 1))
    as_it_is = np.tile([0.50, 0.46, 0.42], (50, 1))
    curve = worth * hidden_gain + as_it_is  # 0.50, 0.56, 0.62 or 0.50, 0.485, 0.47
    counts = resample_counts(50, 200, 0)
    free = np.ones((50, 3))
    assert choose_gamma(GAMMAS, curve, free, counts, 0.0, EvaluationParameters()) == chosen
