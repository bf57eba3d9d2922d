"""The gate: what falls too far is refused in words, what is noise is not."""

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from tasks.evaluation.parameters import EvaluationParameters
from tasks.lake.contracts.stages.evaluation import EVALUATION, LISTENERS
from tasks.release.gate import GateVerdict, gate

PARAMETERS = EvaluationParameters(gate_loss=0.02)


def listeners(values: NDArray[np.float64], start: int = 0) -> pa.Table:
    """Return a listeners table in which every gated metric has the given values."""
    ids = [f"u{start + x}" for x in range(len(values))]
    tables = [
        pa.table([ids, [metric] * len(ids), values], schema=LISTENERS.schema)
        for metric in ("recall@20", "recall@50", "ndcg@100")
    ]
    return pa.concat_tables(tables)


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


def judge(
    candidate: NDArray[np.float64],
    current: NDArray[np.float64] | None,
    parameters: EvaluationParameters = PARAMETERS,
) -> GateVerdict:
    return gate(
        listeners(candidate),
        None if current is None else listeners(current),
        GOOD,
        parameters,
    )


@pytest.fixture
def values() -> NDArray[np.float64]:
    return np.random.default_rng(0).uniform(0.1, 0.7, 400)


def test_the_first_release_is_the_baseline(values: NDArray[np.float64]) -> None:
    verdict = judge(values, None)
    assert verdict.passed
    assert verdict.notes == ("no release to compare with: this one is the baseline",)


def test_the_same_quality_passes(values: NDArray[np.float64]) -> None:
    verdict = judge(values, values)
    assert verdict.passed
    assert verdict.notes == ()
    assert [c.verdict for c in verdict.comparisons] == ["within the limit"] * 3
    assert all(c.change == c.ci_low == c.ci_high == 0 for c in verdict.comparisons)


def test_a_shuffled_world_is_refused_and_the_message_says_what_fell(
    values: NDArray[np.float64],
) -> None:
    fallen = np.random.default_rng(1).uniform(0.0, 0.1, 400)
    verdict = judge(fallen, values)
    assert not verdict.passed
    assert len(verdict.reasons) == 3
    ndcg = verdict.reasons[2]
    start = f"NDCG@100 fell from {values.mean():.3f} to {fallen.mean():.3f} ("
    assert ndcg.startswith(start)
    assert f"{100 * (fallen.mean() / values.mean() - 1):+.1f} %, 95 % interval -" in ndcg
    assert ndcg.endswith("on 400 common listeners; allowed is -2 %")


def test_comparison_is_paired(values: NDArray[np.float64]) -> None:
    # 3 % less for everyone: small against the spread between listeners, certain when paired
    verdict = judge(values * 0.97, values)
    assert not verdict.passed
    assert "(-3.0 %" in verdict.reasons[0]
    assert judge(values * 0.99, values).passed
    assert judge(values * 1.2, values).passed


def test_what_may_be_chance_passes_unless_strict(values: NDArray[np.float64]) -> None:
    noise = np.random.default_rng(2).normal(0, 0.3, 400)
    moved = values + noise - noise.mean() - 0.005
    verdict = judge(moved, values)
    assert verdict.passed
    assert verdict.comparisons[0].verdict == "undecided"
    assert len(verdict.notes) == 3
    strict = PARAMETERS.model_copy(update={"gate_strict": True})
    assert not judge(moved, values, strict).passed


def test_only_common_listeners_count(values: NDArray[np.float64]) -> None:
    # The other 300 of the candidate are much better off, and say nothing
    candidate = pa.concat_tables(
        [listeners(values[:100] * 0.9), listeners(np.ones(300), start=10_000)]
    )
    verdict = gate(candidate, listeners(values), GOOD, PARAMETERS)
    assert not verdict.passed
    assert {c.listeners for c in verdict.comparisons} == {100}


def test_too_few_common_listeners_are_not_compared(values: NDArray[np.float64]) -> None:
    verdict = judge(values[:20] / 2, values)
    assert verdict.passed
    assert "fewer than 30 listeners" in verdict.notes[0]


def test_nothing_to_lose(values: NDArray[np.float64]) -> None:
    assert judge(values, np.zeros(400)).passed


def test_worse_than_popularity_is_refused_even_as_a_baseline(
    values: NDArray[np.float64],
) -> None:
    verdict = gate(listeners(values), None, evaluation(0.15, 0.2), PARAMETERS)
    assert not verdict.passed
    assert verdict.reasons == (
        "NDCG@100 is 0.150, below the 0.200 of showing everyone the most popular "
        "(difference -0.050, interval -0.060 … -0.040) on 400 listeners",
    )
    assert gate(listeners(values), None, evaluation(0.195, 0.2), PARAMETERS).passed
