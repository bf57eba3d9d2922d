"""The parts of a release before it is built."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from tasks.blend.neighbours import Neighbours
from tasks.blend.parameters import HybridParameters, Segment
from tasks.dataset.experiments import Experiment
from tasks.ingest.limits import IngestLimits
from tasks.lake.code import code_digest
from tasks.lake.keys import fingerprint
from tasks.lake.record import StageResult
from tasks.release.drift import drift_checks
from warehouse.build.patch import Earlier
from warehouse.releases.home import Home
from warehouse.releases.manifest import Base, Comparison, KeptModel, LakePart, Override
from warehouse.releases.pointer import current_release, named_current
from warehouse.releases.reader import Reader
from warehouse.releases.release import Release


@dataclass(frozen=True)
class Inherited:
    """What a refresh takes over from its base."""

    base: Base
    measured_model: str | None
    published_model: str
    """Digests of the base's neighbours."""
    kept: KeptModel | None
    """Its measured model, for the gate of the next full run."""


@dataclass(frozen=True)
class Candidate:
    """Everything a release is made of, before it is built."""

    dataset: str
    inputs: Mapping[str, str]
    parameters: Mapping[str, Any]
    hybrid: HybridParameters
    numeric_features: Sequence[str]
    ingested: StageResult
    neighbours: Neighbours
    """The published model."""
    lists: StageResult
    data_quality: pa.Table
    """The checks of the input, and how it drifted from the current release."""
    evaluation: StageResult | None = None
    temporal: StageResult | None = None
    """What `temporal_stage` measured, where the data have times."""
    measured: Neighbours | None = None
    """The model that was measured, learned without the held-out listeners; None: nothing was."""
    held_out: int = 0
    """Listeners it was measured on."""
    kept: StageResult | None = None
    """The measured model, as the release keeps it in the lake."""
    experiments: Sequence[Experiment] = ()
    impact: StageResult | None = None
    """What the experiments stage measured, where there is feedback."""
    stage_seconds: Mapping[str, float] = field(default_factory=dict)
    parts: Mapping[str, LakePart] = field(default_factory=dict)
    """The results in the lake that refreshes of it will use."""
    recipe: Mapping[str, str] = field(default_factory=dict)
    inherited: Inherited | None = None
    """None: everything was learned by this run."""
    earlier: Earlier | None = None
    """A release of whose file that of a refresh may be made."""

    @property
    def measured_model(self) -> str | None:
        """Digest of the neighbours that were measured; None: nothing was."""
        if self.inherited is not None:
            return self.inherited.measured_model
        return self.measured.digest if self.measured else None

    @property
    def published_model(self) -> str:
        """Digest of the neighbours as they were learned."""
        return self.inherited.published_model if self.inherited else self.neighbours.digest

    @property
    def fingerprint(self) -> str:
        """Hash of all that decides the release's content; when and how fast do not count."""
        datasets = [
            *self.ingested.datasets.values(),
            *self.neighbours.collaborative.datasets.values(),
            *self.neighbours.content.datasets.values(),
            *self.lists.datasets.values(),
            *(self.evaluation.datasets.values() if self.evaluation else ()),
            *(self.temporal.datasets.values() if self.temporal else ()),
            *(self.impact.datasets.values() if self.impact else ()),
        ]
        return fingerprint(
            dataset=self.dataset,
            inputs=sorted(self.inputs.values()),
            parameters=self.parameters,
            hybrid=self.hybrid,
            measured=self.measured_model,
            base=self.inherited.base.release_id if self.inherited else None,
            experiments=list(self.experiments),
            digests=[dataset.digest for dataset in datasets],
            code=layout(),
        )


def layout() -> str:
    """Return the hash of the code that decides how a release's file is written."""
    return code_digest("tasks.release.build")


@dataclass(frozen=True)
class Judged:
    """What the gate said of a candidate."""

    summary: str
    """What was compared and what came out, in words."""
    anchor: KeptModel | None = None
    """What later challengers are compared with beside this release; None: this release alone."""
    override: Override | None = None
    """Who publishes it although the gate refuses it."""
    comparisons: tuple[Comparison, ...] = ()
    """The gate's comparisons in figures."""


def quality_with_drift(
    home: Home,
    ingested: StageResult,
    limits: IngestLimits,
    dataset: str,
    impact: StageResult | None = None,
    evaluation: StageResult | None = None,
    temporal: StageResult | None = None,
    base: Release | None = None,
) -> pa.Table:
    """Return the checks of the input, its drift, the blend's and the feedback's.

    Drift is taken from ``base``, from the current release if not given.
    """
    before = base or current_release(home)
    drift = drift_checks(ingested, before.database if before else None, limits, dataset)
    measured = [
        result["data_quality"].read() for result in (evaluation, temporal, impact) if result
    ]
    return pa.concat_tables([ingested["data_quality"].read(), drift, *measured])


def blend_of_current(home: Home, dataset: str, hybrid: HybridParameters) -> HybridParameters:
    """Return ``hybrid`` with what the current release of the same dataset learned, if any."""
    current = current_release(home)
    if current is None or current.manifest.dataset != dataset:
        return hybrid
    with Reader(current.database) as reader:
        rows = reader.rows(
            "SELECT segment, min_tracks, max_tracks, weight, popularity FROM segments"
        )
        release = reader.rows("FROM release")[0]
    segments = tuple(Segment.model_validate(row) for row in rows)
    half_life = release.get("half_life_days") or 0  # older releases have no such column
    learned = {"segments": segments, "gamma": release["gamma"], "half_life": half_life}
    return hybrid.model_copy(update=learned)


def current_of(home: Home, dataset: str) -> Release | None:
    """Return the release that is current now, if it is of this dataset; its file is not read."""
    current = named_current(home)
    return current if current and current.manifest.dataset == dataset else None
