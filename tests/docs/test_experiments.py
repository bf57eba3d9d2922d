"""docs/experiments.md works an example by hand, and names what the code measures."""

import numpy as np
import pytest

from tasks.experiments.effects import Arm, compare
from tasks.experiments.metrics import METRICS
from tests.docs.pages import DOCS, table

PAGE = (DOCS / "experiments.md").read_text()


def _arm(variant: str) -> Arm:
    rows = [row for row in table(PAGE, "listener", "clicks") if row["variant"] == variant]
    clicks, exposures = (np.array([float(row[key]) for row in rows]) for key in
                         ("clicks", "exposures"))  # fmt: skip
    return Arm(clicks, exposures, np.zeros(len(rows)), np.zeros(len(rows)))


def test_the_example_is_what_the_code_says() -> None:
    said = {key: float(value) for key, value in table(PAGE, "ci_low", "z")[0].items()}
    effect = compare(_arm("control"), _arm("content"))
    interval = effect.lift_interval(1.96)
    found = {
        "value": effect.treated.value,
        "lift": effect.lift,
        "ci_low": interval[0],
        "ci_high": interval[1],
        "z": effect.z,
    }
    assert found == pytest.approx(said, abs=5e-7)


def test_every_metric_is_described_as_in_the_code() -> None:
    described = {row["metric"]: row["sum"] for row in table(PAGE, "metric", "sum")}
    assert described == {metric.name: metric.meaning for metric in METRICS}
