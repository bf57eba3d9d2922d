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
from tasks.stages.ingest import input_fingerprints
from tasks.stages.publish import Candidate, unchanged
from warehouse.home import Home
from warehouse.releases import clear_leftovers, prune

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
    dask: Annotated[str | None, Field(description="Address of a Dask scheduler")] = None,
    home: Annotated[str | None, Field(description="Folder of lake and warehouse")] = None,
    force: Annotated[bool, Field(description="Publish even what the gate refuses")] = False,
) -> Outcome:
    """Two CSVs in, a checked and published DuckDB release out.

    A parameter that is not given is taken from the environment, then from crossfade.toml.
    """
    settings = load_settings(
        model, tracks=tracks, plays=plays, dataset=dataset, dask=dask, home=home
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
    spec, lake = settings.spec(), home.lake
    ingested = steps.ingest(lake, spec, settings.ingest, settings.memory_limit)
    by_plays = steps.collaborative.submit(lake, client, ingested, settings.collaborative)
    by_content = steps.content.submit(lake, client, ingested, spec, settings.content)
    neighbours = (by_plays.result(), by_content.result())
    ranked = steps.lists(lake, client, ingested, neighbours, settings.hybrid)
    stages = {result.stage: result for result in (ingested, *neighbours, ranked)}
    candidate = Candidate(
        dataset=spec.name,
        inputs=input_fingerprints(spec),
        parameters=_parameters(settings),
        hybrid=settings.hybrid,
        numeric_features=spec.tracks.numeric,
        ingested=ingested,
        collaborative=neighbours[0],
        content=neighbours[1],
        lists=ranked,
        stage_seconds={
            name: 0.0 if result.reused else result.seconds for name, result in stages.items()
        },
    )
    current = unchanged(home, candidate)
    if current is not None:
        logger.info("nothing has changed: %s stays current", current.manifest.release_id)
    else:
        threads = os.cpu_count() or 1
        built = steps.build(home, candidate, settings.memory_limit, threads, memory.bytes)
        current = steps.publish(home, built, "forced on request" if force else "")
    return Outcome(
        release_id=current.manifest.release_id,
        published=not all(result.reused for result in stages.values()) or not current.is_current,
        database=current.database,
        stages=stages,
        peak_memory_bytes=memory.bytes,
    )


def _parameters(settings: Settings) -> dict[str, Any]:
    """Return what decides the content of a release, as JSON-like values."""
    chosen = ("ingest", "collaborative", "content", "hybrid")
    return {name: getattr(settings, name).model_dump(mode="json") for name in chosen}
