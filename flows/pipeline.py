"""The flow of a run: ingest → neighbours → lists → build → publish."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Annotated, cast

from distributed import Client
from prefect import flow
from pydantic import Field

from flows import steps
from flows.artifacts.difference import difference_section
from flows.artifacts.evaluation import evaluation_section, temporal_section
from flows.artifacts.impact import impact_section
from flows.artifacts.page import show
from flows.artifacts.quality import data_quality_markdown
from flows.artifacts.report import KEY, gate_markdown, refused_markdown, report_markdown
from flows.cluster import Cluster, cluster_of
from flows.decision import (
    Decision,
    FeedbackKeys,
    asked_of,
    folder_of,
    folder_of_dataset,
    parameters_of,
    recipe_of,
    sizes_of,
    write_decision,
)
from flows.forgetting import finish_forgetting
from flows.interrupts import on_stop
from flows.learning import Learned, learn
from flows.lines import RunLines, log_force_not_needed, log_still_current, plays_in_short
from flows.memory import PeakMemory
from flows.outcome import Outcome, seconds_of
from flows.override import override_by_operator
from flows.parameters import (
    ChooseAgain,
    DaskAddress,
    DatasetFile,
    Force,
    Holdout,
    HomeFolder,
    Plays,
    Reason,
    Tracks,
    TuneSeconds,
)
from flows.runs import concluded, rename, starting_name, working_in
from flows.settings import Settings, load_settings
from flows.tidying import tidy
from tasks.blend.parameters import HybridParameters
from tasks.dataset.spec import DatasetSpec
from tasks.feedback.stage import Feedback
from tasks.holdout.rule import HoldoutRule
from tasks.holdout.stage import holdout_stage
from tasks.lake.dataset import Dataset
from tasks.lake.record import StageResult
from tasks.refresh.base import current_part
from tasks.release.build import PLOTS
from tasks.release.candidate import (
    Candidate,
    Judged,
    blend_of_current,
    current_of,
    quality_with_drift,
)
from tasks.release.gate import GateVerdict
from tasks.release.kept import lake_part
from tasks.release.stage import refuse, rule_of_current
from warehouse.errors import CrossfadeError, GateError
from warehouse.releases.home import Home
from warehouse.releases.manifest import LakePart, Override
from warehouse.releases.pointer import reason_to_skip_publish, rolled_back
from warehouse.releases.release import Release, current_id
from warehouse.releases.retention import clear_leftovers


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
    choose_again: ChooseAgain = False,
    tune_seconds: TuneSeconds = None,
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
                tune_seconds=tune_seconds,
            ),
            override_by_operator(reason) if force else None,
            choose_again,
        )
    )


def _run_locked(
    settings: Settings, override: Override | None, choose_again: bool = False
) -> tuple[Outcome, str]:
    """Run as the only run in the home; return the outcome, also in words."""
    home = Home(settings.home.resolve())
    cluster = cluster_of(settings)
    alone = working_in(home, "run", settings.wait_seconds)
    sections: list[str] = []
    with RunLines() as said, alone, PeakMemory() as memory, cluster, on_stop(cluster.abort):
        clear_leftovers(home)
        finish_forgetting(home, settings.memory_limit)  # one that was killed
        try:
            outcome = _run(settings, home, cluster, memory, override, choose_again, said, sections)
        except GateError as error:
            tidy(settings, home)
            show(KEY, refused_markdown(str(error), said.lines, sections), "Why it was refused")
            raise
        tidy(settings, home)
    outcome = outcome.model_copy(update={"said": tuple(said.lines)})
    show(KEY, report_markdown(outcome, sections), "What this run did")
    if not outcome.published:
        return outcome, f"{outcome.because}: {outcome.release_id} stays current"
    counts = outcome.stages["ingest"].counts
    return outcome, (
        f"{outcome.release_id} is published: {counts['play_records']:,} plays of "
        f"{counts['users']:,} listeners, {counts['tracks']:,} tracks"
    )


def _run(
    settings: Settings,
    home: Home,
    cluster: Cluster,
    memory: PeakMemory,
    override: Override | None,
    choose_again: bool,
    said: RunLines,
    sections: list[str],
) -> Outcome:
    """Take the dataset through every stage; nothing is current before the gate has passed it.

    What the report says of a new release is added to ``sections``.
    """
    spec, lake, client = settings.spec(), home.lake, cast(Client, cluster)
    asked, rule = asked_of(settings), rule_of_current(home, spec.name)
    # Workers take seconds to start, and ingest does not need them.
    ingested = steps.ingest(
        lake, spec, settings.ingest, settings.memory_limit, computing=cluster.start_soon
    )
    rename(plays_in_short(ingested))
    learned = learn(home, client, spec, settings, ingested, choose_again)
    hybrid = learned.hybrid or blend_of_current(home, spec.name, settings.hybrid)
    ranked = steps.lists(lake, client, ingested, learned.published, hybrid, learned.unseen)
    read, impact = _impact(settings, spec, lake, ingested, hybrid)
    stages = {"ingest": ingested, **learned.stages, "lists": ranked}
    if impact is not None:
        stages["experiments"] = impact
    candidate = Candidate(
        dataset=spec.name,
        inputs=ingested.inputs | (read.inputs if read else {}),
        parameters=parameters_of(settings, learned.collaborative),
        hybrid=hybrid,
        numeric_features=spec.tracks.numeric,
        ingested=ingested,
        neighbours=learned.published,
        measured=learned.measured if learned.held_out else None,
        held_out=learned.held_out.rows if learned.held_out else 0,
        lists=ranked,
        data_quality=quality_with_drift(
            home, ingested, settings.ingest, spec.name, impact, learned.evaluation, learned.temporal
        ),
        evaluation=learned.evaluation,
        temporal=learned.temporal,
        kept=learned.kept,
        experiments=spec.experiments,
        impact=impact,
        stage_seconds=seconds_of(stages),
        parts=_parts(ingested, learned, ranked, impact),
        recipe=recipe_of(settings),
    )
    skip = reason_to_skip_publish(home, candidate.fingerprint, override is not None)
    release, because = skip or (None, "")
    if release is None:
        release = _publish(settings, home, candidate, learned.held_out, memory, override, sections)
    else:
        log_still_current(because, release.manifest.release_id)
        rename(plays_in_short(ingested), "unchanged")
    if not said.errors and _repeats(settings, home, candidate, learned, rule):
        _remember(settings, home, candidate, learned, read, stages, asked)
    return Outcome(
        release_id=release.manifest.release_id,
        because=because,
        database=release.database,
        stages=stages,
        peak_memory_bytes=memory.bytes,
    )


def _parts(
    ingested: StageResult, learned: Learned, ranked: StageResult, impact: StageResult | None
) -> dict[str, LakePart]:
    """Return the results that refreshes of the release will use."""
    results = {
        "ingest": ingested,
        "choice": learned.choice,
        "content": learned.published.content,
        "lists": ranked,
        "evaluation": learned.evaluation,
        "temporal": learned.temporal,
        "experiments": impact,
    }
    return {name: lake_part(result) for name, result in results.items() if result is not None}


def _impact(
    settings: Settings,
    spec: DatasetSpec,
    lake: Path,
    ingested: StageResult,
    hybrid: HybridParameters,
) -> tuple[Feedback | None, StageResult | None]:
    """Measure the effect of earlier recommendations; return what was read and what came out."""
    if spec.feedback is None:
        return None, None
    limits, memory_limit = settings.ingest, settings.memory_limit
    read = steps.feedback(lake, spec.feedback, limits, memory_limit)
    impact = steps.experiments(
        lake, read, ingested["users"], spec.experiments, hybrid.segments, settings.measurement,
        limits, memory_limit,
    )  # fmt: skip
    return read, impact


def _repeats(
    settings: Settings,
    home: Home,
    candidate: Candidate,
    learned: Learned,
    rule: HoldoutRule | None,
) -> bool:
    """Tell whether the next run starts from what this one did, ``rule`` among it.

    Who is held out, the parameters, and the blend where nobody is, depend on the release that is
    current, which may be another one since this run began.
    """
    if learned.choice is not None:
        before = current_part(home, candidate.dataset, "choice")
        if before is None or before.key != learned.choice.key:
            return False
    now = rule_of_current(home, candidate.dataset)
    if now != rule:
        users = candidate.ingested["users"]
        if holdout_stage(home.lake, users, settings.evaluation, now) != learned.held_out:
            return False
    return learned.hybrid is not None or candidate.hybrid == blend_of_current(
        home, candidate.dataset, settings.hybrid
    )


def _remember(
    settings: Settings,
    home: Home,
    candidate: Candidate,
    learned: Learned,
    read: Feedback | None,
    stages: dict[str, StageResult],
    asked: str,
) -> None:
    """Keep what this run decided for the next one; failing to is no failure of the run."""
    others = [folder_of(result) for result in read.results] if read else []
    if learned.kept is not None:
        others.append(folder_of(learned.kept))
    if learned.held_out is not None:
        others.append(folder_of_dataset(learned.held_out))
    current = current_id(home)
    with suppress(CrossfadeError, OSError):
        if current is None or asked != asked_of(settings):  # the code was edited meanwhile
            return
        decision = Decision(
            asked=asked,
            sizes=sizes_of(settings),
            ingest=candidate.ingested.key,
            feedback=FeedbackKeys.of(read) if read else None,
            current=current,
            held_out=learned.held_out.rows if learned.held_out else None,
            stages={name: folder_of(result) for name, result in stages.items()},
            others=tuple(others),
            fingerprint=candidate.fingerprint,
        )
        write_decision(home, decision)


def _publish(
    settings: Settings,
    home: Home,
    candidate: Candidate,
    held_out: Dataset | None,
    memory: PeakMemory,
    override: Override | None,
    sections: list[str],
) -> Release:
    """Build the challenger and make it current if the gate passes it or the user forces it."""
    before = current_of(home, candidate.dataset)
    verdict = _verdict(settings, home, candidate, held_out)
    refused = "; ".join(verdict.reasons)
    if override is not None and not refused:
        log_force_not_needed(rolled_back(home, candidate.fingerprint))
        override = None
    judged = Judged(verdict.summary, verdict.anchor, override, verdict.comparisons)
    built = steps.build(
        home, candidate, judged, settings.memory_limit, os.cpu_count() or 1, memory.bytes
    )
    sections += [
        gate_markdown(built.manifest),
        difference_section(before, built),
        evaluation_section(candidate.evaluation, built.folder / PLOTS),
        temporal_section(candidate.evaluation, candidate.temporal),
        data_quality_markdown(candidate.data_quality),
        impact_section(built.database),
    ]
    if refused and override is None:
        refuse(built, refused)
        rename(plays_in_short(candidate.ingested), f"{built.manifest.release_id} refused")
        raise GateError(
            f"the gate refused {built.manifest.release_id}: {refused}; the current release "
            "is unchanged; --force publishes it anyway"
        )
    release = steps.publish(home, built, refused, override)
    rename(plays_in_short(candidate.ingested), f"release {release.manifest.release_id}")
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
