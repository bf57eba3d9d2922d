"""The flow of a refresh: new plays into the lists, by the models of the current release.

docs/refresh.md says what is frozen with the base and what moves.
"""

import os
from dataclasses import replace
from typing import cast

from distributed import Client
from prefect import flow, runtime

from flows import steps
from flows.artifacts.difference import difference_section
from flows.artifacts.page import show
from flows.artifacts.quality import data_quality_markdown
from flows.artifacts.report import KEY, report_markdown
from flows.cluster import Cluster, cluster_of
from flows.decision import parameters_of, recipe_of
from flows.forgetting import finish_forgetting
from flows.interrupts import on_stop
from flows.lines import RunLines, log_still_current, plays_in_short
from flows.memory import PeakMemory
from flows.outcome import Outcome, seconds_of
from flows.parameters import DaskAddress, DatasetFile, HomeFolder, Plays, Tracks
from flows.runs import concluded, rename, starting_name, working_in
from flows.settings import Settings, load_settings
from flows.tidying import tidy
from tasks.blend.neighbours import Neighbours
from tasks.lake.record import StageResult
from tasks.refresh.base import Found, find_base
from tasks.refresh.frozen import own_result
from tasks.refresh.patchable import patchable
from tasks.refresh.stage import Before
from tasks.release.candidate import Candidate, Judged, blend_of_current, quality_with_drift
from tasks.release.kept import lake_part
from warehouse.errors import FullRunNeededError, LockedError
from warehouse.releases.home import Home
from warehouse.releases.manifest import LakePart
from warehouse.releases.pointer import reason_to_skip_publish
from warehouse.releases.release import Release
from warehouse.releases.retention import clear_leftovers


@flow(
    name="crossfade-refresh",
    flow_run_name=starting_name,
    validate_parameters=True,
    persist_result=False,
)
def refresh(
    tracks: Tracks = None,
    plays: Plays = None,
    dataset: DatasetFile = None,
    dask: DaskAddress = None,
    home: HomeFolder = None,
) -> Outcome | None:
    """Publish the plays of today with the models of the current release; None: it was skipped.

    A deployment's refresh is skipped while a run works in the home, and where a full run is needed,
    and says so; at a terminal both are errors. A parameter that is not given is taken from the
    environment, then from crossfade.toml.
    """
    return concluded(
        lambda: _attempted(
            load_settings(tracks=tracks, plays=plays, dataset=dataset, dask=dask, home=home)
        )
    )


def _attempted(settings: Settings) -> tuple[Outcome | None, str]:
    """Refresh, or skip it where the next scheduled refresh may do what this one cannot."""
    try:
        return _refresh_locked(settings)
    except (LockedError, FullRunNeededError) as error:
        if runtime.deployment.id is None:
            raise
        rename("skipped" if isinstance(error, LockedError) else "full run needed")
        return None, f"skipped: {error}"


def _refresh_locked(settings: Settings) -> tuple[Outcome, str]:
    """Refresh as the only run in the home; return the outcome, also in words."""
    home = Home(settings.home.resolve())
    cluster = cluster_of(settings)
    alone = working_in(home, "refresh", 0.0)
    sections: list[str] = []
    with RunLines() as said, alone, PeakMemory() as memory, cluster, on_stop(cluster.abort):
        clear_leftovers(home)
        finish_forgetting(home, settings.memory_limit)  # one that was killed
        outcome = _refresh(settings, home, cluster, memory, sections)
        tidy(settings, home)
    outcome = outcome.model_copy(update={"said": tuple(said.lines)})
    show(KEY, report_markdown(outcome, sections), "What this refresh did")
    if not outcome.published:
        return outcome, f"{outcome.because}: {outcome.release_id} stays current"
    counts = outcome.stages["ingest"].counts
    return outcome, (
        f"{outcome.release_id} is published, a refresh: {counts['play_records']:,} plays of "
        f"{counts['users']:,} listeners, {counts['tracks']:,} tracks"
    )


def _refresh(
    settings: Settings, home: Home, cluster: Cluster, memory: PeakMemory, sections: list[str]
) -> Outcome:
    """Take new plays through every stage that learns nothing."""
    spec, lake = settings.spec(), home.lake
    found = find_base(home, spec.name, recipe_of(settings))
    earlier = found.ingested(lake)
    ingested = steps.ingest(
        lake,
        spec,
        settings.ingest,
        settings.memory_limit,
        computing=cluster.start_soon,
        earlier=earlier,
    )
    rename(plays_in_short(ingested))
    current = found.current
    if lake_part(ingested) == current.manifest.parts["ingest"]:
        return _unchanged(current, "inputs unchanged", {"ingest": ingested}, memory)
    frozen = steps.frozen(lake, ingested, found.parts, spec, settings.content)
    hybrid = blend_of_current(home, spec.name, settings.hybrid)
    lists = steps.refreshed_lists(
        lake, cast(Client, cluster), ingested, frozen, hybrid, _before(home, found, earlier)
    )
    stages = {"ingest": ingested, "frozen": frozen, "lists": lists}
    evaluation, temporal = found.parts.get("evaluation"), found.parts.get("temporal")
    impact = found.parts.get("experiments")
    candidate = Candidate(
        dataset=spec.name,
        inputs=ingested.inputs,
        # what the base has chosen, by a recipe that is the same
        parameters=parameters_of(settings)
        | {"collaborative": current.manifest.parameters["collaborative"]},
        hybrid=hybrid,
        numeric_features=spec.tracks.numeric,
        ingested=ingested,
        neighbours=Neighbours(frozen, frozen),
        lists=lists,
        data_quality=quality_with_drift(
            home,
            ingested,
            settings.ingest,
            spec.name,
            impact,
            evaluation,
            temporal,
            found.base_release,
        ),
        evaluation=evaluation,
        temporal=temporal,
        held_out=found.held_out,
        experiments=spec.experiments,
        impact=impact,
        stage_seconds=seconds_of(stages),
        parts=_parts(ingested, frozen, lists, found),
        recipe=current.manifest.recipe,
        inherited=found.inherited,
    )
    skip = reason_to_skip_publish(home, candidate.fingerprint, force=False)
    if skip is not None:
        return _unchanged(*skip, stages, memory)
    candidate = replace(candidate, earlier=patchable(home, found, lists, frozen["content"]))
    release = _publish(settings, home, candidate, current, memory, sections)
    return Outcome(
        release_id=release.manifest.release_id,
        because="",
        database=release.database,
        stages=stages,
        peak_memory_bytes=memory.bytes,
    )


def _before(home: Home, found: Found, ingested: StageResult | None) -> Before | None:
    """Return what the current release was made of, if all of it is whole in the lake.

    ``ingested`` is its input, None if that is not.
    """
    if ingested is None:
        return None
    ranked = found.ranked(home.lake, found.current)
    return None if ranked is None else Before(ingested, *ranked)


def _parts(
    ingested: StageResult, frozen: StageResult, lists: StageResult, found: Found
) -> dict[str, LakePart]:
    """Return the results that the next refresh compares with."""
    results = {"ingest": ingested, "lists": lists}
    if frozen["content"].path != found.parts["content"]["content"].path:
        results["frozen"] = own_result(frozen)
    return {name: lake_part(result) for name, result in results.items()}


def _unchanged(
    current: Release, because: str, stages: dict[str, StageResult], memory: PeakMemory
) -> Outcome:
    """Return the outcome of a refresh that publishes nothing."""
    log_still_current(because, current.manifest.release_id)
    rename(plays_in_short(stages["ingest"]), "unchanged")
    return Outcome(
        release_id=current.manifest.release_id,
        because=because,
        database=current.database,
        stages=stages,
        peak_memory_bytes=memory.bytes,
    )


def _publish(
    settings: Settings,
    home: Home,
    candidate: Candidate,
    current: Release,
    memory: PeakMemory,
    sections: list[str],
) -> Release:
    """Build the refresh and make it current; what the gate said of its base holds for it."""
    assert candidate.inherited is not None
    base_id, manifest = candidate.inherited.base.release_id, current.manifest
    said = (
        f"A refresh of {base_id}, with the models and the evaluation of that release; nothing was "
        "learned, so the gate had nothing to compare."
    )
    judged = Judged(said, manifest.anchor, manifest.override)
    built = steps.build(
        home, candidate, judged, settings.memory_limit, os.cpu_count() or 1, memory.bytes
    )
    sections += [
        f"## Refresh\n\n{said}\n",
        difference_section(current, built),
        data_quality_markdown(candidate.data_quality),
    ]
    release = steps.publish(home, built, manifest.reason, manifest.override)
    rename(plays_in_short(candidate.ingested), f"release {release.manifest.release_id}")
    return release
