"""The lists of a refresh: ranked by the models of its base, for the histories of today."""

import time
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
from distributed import Client

from tasks.blend.earlier import TRACK_KEY, EarlierListeners, EarlierLists
from tasks.blend.parameters import HybridParameters
from tasks.blend.stage import rank_everything
from tasks.lake.blocks import Progress
from tasks.lake.code import code_digest
from tasks.lake.contracts.stages.lists import STAGE
from tasks.lake.dataset import Dataset
from tasks.lake.files import link_file, write_parquet
from tasks.lake.record import Stage, StageResult
from tasks.refresh.moves import Moves
from tasks.refresh.touched import Ranked, compare
from tasks.refresh.unchanged import unchanged_listeners

MODEL = ("catalogue", "weights", "similarity")


class Before(NamedTuple):
    """What a release with the same base was made of."""

    ingested: StageResult
    lists: StageResult
    content: Dataset
    """The content edges that the lists were made with."""


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

    Lists that would come out the same are taken from ``before``: of listeners with the same plays
    and without dislikes, none of whose tracks has other edges now. Datasets as of `lists_stage`.
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
        None if before is None else _earlier(stage, ingested, frozen, parameters, before),
    )


def _earlier(
    stage: Stage,
    ingested: StageResult,
    frozen: StageResult,
    parameters: HybridParameters,
    before: Before,
) -> EarlierLists | None:
    """Return which of the lists before can be taken over, None where any may be another one."""
    moves = Moves.between(before.ingested["tracks"], ingested["tracks"])
    same = compare(
        _ranked_by(before.lists, before.content),
        _ranked_by(frozen, frozen["content"]),
        moves,
    )
    candidates = min(parameters.popular_candidates, same.listened)
    if not moves.artists_are_same or same.popular < candidates:
        return None
    # a list that finds too little goes on with popular tracks that are not in the history
    longest = len(moves.keys) if moves.are_none else same.popular - parameters.user_list
    lists = before.lists
    parts = {
        kind: tuple(
            lists[name].path for name in sorted(lists.datasets) if name.startswith(f"{kind}_")
        )
        for kind in ("listeners", "similar")
    }
    found = unchanged_listeners(before.ingested, ingested, moves.keys, same.is_touched, longest)
    tables = {"earlier": found, "moved": pa.table({TRACK_KEY: moves.keys})}
    files = {name: stage.scratch / f"{name}.parquet" for name in tables}
    for name, table in tables.items():
        write_parquet(table, files[name])
    is_same = moves.are_none and not same.is_touched.any()
    listeners = EarlierListeners(files["earlier"], files["moved"], parts["listeners"])
    return EarlierLists(listeners, parts["similar"] if is_same else None)


def _ranked_by(model: StageResult, content: Dataset) -> Ranked:
    return Ranked(model["catalogue"], (model["weights"], content))
