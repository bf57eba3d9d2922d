"""The flow of a run: ingest → neighbours → lists → build → publish."""

import logging
import os
from pathlib import Path
from typing import Annotated, Any, cast

from distributed import Client
from prefect import flow
from prefect.artifacts import create_markdown_artifact
from pydantic import BaseModel, ConfigDict, Field

from flows.cluster import Cluster
from flows.memory import PeakMemory
from flows.settings import Settings, load_settings, worker_memory
from flows.summary import summary_markdown
from tasks import steps
from tasks.lake import StageResult, forget_unused
from tasks.stages.evaluation import learned_parameters
from tasks.stages.ingest import input_fingerprints
from tasks.stages.publish import (
    Candidate,
    blend_of_current,
    quality_with_drift,
    refuse,
    unchanged,
)
from warehouse.errors import GateError
from warehouse.home import Home
from warehouse.releases import Release, clear_leftovers, prune

logger = logging.getLogger("crossfade")


class Outcome(BaseModel):
    """What a run came to."""

    model_config = ConfigDict(frozen=True)

    release_id: str
    published: bool
    """False: nothing had changed, the current release stays."""
    database: Path
    stages: dict[str, StageResult]
    peak_memory_bytes: int


@flow(name="crossfade", validate_parameters=True, persist_result=False)
def crossfade(
    tracks: Annotated[str | None, Field(description="CSV of the catalogue (Kaggle schema)")] = None,
    plays: Annotated[str | None, Field(description="CSV of the history (Kaggle schema)")] = None,
    dataset: Annotated[str | None, Field(description="TOML of any other dataset")] = None,
    model: Annotated[str | None, Field(description="Collaborative model")] = None,
    holdout: Annotated[float | None, Field(description="Share of listeners held out")] = None,
    dask: Annotated[str | None, Field(description="Address of a Dask scheduler")] = None,
    home: Annotated[str | None, Field(description="Folder of lake and warehouse")] = None,
    force: Annotated[bool, Field(description="Publish even what the gate refuses")] = False,
) -> Outcome:
    """Two CSVs in, a checked, measured and published DuckDB release out.

    A parameter that is not given is taken from the environment, then from crossfade.toml.
    """
    settings = load_settings(
        tracks=tracks,
        plays=plays,
        dataset=dataset,
        model=model,
        holdout=holdout,
        dask=dask,
        home=home,
    )
    place = Home(settings.home.resolve())
    cluster = Cluster(settings.dask, settings.workers, worker_memory(settings.workers))
    with place.locked("run", "run"), PeakMemory() as memory, cluster:
        clear_leftovers(place)
        outcome = _run(settings, place, cast(Client, cluster), memory, force)
        prune(place, settings.keep_releases)
        forget_unused(place.lake, settings.keep_stages)
    create_markdown_artifact(
        key="release-summary", markdown=summary_markdown(outcome), description="What this run did"
    )
    return outcome


def _run(
    settings: Settings, home: Home, client: Client, memory: PeakMemory, force: bool
) -> Outcome:
    """Take the dataset through every stage; nothing is current before the gate has passed it."""
    spec, lake = settings.spec(), home.lake
    ingested = steps.ingest(lake, spec, settings.ingest, settings.memory_limit)
    held_out = steps.holdout(lake, ingested, settings.evaluation)
    by_plays = steps.collaborative.submit(lake, client, ingested, held_out, settings.collaborative)
    by_content = steps.content.submit(lake, client, ingested, held_out, spec, settings.content)
    neighbours = (by_plays.result(), by_content.result())
    measured = None
    if held_out is None:
        hybrid = blend_of_current(home, spec.name, settings.hybrid)
    else:
        measured = steps.evaluation(
            lake, client, ingested, held_out, neighbours, settings.hybrid, settings.evaluation
        )
        hybrid = learned_parameters(measured, settings.hybrid)
    ranked = steps.lists(lake, client, ingested, neighbours, hybrid)
    results = (ingested, *neighbours, *([measured] if measured else []), ranked)
    stages = {result.stage: result for result in results}
    candidate = Candidate(
        dataset=spec.name,
        inputs=input_fingerprints(spec),
        parameters=_parameters(settings),
        hybrid=hybrid,
        numeric_features=spec.tracks.numeric,
        ingested=ingested,
        collaborative=neighbours[0],
        content=neighbours[1],
        lists=ranked,
        data_quality=quality_with_drift(home, ingested, settings.ingest, spec.name),
        evaluation=measured,
        stage_seconds={
            name: 0.0 if result.reused else result.seconds for name, result in stages.items()
        },
    )
    current = unchanged(home, candidate)
    if current is not None:
        logger.info("nothing has changed: %s stays current", current.manifest.release_id)
    release = current or _publish(settings, home, candidate, memory, force)
    return Outcome(
        release_id=release.manifest.release_id,
        published=current is None,
        database=release.database,
        stages=stages,
        peak_memory_bytes=memory.bytes,
    )


def _publish(
    settings: Settings, home: Home, candidate: Candidate, memory: PeakMemory, force: bool
) -> Release:
    """Build the candidate and make it current, if the gate lets it or the user insists."""
    built = steps.build(home, candidate, settings.memory_limit, os.cpu_count() or 1, memory.bytes)
    refused = ""
    if candidate.evaluation is not None:
        verdict = steps.gate(home, built, candidate.evaluation, settings.evaluation)
        refused = "; ".join(verdict.reasons)
    if refused and not force:
        refuse(built, refused)
        raise GateError(
            f"the gate refused {built.manifest.release_id}: {refused}; the current release stays, "
            "--force publishes all the same"
        )
    return steps.publish(home, built, refused)


def _parameters(settings: Settings) -> dict[str, Any]:
    """Return what decides the content of a release, as JSON-like values."""
    chosen = ("ingest", "collaborative", "content", "hybrid", "evaluation")
    return {name: getattr(settings, name).model_dump(mode="json") for name in chosen}
