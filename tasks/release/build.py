"""From a candidate to a release: built under a new name, checked, recorded; not current yet."""

import resource
import shutil
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb

from tasks.blend.parameters import artist_factors
from tasks.experiments.assignment import assignment_row, variant_rows
from tasks.lake.files import write_parquet
from tasks.lake.record import StageResult
from tasks.release.candidate import Candidate, Judged, layout
from tasks.release.kept import kept_model
from tasks.release.recent import recent_tables
from warehouse.build.checks import check_release
from warehouse.build.writer import MEASURED, BuildInput, build, record_release
from warehouse.contract.versions import SCHEMA_VERSION, STORAGE_VERSION
from warehouse.errors import RunError
from warehouse.files import file_digest
from warehouse.releases.home import DATABASE, Home
from warehouse.releases.manifest import KeptModel, Manifest
from warehouse.releases.release import Release, adopt, list_releases

MEASURED_LISTENERS = "measured_listeners.parquet"
"""In the release folder: what each held-out listener scored on the plays of the day."""

STAMP = "%Y%m%dT%H%M%S"
"""The time in a release id."""

PLOTS = "plots"
"""Folder of a release with the pictures of its evaluation, as SVG."""


def build_stage(
    home: Home,
    candidate: Candidate,
    judged: Judged,
    memory_limit: str,
    threads: int,
    peak_memory: int,
) -> Release:
    """Build, check and keep a release that is not current yet.

    Raises RunError when the built file breaks the contract; nothing is kept then.
    """
    started = time.perf_counter()
    now = datetime.now(UTC)
    home.building.mkdir(parents=True, exist_ok=True)
    written = {"data_quality": candidate.data_quality, **recent_tables(candidate.ingested)}
    files = {name: home.building / f"{name}.parquet" for name in written}
    for name, table in written.items():
        write_parquet(table, files[name])
    release_id = _release_id(home, now, candidate.fingerprint)
    files |= _write_music(home.building, candidate, memory_limit, threads)
    given = _build_input(release_id, now, candidate, judged, files)
    folder, patch_of = build(home, given, memory_limit, threads, candidate.earlier)
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
        _add_plots(home, candidate, candidate.evaluation, folder / PLOTS)
    database = folder / DATABASE
    kept = _kept(candidate, release_id)
    manifest = Manifest(
        release_id=release_id,
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
        gate=judged.summary,
        comparisons=judged.comparisons,
        measured=kept,
        anchor=judged.anchor or kept,
        parts=dict(candidate.parts),
        recipe=dict(candidate.recipe),
        base=candidate.inherited.base if candidate.inherited else None,
        layout=layout(),
        patch_of=patch_of,
    )
    return adopt(home, folder, manifest)


def _kept(candidate: Candidate, release_id: str) -> KeptModel | None:
    if candidate.inherited is not None:
        return candidate.inherited.kept
    return kept_model(candidate.kept, release_id) if candidate.kept else None


def _write_music(
    folder: Path, candidate: Candidate, memory_limit: str, threads: int
) -> dict[str, Path]:
    """Write the tables of artists and signatures; return their paths."""
    from tasks.music.tables import music_tables  # compiled code, which few commands need

    named = {
        "tracks": candidate.ingested["tracks"],
        "interactions": candidate.ingested["interactions"],
        "content": candidate.neighbours.content["content"],
        "embedding": candidate.neighbours.content["embedding"],
        "similarity": candidate.lists["similarity"],
    }
    files = {name: dataset.path for name, dataset in named.items()}
    tables = music_tables(files, candidate.hybrid.gamma, memory_limit, threads)
    paths = {name: folder / f"{name}.parquet" for name in tables}
    for name, table in tables.items():
        write_parquet(table, paths[name])
    return paths


def _add_plots(home: Home, candidate: Candidate, measured: StageResult, folder: Path) -> None:
    """Draw the plots of the evaluation, or copy those of the base, which has the same."""
    if candidate.inherited is not None:
        drawn = home.releases / candidate.inherited.base.release_id / PLOTS
        if drawn.is_dir():
            shutil.copytree(drawn, folder)
            return
    from tasks.evaluation.plots import write_plots  # a second of imports that few runs need

    folder.mkdir()
    evaluation, curve, segments = (
        measured[name].read() for name in ("evaluation", "segment_curve", "segments")
    )
    write_plots(evaluation, curve, segments, folder)


def _release_id(home: Home, now: datetime, digest: str) -> str:
    """Ids sort by time, in UTC everywhere; they never go back, even if the clock does."""
    stamp = now.astimezone(UTC).strftime(STAMP)
    earlier = [release.manifest.release_id for release in list_releases(home)]
    if earlier and earlier[-1][:15] >= stamp:
        last = datetime.strptime(earlier[-1][:15], STAMP).replace(tzinfo=UTC)
        stamp = (last + timedelta(seconds=1)).strftime(STAMP)
    return f"{stamp}-{digest[:6]}"


def _build_input(
    release_id: str,
    now: datetime,
    candidate: Candidate,
    judged: Judged,
    written: Mapping[str, Path],
) -> BuildInput:
    """Return what the release is built from; ``written`` are the files that this stage made."""
    lists = candidate.lists.datasets
    named = {
        "tracks": candidate.ingested["tracks"],
        "users": candidate.ingested["users"],
        "dislikes": candidate.ingested["dislikes"],
        "catalogue": lists["catalogue"],
        "weights": lists["weights"],
        "similarity": lists["similarity"],
        "content": candidate.neighbours.content["content"],
        "feature_weights": candidate.neighbours.content["feature_weights"],
        "rejected_rows": candidate.ingested["rejected_rows"],
    }
    files = {name: [dataset.path] for name, dataset in named.items()}
    files |= {name: [path] for name, path in written.items()}
    for name, prefix in (("listeners", "listeners_"), ("similar_lists", "similar_")):
        files[name] = [lists[part].path for part in sorted(lists) if part.startswith(prefix)]
    if candidate.impact is not None:
        files |= {name: [candidate.impact[name].path] for name in MEASURED}
        files["rejected_rows"].append(candidate.impact["rejected_rows"].path)
    rows: dict[str, list[dict[str, Any]]] = {"evaluation": [], "segment_curve": []}
    if candidate.evaluation is not None:
        rows = {name: candidate.evaluation[name].read().to_pylist() for name in rows}
    if candidate.temporal is not None:
        rows["evaluation"] += candidate.temporal["evaluation"].read().to_pylist()
    hybrid = candidate.hybrid
    return BuildInput(
        release_id=release_id,
        created_at=now,
        code_version=version("crossfade"),
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
        held_out_listeners=candidate.held_out,
        measured_model=candidate.measured_model,
        published_model=candidate.published_model,
        gamma=hybrid.gamma,
        half_life=hybrid.half_life,
        artist_factor=hybrid.artist_factor,
        artist_factors=artist_factors(hybrid.artist_factor).tolist(),
        popular_candidates=hybrid.popular_candidates,
        gate=judged.summary,
        forced_by=judged.override.by if judged.override else None,
        forced_because=judged.override.because if judged.override else None,
        base_release_id=candidate.inherited.base.release_id if candidate.inherited else None,
        numeric_features=list(candidate.numeric_features),
        **rows,
    )
