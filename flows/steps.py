"""The steps of a run as Prefect tasks: thin, each calls one stage, logs its counts, returns it."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from distributed import Client
from prefect import runtime, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State

from flows.interrupts import raise_if_requested, requested
from flows.lines import log_feedback, log_held_out, log_stage
from flows.progress import under_way
from tasks.blend.neighbours import Neighbours
from tasks.blend.parameters import HybridParameters, Segment
from tasks.blend.stage import lists_stage
from tasks.choice.parameters import ChoiceParameters
from tasks.choice.stage import choice_stage
from tasks.collaborative.parameters import CollaborativeParameters
from tasks.collaborative.stage import collaborative_stage
from tasks.content.parameters import ContentParameters
from tasks.content.stage import content_stage
from tasks.dataset.experiments import Experiment
from tasks.dataset.feedback import FeedbackSpec
from tasks.dataset.spec import DatasetSpec
from tasks.evaluation.hiding import HiddenWorld, hiding_stage
from tasks.evaluation.parameters import EvaluationParameters
from tasks.evaluation.past import past_stage
from tasks.evaluation.stage import evaluation_stage
from tasks.evaluation.temporal import temporal_stage
from tasks.experiments.parameters import ExperimentParameters
from tasks.experiments.stage import experiments_stage
from tasks.feedback.stage import Feedback, feedback_stage, without
from tasks.holdout.stage import holdout_stage
from tasks.ingest.limits import IngestLimits
from tasks.ingest.stage import ingest_stage
from tasks.lake.dataset import Dataset
from tasks.lake.plays import played_tracks
from tasks.lake.record import StageResult
from tasks.refresh.base import current_part
from tasks.refresh.frozen import frozen_stage
from tasks.refresh.stage import Before, refreshed_lists_stage
from tasks.release.build import build_stage
from tasks.release.candidate import Candidate, Judged
from tasks.release.gate import GateVerdict
from tasks.release.measured import measured_stage
from tasks.release.stage import gate_stage, publish_stage, rule_of_current
from warehouse.errors import ClusterError
from warehouse.releases.home import Home
from warehouse.releases.manifest import Override
from warehouse.releases.release import Release

RETRY_DELAYS = [10.0, 60.0]
"""Seconds before the second and the third try."""

logger = logging.getLogger("crossfade")


def _may_pass(_task: object, _run: object, state: State[object]) -> bool:
    """Tell whether a later try may succeed: a cluster or a shared file system that was away.

    Only for deployed runs; a person at a terminal should see the error at once.
    """
    lost = isinstance(state.data, ClusterError | OSError) and not requested()
    return lost and runtime.deployment.id is not None


_once: dict[str, Any] = {
    "cache_policy": NO_CACHE,  # the lake does it, by content (docs/decisions/0001)
    "persist_result": False,
}
_again: dict[str, Any] = {
    **_once,
    "retries": len(RETRY_DELAYS),
    "retry_delay_seconds": RETRY_DELAYS,
    "retry_condition_fn": _may_pass,
}


@task(name="ingest", **_again)
def ingest(
    lake: Path,
    spec: DatasetSpec,
    limits: IngestLimits,
    memory_limit: str,
    computing: Callable[[], None] | None = None,
    earlier: StageResult | None = None,
) -> StageResult:
    """Read, check and key the input files; ``computing`` is called if there is work to do.

    Of a result ``earlier`` the files that it has read are taken over, if that gives the same.
    """
    with under_way("ingest"):
        return log_counts(
            ingest_stage(lake, spec, limits, memory_limit, computing, earlier=earlier)
        )


@task(name="holdout", **_once)
def holdout(
    home: Home, dataset: str, ingested: StageResult, parameters: EvaluationParameters
) -> Dataset | None:
    """Choose the listeners that the measured model must not see, to measure it on them."""
    with under_way("holdout"):
        before = rule_of_current(home, dataset)
        held_out = holdout_stage(home.lake, ingested["users"], parameters, before)
    log_held_out(None if held_out is None else held_out.rows)
    return held_out


@task(name="choice", **_again)
def choice(
    home: Home,
    client: Client,
    dataset: str,
    ingested: StageResult,
    held_out: Dataset | None,
    start: CollaborativeParameters,
    parameters: ChoiceParameters,
    again: bool,
) -> StageResult:
    """Choose the parameters of the collaborative model, or keep those of the current release."""
    with under_way("choice") as progress:
        before = current_part(home, dataset, "choice")
        chosen = choice_stage(
            home.lake, client, ingested, held_out, start, parameters, before, again, progress
        )
        return log_counts(chosen)


@task(name="collaborative", **_again)
def collaborative(
    lake: Path,
    client: Client,
    ingested: StageResult,
    held_out: Dataset | None,
    parameters: CollaborativeParameters,
    name: str = "collaborative",
) -> StageResult:
    """Find each track's neighbours from who played what."""
    with under_way(name) as progress:
        plays, played = ingested["interactions"], played_tracks(ingested)
        found = collaborative_stage(lake, client, plays, played, held_out, parameters, progress)
        return log_counts(found, name)


@task(name="content", **_again)
def content(
    lake: Path,
    client: Client,
    ingested: StageResult,
    held_out: Dataset | None,
    spec: DatasetSpec,
    parameters: ContentParameters,
    name: str = "content",
) -> StageResult:
    """Find each track's neighbours from tags, artist, year and sound."""
    with under_way(name) as progress:
        found = content_stage(
            lake,
            client,
            ingested["tracks"],
            ingested["interactions"],
            held_out,
            spec.tracks.numeric,
            spec.tracks.categorical,
            parameters,
            progress,
        )
        return log_counts(found, name)


@task(name="hiding", **_once)
def hiding(
    lake: Path, ingested: StageResult, parameters: EvaluationParameters
) -> StageResult | None:
    """Take some played tracks for unplayed, to choose γ by what it does for them."""
    with under_way("hiding"):
        hidden = hiding_stage(lake, ingested, parameters)
    return None if hidden is None else log_counts(hidden)


@task(name="evaluation", **_again)
def evaluation(
    lake: Path,
    client: Client,
    ingested: StageResult,
    held_out: Dataset,
    neighbours: Neighbours,
    hybrid: HybridParameters,
    parameters: EvaluationParameters,
    hidden: HiddenWorld | None = None,
    name: str = "evaluation",
) -> StageResult:
    """Learn the blend on the held-out listeners and measure every model on them."""
    with under_way(name) as progress:
        found = evaluation_stage(
            lake, client, ingested, held_out, *neighbours, hybrid, parameters, progress, hidden
        )
        return log_counts(found, name)


@task(name="past", **_once)
def past(
    lake: Path, ingested: StageResult, held_out: Dataset, parameters: EvaluationParameters
) -> StageResult | None:
    """Take the data back to a day, to ask models of then what was played first since."""
    with under_way("past"):
        found = past_stage(lake, ingested, held_out, parameters)
    return None if found is None else log_counts(found)


@task(name="temporal", **_again)
def temporal(
    lake: Path,
    client: Client,
    past: StageResult,
    neighbours: Neighbours,
    evaluation: StageResult,
    hybrid: HybridParameters,
    parameters: EvaluationParameters,
) -> StageResult:
    """Measure the models of the past on what was played first since."""
    with under_way("temporal") as progress:
        found = temporal_stage(
            lake, client, past, neighbours, evaluation, hybrid, parameters, progress
        )
        return log_counts(found)


@task(name="lists", **_again)
def lists(
    lake: Path,
    client: Client,
    ingested: StageResult,
    neighbours: Neighbours,
    parameters: HybridParameters,
    unseen: Dataset | None = None,
) -> StageResult:
    """Rank the catalogue for every listener and every track."""
    with under_way("lists") as progress:
        found = lists_stage(lake, client, ingested, *neighbours, parameters, progress, unseen)
        return log_counts(found)


@task(name="frozen", **_once)
def frozen(
    lake: Path,
    ingested: StageResult,
    parts: Mapping[str, StageResult],
    spec: DatasetSpec,
    parameters: ContentParameters,
) -> StageResult:
    """Take over the tables that a base has learned, for the catalogue of today."""
    of = spec.tracks
    with under_way("frozen"):
        return log_counts(
            frozen_stage(lake, ingested, parts, of.numeric, of.categorical, parameters)
        )


@task(name="lists", **_again)
def refreshed_lists(
    lake: Path,
    client: Client,
    ingested: StageResult,
    frozen: StageResult,
    parameters: HybridParameters,
    before: Before | None,
) -> StageResult:
    """Rank the catalogue for every listener who did something new, by the tables of the base."""
    with under_way("lists") as progress:
        return log_counts(
            refreshed_lists_stage(lake, client, ingested, frozen, parameters, before, progress)
        )


@task(name="feedback", **_once)
def feedback(lake: Path, spec: FeedbackSpec, limits: IngestLimits, memory_limit: str) -> Feedback:
    """Read the feedback on earlier recommendations. Errors in it never stop a run."""
    try:
        with under_way("feedback"):
            read = feedback_stage(lake, spec, limits, memory_limit)
    except Exception as error:
        raise_if_requested()
        logger.exception("feedback: it cannot be read")
        read = without(Feedback(), f"the feedback cannot be read ({error})")
    log_feedback(len(read.results), read.files_read, read.broken.values())
    return read


@task(name="experiments", **_once)
def experiments(
    lake: Path,
    read: Feedback,
    users: Dataset,
    configured: Sequence[Experiment],
    segments: Sequence[Segment],
    parameters: ExperimentParameters,
    limits: IngestLimits,
    memory_limit: str,
) -> StageResult:
    """Measure the experiments. If that fails, the run continues with results that say so."""
    given = (users, configured, segments, parameters, limits, memory_limit)
    try:
        with under_way("experiments"):
            return log_counts(experiments_stage(lake, read, *given))
    except Exception as error:
        raise_if_requested()
        logger.exception("experiments: they cannot be measured")
        nothing = without(Feedback(), f"the experiments cannot be measured ({error})")
        return log_counts(experiments_stage(lake, nothing, *given))


@task(name="build", **_once)
def build(
    home: Home,
    candidate: Candidate,
    judged: Judged,
    memory_limit: str,
    threads: int,
    peak_memory: int,
) -> Release:
    """Build the release file and check it against the contract."""
    started = time.perf_counter()
    with under_way("build"):
        release = build_stage(home, candidate, judged, memory_limit, threads, peak_memory)
    megabytes = release.manifest.bytes / 1e6
    logger.info(
        "build: %s, %.1f MB, checked in %.1f s",
        release.manifest.release_id,
        megabytes,
        time.perf_counter() - started,
    )
    return release


@task(name="measured", **_once)
def measured(
    lake: Path,
    ingested: StageResult,
    held_out: Dataset,
    neighbours: tuple[StageResult, StageResult],
    evaluation: StageResult,
    hybrid: HybridParameters,
) -> StageResult:
    """Keep the measured model in the lake, for the gate of this release and of later ones."""
    with under_way("measured model"):
        return measured_stage(lake, ingested, held_out, *neighbours, evaluation, hybrid)


@task(name="gate", **_once)
def gate(
    home: Home,
    dataset: str,
    ingested: StageResult,
    held_out: Dataset,
    measured: StageResult,
    evaluation: StageResult,
    parameters: EvaluationParameters,
) -> GateVerdict:
    """Compare the measured model with that of the current release and of the anchor."""
    with under_way("gate"):
        verdict = gate_stage(home, dataset, ingested, held_out, measured, evaluation, parameters)
    for said in (*verdict.compared, *verdict.notes):
        logger.info("gate: %s", said)
    for said in verdict.reasons:
        logger.warning("gate: %s", said)
    logger.info("gate: %s", "passed" if verdict.passed else "refused")
    return verdict


@task(name="publish", **_once)
def publish(
    home: Home, release: Release, refused_because: str = "", override: Override | None = None
) -> Release:
    """Make the release current."""
    raise_if_requested()
    with under_way("publish"):
        published = publish_stage(home, release, refused_because, override)
    logger.info("publish: %s is current", published.manifest.release_id)
    if override is not None:
        logger.warning("publish: by force, by %s: %s", override.by, override.because)
    return published


def log_counts(result: StageResult, name: str = "") -> StageResult:
    """Log a stage's counts, also under another name; the terminal and the Prefect UI show them.

    Raises Stopped if a signal came while the stage was in a library that swallowed the exception.
    """
    raise_if_requested()
    log_stage(result, name)
    return result
