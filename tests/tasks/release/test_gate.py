"""The gate: what falls too far is refused in words, what is noise is not."""

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from tasks.evaluation.parameters import EvaluationParameters
from tasks.lake.contracts.stages.evaluation import EVALUATION, LISTENERS
from tasks.release.gate import Before, GateVerdict, Rival, gate, is_better
from tasks.release.rerank import Paired
from warehouse.releases.manifest import Role

PARAMETERS = EvaluationParameters(gate_loss=0.02)
METRICS = ("recall@20", "recall@50", "ndcg@100")
Values = NDArray[np.float64]


def paired(ours: Values, theirs: Values, start: int = 0) -> Paired:
    """Return what both reached: the same in every metric, or a column for each."""
    wide = [np.broadcast_to(one.T, (3, len(one))) for one in (ours, theirs)]
    return Paired(
        user_ids=pa.array([f"u{start + x:05}" for x in range(len(ours))]),
        ours=dict(zip(METRICS, wide[0], strict=True)),
        theirs=dict(zip(METRICS, wide[1], strict=True)),
        tracks=1_000,
        new_tracks=20,
        newly_played=0,
    )


def evaluation(hybrid: float, popularity: float, spread: float = 0.01) -> pa.Table:
    gain = hybrid - popularity
    rows = [
        ("hybrid", "ndcg", hybrid, None, None),
        ("popularity", "ndcg", popularity, None, None),
        ("hybrid", "gain_over_popularity", gain, gain - spread, gain + spread),
    ]
    return pa.Table.from_pylist(
        [
            {
                "model": model,
                "segment": "all",
                "metric": metric,
                "k": 100,
                "value": value,
                "ci_low": low,
                "ci_high": high,
                "users": 400,
            }
            for model, metric, value, low, high in rows
        ],
        schema=EVALUATION.schema,
    )


GOOD = evaluation(0.4, 0.2)
NOBODY = LISTENERS.schema.empty_table()


def measured(values: Values) -> pa.Table:
    """Return LISTENERS with these values of NDCG@100."""
    ids = [f"u{x}" for x in range(len(values))]
    return pa.table([ids, ["ndcg@100"] * len(ids), values], schema=LISTENERS.schema)


def judge(
    ours: Values,
    theirs: Values,
    parameters: EvaluationParameters = PARAMETERS,
    role: Role = "current release",
) -> GateVerdict:
    return gate([Rival(role, "r1", paired(ours, theirs))], GOOD, NOBODY, None, parameters)


@pytest.fixture
def values() -> Values:
    return np.random.default_rng(0).uniform(0.1, 0.7, 400)


def test_without_a_rival_nothing_is_compared() -> None:
    verdict = gate([], GOOD, NOBODY, None, PARAMETERS)
    assert verdict.passed
    assert verdict.comparisons == ()
    assert verdict.compared == ()


def test_the_same_quality_passes(values: Values) -> None:
    verdict = judge(values, values)
    assert verdict.passed
    assert verdict.notes == ()
    assert [c.verdict for c in verdict.comparisons] == ["within the limit"] * 3
    assert all(c.change == c.ci_low == c.ci_high == 0 for c in verdict.comparisons)
    assert verdict.summary.startswith(
        "Compared with the current release r1 on today's plays of 400 listeners whom neither model "
        "has seen, over 1,000 tracks (left out: 20 new): recall@20 "
    )


def test_a_shuffled_world_is_refused_and_the_message_says_what_fell(values: Values) -> None:
    fallen = np.random.default_rng(1).uniform(0.0, 0.1, 400)
    verdict = judge(fallen, values)
    assert not verdict.passed
    assert len(verdict.reasons) == 3
    ndcg = verdict.reasons[2]
    start = f"NDCG@100 fell from {values.mean():.3f} to {fallen.mean():.3f} ("
    assert ndcg.startswith(start)
    assert f"{100 * (fallen.mean() / values.mean() - 1):+.1f} %, limits -" in ndcg
    assert ndcg.endswith("against the current release r1 on 400 listeners; allowed is -2 %")
    assert verdict.summary.endswith(f"{ndcg}.")


def test_comparison_is_paired(values: Values) -> None:
    # 3 % less for everyone: small against the spread between listeners, certain when paired
    verdict = judge(values * 0.97, values)
    assert not verdict.passed
    assert "(-3.0 %" in verdict.reasons[0]
    assert judge(values * 0.99, values).passed
    assert judge(values * 1.2, values).passed
    assert is_better(judge(values * 1.2, values).comparisons)
    assert not is_better(judge(values, values).comparisons)


def test_what_may_be_chance_passes_unless_strict(values: Values) -> None:
    noise = np.random.default_rng(2).normal(0, 0.3, 400)
    moved = values + noise - noise.mean() - 0.005
    verdict = judge(moved, values)
    assert verdict.passed
    assert verdict.comparisons[0].verdict == "undecided"
    assert len(verdict.notes) == 3
    strict = PARAMETERS.model_copy(update={"gate_strict": True})
    assert not judge(moved, values, strict).passed


def test_rivals_are_compared_on_listeners_of_their_own(values: Values) -> None:
    current = Rival("current release", "r2", paired(values, values))
    anchor = Rival("anchor", "r1", paired(values[:100] * 0.9, values[:100]))
    verdict = gate([current, anchor], GOOD, NOBODY, None, PARAMETERS)
    assert [c.listeners for c in verdict.comparisons] == [400] * 3 + [100] * 3
    assert all("against the anchor r1 on 100 listeners" in why for why in verdict.reasons)
    assert len(verdict.reasons) == 3
    assert len(verdict.compared) == 2


def test_too_few_common_listeners_are_not_compared(values: Values) -> None:
    verdict = judge(values[:20] / 2, values[:20])
    assert verdict.passed
    assert "fewer than 30 listeners" in verdict.notes[0]
    assert verdict.comparisons == ()


def test_nothing_to_lose(values: Values) -> None:
    assert judge(values, np.zeros(400)).passed


def correlated(rng: np.random.Generator, listeners: int, loss: float, spread: float) -> Rival:
    """Return a rival of 0.4 in three metrics that move together, and a challenger ``loss`` below.

    Differences of single listeners are skewed, and most of them 0: one target more or less.
    """
    common = rng.exponential(1.0, (listeners, 1)) * rng.choice([-1, 0, 1], (listeners, 1))
    own = rng.exponential(1.0, (listeners, 3)) * rng.choice([-1, 0, 1], (listeners, 3))
    difference = 0.4 * (spread * (0.8 * common + 0.6 * own) - loss)
    theirs = np.full((listeners, 3), 0.4)
    return Rival("current release", "r1", paired(theirs + difference, theirs))


@pytest.mark.parametrize("listeners", [30, 300])
def test_size_and_power_are_what_the_verdict_states(listeners: int) -> None:
    """An equal release is refused in 5 % at most, one that lost `detectable` in nine of ten."""
    rng = np.random.default_rng(listeners)
    parameters = PARAMETERS.model_copy(update={"resamples": 200})
    pairs = 400
    refused, sharp = 0, []
    for _ in range(pairs):
        verdict = gate([correlated(rng, listeners, 0.0, 0.3)], GOOD, NOBODY, None, parameters)
        refused += not verdict.passed
        sharp.append(verdict.comparisons[0].detectable)
    assert refused <= 0.05 * pairs + 3 * np.sqrt(0.05 * 0.95 * pairs)
    loss = float(np.median(sharp))
    caught = sum(
        not gate([correlated(rng, listeners, loss, 0.3)], GOOD, NOBODY, None, parameters).passed
        for _ in range(pairs)
    )
    assert caught >= 0.9 * pairs - 3 * np.sqrt(0.9 * 0.1 * pairs)


def test_worse_than_popularity_is_refused_even_as_a_baseline() -> None:
    verdict = gate([], evaluation(0.15, 0.2), NOBODY, None, PARAMETERS)
    assert not verdict.passed
    assert verdict.reasons == (
        "NDCG@100 is 0.150, below the 0.200 of showing everyone the most popular "
        "(difference -0.050, interval -0.060 … -0.040) on 400 listeners",
    )
    assert gate([], evaluation(0.195, 0.2), NOBODY, None, PARAMETERS).passed


def test_a_collapse_since_the_day_of_the_current_release_is_refused(values: Values) -> None:
    """Damaged data make every model fail alike: paired on today's plays nothing would show."""
    before = Before("r1", measured(values))
    same = [Rival("current release", "r1", paired(values, values))]
    for share, passes in ((1.1, True), (0.85, True), (0.7, False)):
        verdict = gate(same, GOOD, measured(values * share), before, PARAMETERS)
        assert verdict.passed == passes
    assert verdict.reasons[0].startswith(f"NDCG@100 fell from {values.mean():.3f} to ")
    assert verdict.reasons[0].endswith("allowed is -25 %: look at the input")
    few = measured(values[:20] * 0.5)
    assert gate(same, GOOD, few, before, PARAMETERS).passed
