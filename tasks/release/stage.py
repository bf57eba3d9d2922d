"""The stages that make a release: build, gate and publish."""

from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.evaluation.parameters import EvaluationParameters
from tasks.lake.record import StageResult
from tasks.release.build import MEASURED_LISTENERS, build_stage
from tasks.release.gate import GateVerdict, gate
from warehouse.releases.home import Home
from warehouse.releases.pointer import current_release, make_current
from warehouse.releases.release import Release

__all__ = ["build_stage", "gate_stage", "publish_stage", "refuse"]


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


def publish_stage(home: Home, release: Release, forced_because: str = "") -> Release:
    """Make a built release current, by one atomic rename; a forced one keeps the reason."""
    status = "forced" if forced_because else "published"
    published = release.noted(status=status, reason=forced_because)
    with home.locked("pointer", "publish"):
        make_current(home, published)
    return replace(published, is_current=True)


def refuse(release: Release, reason: str) -> None:
    """Keep a built release as a candidate that is never current, with the reason."""
    release.noted(status="refused", reason=reason)
