"""How a release names what it keeps in the lake: its measured model, and its parts."""

from tasks.lake.keys import fingerprint
from tasks.lake.record import StageResult
from warehouse.releases.manifest import KeptModel, LakePart


def kept_model(measured: StageResult, release_id: str) -> KeptModel:
    """Return how a manifest names the measured model of a release."""
    return KeptModel(
        release_id=release_id,
        key=measured.key,
        digest=model_digest(measured),
        format=int(measured.counts["format"]),
        seed=int(measured.counts["seed"]),
        share=float(measured.counts["share"]),
    )


def lake_part(result: StageResult) -> LakePart:
    """Return how a manifest names a stage's result that refreshes use."""
    return LakePart(folder=f"{result.stage}/{result.key}", digest=model_digest(result))


def model_digest(result: StageResult) -> str:
    """Return one digest for all files of a stage's result."""
    return fingerprint(**{name: one.digest for name, one in result.datasets.items()})
