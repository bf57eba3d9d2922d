"""The gate as a stage: a built release against the current release of the same dataset."""

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.evaluation.gate import GateVerdict, gate
from tasks.evaluation.parameters import EvaluationParameters
from tasks.lake import StageResult
from warehouse.home import Home
from warehouse.releases import Release, current_release

MEASURED_LISTENERS = "measured_listeners.parquet"
"""In the release folder: what each held-out listener scored, for the next release's gate."""


def gate_stage(
    home: Home, release: Release, measured: StageResult, parameters: EvaluationParameters
) -> GateVerdict:
    """Judge a built release by paired differences on the same listeners."""
    return gate(
        measured["listeners"].read(),
        _current_listeners(home, release.manifest.dataset),
        measured["evaluation"].read(),
        parameters,
    )


def _current_listeners(home: Home, dataset: str) -> pa.Table | None:
    """Return what the current release's listeners scored, if it is of this dataset and measured."""
    current = current_release(home)
    if current is None or current.manifest.dataset != dataset:
        return None
    file = current.folder / MEASURED_LISTENERS
    return pq.read_table(file) if file.is_file() else None
