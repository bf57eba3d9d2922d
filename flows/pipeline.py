"""The flow of a run: ingest → neighbours → lists → build → publish."""

import logging
import os
from pathlib import Path
from typing import Annotated, Any, cast

from distributed import Client
from prefect import flow
from pydantic import Field

from flows import steps
from flows.artifacts.difference import show_difference
from flows.artifacts.evaluation import show_evaluation
from flows.artifacts.impact import show_impact
from flows.artifacts.page import show
from flows.artifacts.quality import show_data_quality
from flows.artifacts.summary import refused_markdown, summary_markdown
from flows.cluster import Cluster
from flows.interrupts import on_stop
from flows.learning import learn
from flows.memory import PeakMemory
from flows.outcome import Outcome
from flows.override import override_by_operator
from flows.parameters import (
    DaskAddress,
    DatasetFile,
    Force,
    Holdout,
    HomeFolder,
    Plays,
    Reason,
    Tracks,
)
from flows.runs import RunLines, concluded, in_short, rename, starting_name, working_in
from flows.settings import Settings, load_settings, worker_memory
from tasks.blend.parameters import HybridParameters
from tasks.dataset.spec import DatasetSpec
from tasks.lake.dataset import Dataset
from tasks.lake.record import StageResult
from tasks.lake.retention import forget_unused
from tasks.release.build import PLOTS
from tasks.release.candidate import (
    Candidate,
    Judged,
    blend_of_current,
    current_of,
    quality_with_drift,
    reason_to_skip_publish,
)
from tasks.release.gate import GateVerdict
from tasks.release.stage import refuse
from warehouse.errors import GateError
from warehouse.releases.home import Home
from warehouse.releases.manifest import Override
from warehouse.releases.release import Release
from warehouse.releases.retention import clear_leftovers, kept_models, prune

logger = logging.getLogger("crossfade")


@flow(
    name="crossfade",
    flow_run_name=starting_name,
    validate_parameters=True,
    persist_result=False,
)
def crossfade(
    tracks: Tracks = None,
    plays: Plays = None,
    dataset: DatasetFile = None,
    model: Annotated[str | None, Field(description="Collaborative model")] = None,
    holdout: Holdout = None,
    dask: DaskAddress = None,
    home: HomeFolder = None,
    force: Force = False,
    reason: Reason = None,
) -> Outcome:
    """Two CSVs in, a checked, measured and published DuckDB release out.

    A parameter that is not given is taken from the environment, then from crossfade.toml.
    """
    return concluded(
        lambda: _run_locked(
            load_settings(
                tracks=tracks,
                plays=plays,
                dataset=dataset,
                model=model,
                holdout=holdout,
                dask=dask,
                home=home,
            ),
            override_by_operator(reason) if force else None,
        )
    )


def _run_locked(settings: Settings, override: Override | None) -> tuple[Outcome, str]:
    """Run as the only run in the home; return the outcome, also in words."""
    home = Home(settings.home.resolve())
    cluster = Cluster(
        settings.dask, settings.workers, worker_memory(settings.workers), settings.dask_tls
    )
    alone = working_in(home, "run", settings.wait_seconds)
    with RunLines() as said, alone, PeakMemory() as memory, cluster, on_stop(cluster.abort):
        clear_leftovers(home)
        try:
            outcome = _run(settings, home, cluster, memory, override)
        except GateError as error:
            _tidy(settings, home)
            show("release-summary", refused_markdown(str(error), said.lines), "Why it was refused")
            raise
        _tidy(settings, home)
    outcome = outcome.model_copy(update={"said": tuple(said.lines)})
    show_impact(outcome.database)
    show("release-summary", summary_markdown(outcome), "What this run did")
    if not outcome.published:
        return outcome, f"{outcome.because}: {outcome.release_id} stays current"
    counts = outcome.stages["ingest"].counts
    return outcome, (
        f"{outcome.release_id} is published: {counts['play_records']:,} plays of "
        f"{counts['users']:,} listeners, {counts['tracks']:,} tracks"
    )


def _tidy(settings: Settings, home: Home) -> None:
    """Delete releases and stage results beyond the numbers that the settings keep."""
    prune(home, settings.keep_releases)
    forget_unused(home.lake, settings.keep_stages, kept_models(home))


def _run(
    settings: Settings,
    home: Home,
    cluster: Cluster,
    memory: PeakMemory,
    override: Override | None,
) -> Outcome:
    """Take the dataset through every stage; nothing is current before the gate has passed it."""
    spec, lake, client = settings.spec(), home.lake, cast(Client, cluster)
    # Workers take seconds to start, and ingest does not need them.
    ingested = steps.ingest(
        lake, spec, settings.ingest, settings.memory_limit, computing=cluster.start_soon
    )
    rename(_plays(ingested))
    learned = learn(home, client, spec, settings, ingested)
    hybrid = learned.hybrid or blend_of_current(home, spec.name, settings.hybrid)
    ranked = steps.lists(lake, client, ingested, learned.published, hybrid, learned.unseen)
    impact, feedback_inputs = _impact(settings, spec, lake, ingested, hybrid)
    stages = {"ingest": ingested, **learned.stages, "lists": ranked}
    if impact is not None:
        stages["experiments"] = impact
    candidate = Candidate(
        dataset=spec.name,
        inputs=ingested.inputs | feedback_inputs,
        parameters=_parameters(settings),
        hybrid=hybrid,
        numeric_features=spec.tracks.numeric,
        ingested=ingested,
        neighbours=learned.published,
        measured=learned.measured if learned.held_out else None,
        held_out=learned.held_out.rows if learned.held_out else 0,
        lists=ranked,
        data_quality=quality_with_drift(
            home, ingested, settings.ingest, spec.name, impact, learned.evaluation
        ),
        evaluation=learned.evaluation,
        kept=learned.kept,
        experiments=spec.experiments,
        impact=impact,
        stage_seconds={
            name: 0.0 if result.reused else result.seconds for name, result in stages.items()
        },
    )
    skip = reason_to_skip_publish(home, candidate, override is not None)
    release, because = skip or (None, "")
    if release is None:
        release = _publish(settings, home, candidate, learned.held_out, memory, override)
    else:
        logger.info("%s: %s stays current", because, release.manifest.release_id)
        rename(_plays(ingested), "unchanged")
    return Outcome(
        release_id=release.manifest.release_id,
        because=because,
        database=release.database,
        stages=stages,
        peak_memory_bytes=memory.bytes,
    )


def _impact(
    settings: Settings,
    spec: DatasetSpec,
    lake: Path,
    ingested: StageResult,
    hybrid: HybridParameters,
) -> tuple[StageResult | None, dict[str, str]]:
    """Measure the effect of earlier recommendations; return it and the digests of its files."""
    if spec.feedback is None:
        return None, {}
    limits, memory_limit = settings.ingest, settings.memory_limit
    read = steps.feedback(lake, spec.feedback, limits, memory_limit)
    impact = steps.experiments(
        lake, read, ingested["users"], spec.experiments, hybrid.segments, settings.measurement,
        limits, memory_limit,
    )  # fmt: skip
    return impact, read.inputs


def _publish(
    settings: Settings,
    home: Home,
    candidate: Candidate,
    held_out: Dataset | None,
    memory: PeakMemory,
    override: Override | None,
) -> Release:
    """Build the challenger and make it current if the gate passes it or the user forces it."""
    show_data_quality(candidate.data_quality)
    before = current_of(home, candidate.dataset)
    verdict = _verdict(settings, home, candidate, held_out)
    refused = "; ".join(verdict.reasons)
    override = override if refused else None
    judged = Judged(verdict.summary, verdict.anchor, override, verdict.comparisons)
    built = steps.build(
        home, candidate, judged, settings.memory_limit, os.cpu_count() or 1, memory.bytes
    )
    show_difference(before, built)
    if candidate.evaluation is not None:
        show_evaluation(candidate.evaluation, built.folder / PLOTS)
    if refused and override is None:
        refuse(built, refused)
        rename(_plays(candidate.ingested), f"{built.manifest.release_id} refused")
        raise GateError(
            f"the gate refused {built.manifest.release_id}: {refused}; the current release "
            "is unchanged; --force publishes it anyway"
        )
    release = steps.publish(home, built, refused, override)
    rename(_plays(candidate.ingested), f"release {release.manifest.release_id}")
    return release


def _verdict(
    settings: Settings, home: Home, candidate: Candidate, held_out: Dataset | None
) -> GateVerdict:
    """Ask the gate; where nobody is held out there is nothing to ask it."""
    if candidate.evaluation is None or candidate.kept is None or held_out is None:
        current = current_of(home, candidate.dataset)
        return GateVerdict(
            passed=True,
            notes=("nobody is held out: nothing was measured and nothing compared",),
            anchor=current.manifest.anchor if current else None,
        )
    return steps.gate(
        home,
        candidate.dataset,
        candidate.ingested,
        held_out,
        candidate.kept,
        candidate.evaluation,
        settings.evaluation,
    )


def _plays(ingested: StageResult) -> str:
    return f"{in_short(int(ingested.counts['play_records']))} plays"


def _parameters(settings: Settings) -> dict[str, Any]:
    """Return what decides the content of a release, as JSON-like values."""
    chosen = ("ingest", "collaborative", "content", "hybrid", "evaluation", "measurement")
    return {name: getattr(settings, name).model_dump(mode="json") for name in chosen}
