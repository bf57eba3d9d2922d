"""From finished stages to a release: built under a new name, checked, recorded, made current."""

import resource
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

import tasks.hybrid
import warehouse
from tasks.errors import RunError
from tasks.experiments.assignment import assignment_row, variant_rows
from tasks.experiments.configuration import Experiment
from tasks.hybrid.parameters import HybridParameters, Segment, artist_factors
from tasks.ingest.drift import drift_checks
from tasks.ingest.limits import IngestLimits
from tasks.lake import StageResult, fingerprint, write_parquet
from tasks.source import source_digest
from tasks.stages.gate import MEASURED_LISTENERS
from warehouse.build import MEASURED, BuildInput, build, record_release
from warehouse.checks import check_release
from warehouse.home import DATABASE, Home
from warehouse.manifest import SCHEMA_VERSION, STORAGE_VERSION, Manifest, file_digest
from warehouse.reader import Reader
from warehouse.releases import (
    Release,
    adopt,
    current_release,
    list_releases,
    make_current,
    named_current,
    rolled_back,
)

PLOTS = "plots"
"""Folder of a release with the pictures of its evaluation, as SVG."""


@dataclass(frozen=True)
class Candidate:
    """Everything a release is made of, before it is built."""

    dataset: str
    inputs: Mapping[str, str]
    parameters: Mapping[str, Any]
    hybrid: HybridParameters
    numeric_features: Sequence[str]
    ingested: StageResult
    collaborative: StageResult
    content: StageResult
    lists: StageResult
    data_quality: pa.Table
    """The checks of the input, and how it drifted from the current release."""
    evaluation: StageResult | None = None
    experiments: Sequence[Experiment] = ()
    impact: StageResult | None = None
    """What the experiments stage measured, where there is feedback."""
    stage_seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """Hash of all that decides the release's content; when and how fast do not count."""
        datasets = [
            *self.ingested.datasets.values(),
            *self.collaborative.datasets.values(),
            *self.content.datasets.values(),
            *self.lists.datasets.values(),
            *(self.evaluation.datasets.values() if self.evaluation else ()),
            *(self.impact.datasets.values() if self.impact else ()),
        ]
        return fingerprint(
            dataset=self.dataset,
            inputs=sorted(self.inputs.values()),
            parameters=self.parameters,
            hybrid=self.hybrid,
            experiments=list(self.experiments),
            digests=[dataset.digest for dataset in datasets],
            code=source_digest(tasks.hybrid, warehouse),
        )


def quality_with_drift(
    home: Home,
    ingested: StageResult,
    limits: IngestLimits,
    dataset: str,
    impact: StageResult | None = None,
) -> pa.Table:
    """Return the checks of the input, how it drifted from the current release, the feedback's."""
    current = current_release(home)
    drift = drift_checks(ingested, current.database if current else None, limits, dataset)
    feedback = [impact["data_quality"].read()] if impact else []
    return pa.concat_tables([ingested["data_quality"].read(), drift, *feedback])


def blend_of_current(home: Home, dataset: str, hybrid: HybridParameters) -> HybridParameters:
    """Return ``hybrid`` with what the current release of the same dataset learned, if any."""
    current = current_release(home)
    if current is None or current.manifest.dataset != dataset:
        return hybrid
    with Reader(current.database) as reader:
        rows = reader.rows(
            "SELECT segment, min_tracks, max_tracks, weight, popularity FROM segments"
        )
        gamma = reader.rows("SELECT gamma FROM release")[0]["gamma"]
    segments = tuple(Segment.model_validate(row) for row in rows)
    return hybrid.model_copy(update={"segments": segments, "gamma": gamma})


def current_of(home: Home, dataset: str) -> Release | None:
    """Return the release that is current now, if it is of this dataset; its file is not read."""
    current = named_current(home)
    return current if current and current.manifest.dataset == dataset else None


def what_stays(home: Home, candidate: Candidate, force: bool) -> tuple[Release, str] | None:
    """Return the current release and why it stays, if the candidate has nothing to bring.

    It holds just what the candidate would, or somebody went back to it from a release that does:
    the next run would undo that otherwise. ``force`` publishes again what was rolled back.
    """
    current = current_release(home)
    if current is None:
        return None
    if current.manifest.fingerprint == candidate.fingerprint:
        return current, "nothing had changed"
    gone = None if force else rolled_back(home, candidate.fingerprint)
    if gone is None:
        return None
    return current, f"{gone.manifest.release_id} holds the same and was rolled back"


def build_stage(
    home: Home, candidate: Candidate, memory_limit: str, threads: int, peak_memory: int
) -> Release:
    """Build, check and keep a release that is not current yet.

    Raises RunError when the built file breaks the contract; nothing is kept then.
    """
    started = time.perf_counter()
    now = datetime.now(UTC)
    home.building.mkdir(parents=True, exist_ok=True)
    quality = home.building / "data_quality.parquet"
    write_parquet(candidate.data_quality, quality)
    given = _build_input(_release_id(home, now, candidate.fingerprint), now, candidate, quality)
    folder = build(home, given, memory_limit, threads)
    broken = check_release(
        folder / DATABASE,
        candidate.hybrid.user_list,
        candidate.hybrid.similar_list,
        memory_limit,
        threads,
    )
    if broken:
        raise RunError(
            "the built release breaks its contract and was not published: "
            + "; ".join(str(found) for found in broken)
        )
    seconds = {**candidate.stage_seconds, "build": round(time.perf_counter() - started, 3)}
    here = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    counts = record_release(folder / DATABASE, given, seconds, max(peak_memory, here))
    if candidate.evaluation is not None:
        shutil.copyfile(candidate.evaluation["listeners"].path, folder / MEASURED_LISTENERS)
        _write_plots(candidate.evaluation, folder / PLOTS)
    database = folder / DATABASE
    manifest = Manifest(
        release_id=given.release_id,
        schema_version=SCHEMA_VERSION,
        storage_version=STORAGE_VERSION,
        duckdb_version=duckdb.__version__,
        code_version=given.code_version,
        created_at=now,
        dataset=given.dataset,
        fingerprint=candidate.fingerprint,
        inputs=given.inputs,
        parameters=given.parameters,
        row_counts=counts,
        stage_seconds=seconds,
        bytes=database.stat().st_size,
        digest=file_digest(database),
        status="candidate",
    )
    return adopt(home, folder, manifest)


def _write_plots(measured: StageResult, folder: Path) -> None:
    """Draw the evaluation beside the release's file."""
    from tasks.evaluation.plots import write_plots  # a second of imports that few runs need

    folder.mkdir()
    evaluation, curve, segments = (
        measured[name].read() for name in ("evaluation", "segment_curve", "segments")
    )
    write_plots(evaluation, curve, segments, folder)


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


def _release_id(home: Home, now: datetime, digest: str) -> str:
    """Ids sort by time; they never go back, even if the clock does."""
    stamp = now.strftime("%Y%m%dT%H%M%S")
    earlier = [release.manifest.release_id for release in list_releases(home)]
    if earlier and earlier[-1][:15] >= stamp:
        after = datetime.strptime(earlier[-1][:15], "%Y%m%dT%H%M%S").timestamp() + 1
        stamp = datetime.fromtimestamp(after).strftime("%Y%m%dT%H%M%S")
    return f"{stamp}-{digest[:6]}"


def _build_input(
    release_id: str, now: datetime, candidate: Candidate, data_quality: Path
) -> BuildInput:
    lists = candidate.lists.datasets
    named = {
        "tracks": candidate.ingested["tracks"],
        "catalogue": lists["catalogue"],
        "weights": lists["weights"],
        "similarity": lists["similarity"],
        "content": candidate.content["content"],
        "feature_weights": candidate.content["feature_weights"],
        "rejected_rows": candidate.ingested["rejected_rows"],
    }
    files = {name: [dataset.path] for name, dataset in named.items()}
    files["data_quality"] = [data_quality]
    for name, prefix in (("listeners", "listeners_"), ("similar_lists", "similar_")):
        files[name] = [lists[part].path for part in sorted(lists) if part.startswith(prefix)]
    if candidate.impact is not None:
        files |= {name: [candidate.impact[name].path] for name in MEASURED}
        files["rejected_rows"].append(candidate.impact["rejected_rows"].path)
    rows: dict[str, list[dict[str, Any]]] = {"evaluation": [], "segment_curve": []}
    if candidate.evaluation is not None:
        rows = {name: candidate.evaluation[name].read().to_pylist() for name in rows}
    hybrid = candidate.hybrid
    return BuildInput(
        release_id=release_id,
        created_at=now,
        code_version=warehouse.__version__,
        dataset=candidate.dataset,
        inputs=dict(candidate.inputs),
        parameters=dict(candidate.parameters),
        files=files,
        segments=[
            {"position": position, **segment.model_dump()}
            for position, segment in enumerate(hybrid.segments)
        ],
        experiments=[row for one in candidate.experiments for row in variant_rows(one)],
        assignments=[assignment_row(one) for one in candidate.experiments],
        gamma=hybrid.gamma,
        artist_factor=hybrid.artist_factor,
        artist_factors=artist_factors(hybrid.artist_factor).tolist(),
        popular_candidates=hybrid.popular_candidates,
        numeric_features=list(candidate.numeric_features),
        **rows,
    )
