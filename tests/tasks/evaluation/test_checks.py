"""The blend's checks: one per segment, failed where it loses to a single signal beyond chance."""

from typing import Any

import pyarrow as pa

from tasks.evaluation.checks import blend_checks
from tasks.lake.contracts.quality import DATA_QUALITY
from tasks.lake.contracts.stages.evaluation import EVALUATION


def evaluation(*gains: tuple[str, float, float, float, dict[str, float]]) -> pa.Table:
    rows: list[dict[str, Any]] = []
    for segment, gain, low, high, singles in gains:
        hybrid = max(singles.values()) + gain
        for model, value in {**singles, "hybrid": hybrid, "fifty_fifty": 0.99}.items():
            rows.append(_row(model, segment, "ndcg", value, value - 0.01, value + 0.01))
        rows.append(_row("hybrid", segment, "gain_over_best", gain, low, high))
    return pa.Table.from_pylist(rows, schema=EVALUATION.schema)


def _row(model: str, segment: str, metric: str, value: float, low: float, high: float) -> Any:
    named = {"model": model, "segment": segment, "metric": metric, "k": 100}
    return named | {"value": value, "ci_low": low, "ci_high": high, "users": 1_200}


SINGLES = {"popularity": 0.1, "cosine": 0.22, "collaborative": 0.2, "content": 0.15}


def test_a_loss_beyond_chance_fails_and_names_the_signal() -> None:
    table = blend_checks(
        evaluation(
            ("all", 0.02, 0.01, 0.03, SINGLES),
            ("history:1", -0.0101, -0.015, -0.004, SINGLES),
            ("listeners:1-5", -0.002, -0.006, 0.002, SINGLES),
        )
    )
    assert table.schema == DATA_QUALITY.schema
    rows = {row["check_name"]: row for row in table.to_pylist()}
    assert {name: row["status"] for name, row in rows.items()} == {
        "hybrid_keeps_up:all": "passed",
        "hybrid_keeps_up:history:1": "failed",
        "hybrid_keeps_up:listeners:1-5": "passed",
    }
    assert {row["severity"] for row in rows.values()} == {"warn"}
    failed = rows["hybrid_keeps_up:history:1"]
    assert failed["observed"] == -0.0101
    assert failed["details"] == (
        "NDCG@100 0.2099 against 0.2200 by cosine alone: -0.0101 (-0.0150 … -0.0040) "
        "on 1,200 listeners"
    )
