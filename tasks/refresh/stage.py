"""The lists of a refresh: ranked by the models of its base, for the histories of today."""

import time
from pathlib import Path
from typing import NamedTuple

from distributed import Client

from tasks.blend.earlier import EarlierListeners, EarlierLists
from tasks.blend.parameters import HybridParameters
from tasks.blend.stage import rank_everything
from tasks.lake.blocks import Progress
from tasks.lake.code import code_digest
from tasks.lake.contracts.stages.lists import STAGE
from tasks.lake.files import link_file, write_parquet
from tasks.lake.record import Stage, StageResult
from tasks.refresh.unchanged import is_same_catalogue, unchanged_listeners

MODEL = ("catalogue", "weights", "similarity")


class Before(NamedTuple):
    """Ingest and lists of a release with the same base."""

    ingested: StageResult
    lists: StageResult


def refreshed_lists_stage(
    lake: Path,
    client: Client,
    ingested: StageResult,
    frozen: StageResult,
    parameters: HybridParameters,
    before: Before | None,
    progress: Progress | None = None,
) -> StageResult:
    """Rank the catalogue for every listener and every track, by the tables of a base.

    Lists of listeners whose plays and dislikes are the same since ``before`` are taken from there
    if no track was added, removed or given another artist: they would come out the same. Datasets
    as of `lists_stage`.
    """
    stage = Stage(
        lake,
        STAGE,
        inputs={name: ingested[name].digest for name in ("tracks", "users", "interactions")}
        | {"dislikes": ingested["dislikes"].digest}
        | {name: frozen[name].digest for name in (*MODEL, "content")},
        parameters=parameters,
        code=code_digest(__name__),
    )
    if finished := stage.finished():
        return finished
    started = time.perf_counter()
    files = {name: stage.folder / f"{name}.parquet" for name in MODEL}
    for name, file in files.items():
        link_file(frozen[name].path, file)
    return rank_everything(
        stage,
        client,
        ingested,
        files,
        frozen["content"].path,
        parameters,
        progress,
        started,
        None if before is None else _earlier(stage, ingested, before),
    )


def _earlier(stage: Stage, ingested: StageResult, before: Before) -> EarlierLists | None:
    """Return which of the lists before can be taken over, None where the catalogue differs."""
    if not is_same_catalogue(before.ingested, ingested):
        return None
    keys, lists = stage.scratch / "earlier.parquet", before.lists
    write_parquet(unchanged_listeners(before.ingested, ingested), keys)
    parts = {
        kind: tuple(
            lists[name].path for name in sorted(lists.datasets) if name.startswith(f"{kind}_")
        )
        for kind in ("listeners", "similar")
    }
    return EarlierLists(EarlierListeners(keys, parts["listeners"]), parts["similar"])
