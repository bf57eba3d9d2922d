"""How a release names the measured model that it keeps in the lake."""

from tasks.lake.keys import fingerprint
from tasks.lake.record import StageResult
from warehouse.releases.manifest import KeptModel


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


def model_digest(measured: StageResult) -> str:
    """Return one digest for all files of a measured model."""
    return fingerprint(**{name: one.digest for name, one in measured.datasets.items()})
