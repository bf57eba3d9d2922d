"""The checks of what was measured, one per segment, as rows of `data_quality`."""

from typing import Any

import pyarrow as pa

from tasks.evaluation.models import HYBRID
from tasks.evaluation.report import JUDGED, SINGLE_SIGNALS
from tasks.lake.contracts.quality import DATA_QUALITY

KEEPS_UP = "hybrid_keeps_up"
"""The hybrid loses to no single signal; the name of a check ends with the segment."""

EXPECTED = "at least 0, or an interval that reaches 0"


def blend_checks(evaluation: pa.Table) -> pa.Table:
    """Compare the hybrid with the best single signal of every segment (`DATA_QUALITY`).

    ``evaluation`` is `EVALUATION`. A check fails, with severity warn, where the hybrid's mean
    paired difference in NDCG@100 is below 0 and so is the upper end of its interval. ``observed``
    is the difference.
    """
    metric, k = JUDGED
    rows = {(r["model"], r["segment"], r["metric"], r["k"]): r for r in evaluation.to_pylist()}
    checks = [
        _check(
            row,
            rows[HYBRID, segment, metric, k]["value"],
            {
                model: rows[model, segment, metric, k]["value"]
                for model in SINGLE_SIGNALS
                if (model, segment, metric, k) in rows
            },
        )
        for (model, segment, name, _), row in rows.items()
        if model == HYBRID and name == "gain_over_best"
    ]
    return pa.Table.from_pylist(checks, schema=DATA_QUALITY.schema)


def _check(gain: dict[str, Any], hybrid: float, singles: dict[str, float]) -> dict[str, object]:
    best = max(singles, key=lambda model: singles[model])
    details = (
        f"NDCG@{gain['k']} {hybrid:.4f} against {singles[best]:.4f} by {best} alone: "
        f"{gain['value']:+.4f} ({gain['ci_low']:+.4f} … {gain['ci_high']:+.4f}) "
        f"on {gain['users']:,} listeners"
    )
    status = "failed" if gain["ci_high"] < 0 else "passed"
    name = f"{KEEPS_UP}:{gain['segment']}"
    values = (name, "warn", status, gain["value"], EXPECTED, details)
    return dict(zip(DATA_QUALITY.schema.names, values, strict=True))
