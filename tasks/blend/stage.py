"""Ranked lists for every listener and every track, from the two neighbour tables."""

import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from distributed import Client
from numpy.typing import NDArray

from tasks.blend.earlier import EarlierListeners, EarlierLists, chosen_rows
from tasks.blend.kernels.rank import Histories, RankedLists
from tasks.blend.listen_days import days_of, listen_days
from tasks.blend.model import BlendCatalogue, EdgeTable, HybridModel, track_edges, track_of_played
from tasks.blend.parameters import HybridParameters, segment_of
from tasks.blend.ranking import rank_histories
from tasks.blend.strength import strengths
from tasks.lake.blocks import Block, Progress, balanced_blocks, run_blocks
from tasks.lake.code import code_digest
from tasks.lake.contracts.stages.lists import (
    CATALOGUE,
    SIMILAR_LISTS,
    STAGE,
    listener_lists_schema,
)
from tasks.lake.dataset import Dataset
from tasks.lake.files import link_file, write_parquet
from tasks.lake.plays import plays_of
from tasks.lake.record import Stage, StageResult

LISTENER_BLOCKS = 48

LIST_COST = 1.5
"""What a list costs beside the tracks of its history, in tracks."""

SIMILAR_TRACKS = 65_536
"""Tracks of a block at most: each worker that takes one must read the tracks' similarity."""


def lists_stage(
    lake: Path,
    client: Client,
    ingested: StageResult,
    collaborative: StageResult,
    content: StageResult,
    parameters: HybridParameters,
    progress: Progress | None = None,
    held_out: Dataset | None = None,
) -> StageResult:
    """Rank the catalogue for every listener and every track.

    ``held_out`` names the listeners (column user_key) whose plays the neighbours were learned
    without: a track that nobody else has played is cold, as it was when the model was measured.

    Datasets: ``catalogue``; ``weights`` and ``similarity``, the collaborative edges in track keys;
    ``listeners_000`` … and ``similar_000`` …, the lists in key order.
    """
    inputs = {
        "tracks": ingested["tracks"].digest,
        "users": ingested["users"].digest,
        "interactions": ingested["interactions"].digest,
        "dislikes": ingested["dislikes"].digest,
        "weights": collaborative["weights"].digest,
        "similarity": collaborative["similarity"].digest,
        "content": content["content"].digest,
        "held_out": held_out.digest if held_out else None,
    }
    stage = Stage(lake, STAGE, inputs=inputs, parameters=parameters, code=code_digest(__name__))
    if finished := stage.finished():
        return finished
    started = time.perf_counter()
    tracks = ingested["tracks"].read(["track_key", "played_key", "listeners", "artist_key"])
    files = _write_model(stage.folder, tracks, collaborative, _unseen(ingested, tracks, held_out))
    return rank_everything(
        stage, client, ingested, files, content["content"].path, parameters, progress, started
    )


def rank_everything(
    stage: Stage,
    client: Client,
    ingested: StageResult,
    files: dict[str, Path],
    content: Path,
    parameters: HybridParameters,
    progress: Progress | None,
    started: float,
    earlier: EarlierLists | None = None,
) -> StageResult:
    """Rank the catalogue for every listener and every track, and finish the stage.

    ``files`` are ``catalogue``, ``weights`` and ``similarity`` in the stage's folder, ``content``
    the content edges, all in track keys. ``earlier`` are lists that come out the same; they are
    taken over.
    """
    tracks = ingested["tracks"].rows
    model = {
        "tracks": ingested["tracks"].path,
        "catalogue": files["catalogue"],
        "content": content,
        "weights": files["weights"],
        "similarity": files["similarity"],
    }
    with ThreadPoolExecutor(1) as beside:
        similar_parts = beside.submit(
            _similar_parts, stage.folder / "similar", client, tracks, model, parameters, earlier
        )
        listeners = run_blocks(
            client,
            rank_listeners,
            _listener_blocks(ingested),
            stage.folder / "listeners",
            model,
            ingested["users"].path,
            ingested["interactions"].path,
            ingested["dislikes"].path,
            parameters,
            earlier.listeners if earlier else None,
            progress=progress,
        )
        similar = similar_parts.result()
    files = files | {f"listeners_{x:03}": part for x, part in enumerate(listeners)}
    files |= {f"similar_{x:03}": part for x, part in enumerate(similar)}
    counts = {
        "listeners": ingested["users"].rows,
        "tracks": tracks,
        "rows": _listed(listeners),
    }
    return stage.finish(time.perf_counter() - started, counts, **files)


def _similar_parts(
    folder: Path,
    client: Client,
    tracks: int,
    model: dict[str, Path],
    parameters: HybridParameters,
    earlier: EarlierLists | None,
) -> list[Path]:
    """Rank the neighbours of every track, or take them from earlier lists."""
    if earlier is None or earlier.similar is None:
        blocks = balanced_blocks(np.ones(tracks), -(-tracks // SIMILAR_TRACKS))
        return run_blocks(client, rank_similar, blocks, folder, model, parameters)
    folder.mkdir(exist_ok=True)
    parts = [folder / part.name for part in earlier.similar]
    for source, part in zip(earlier.similar, parts, strict=True):
        link_file(source, part)
    return parts


def rank_listeners(
    block: Block,
    model_files: dict[str, Path],
    users_file: Path,
    interactions_file: Path,
    dislikes_file: Path,
    parameters: HybridParameters,
    earlier: EarlierListeners | None = None,
) -> pa.Table:
    """Rank the catalogue for the listeners of one block (LISTENER_LISTS)."""
    users = _rows(users_file, block)
    listens, dislikes = _rows(interactions_file, block), _rows(dislikes_file, block)
    known = None if earlier is None else earlier.of_block(block)
    if known is None or not known.rows.num_rows:
        return _ranked(block, model_files, users, listens, dislikes, parameters)
    chosen = known.unknown
    ranked = _ranked(
        Block(0, len(chosen)),
        model_files,
        chosen_rows(users, block, chosen),
        chosen_rows(listens, block, chosen),
        chosen_rows(dislikes, block, chosen),
        parameters,
    )
    return known.joined_with(ranked)


def _ranked(
    block: Block,
    model_files: dict[str, Path],
    users: pa.Table,
    listens: pa.Table,
    dislikes: pa.Table,
    parameters: HybridParameters,
) -> pa.Table:
    """Rank the catalogue for listeners whose keys are those of the block."""
    model, played = _load_model(tuple(sorted(model_files.items())), parameters)
    indptr = _starts(listens, block)
    disliked = Histories(_starts(dislikes, block), dislikes["track_key"].to_numpy())
    history = played[listens["played_key"].to_numpy()]
    of = segment_of(np.diff(indptr), parameters.segments)
    weights = np.array([segment.weight for segment in parameters.segments])[of]
    priors = np.array([segment.popularity for segment in parameters.segments])[of]
    is_timed = "last_at" in listens.column_names
    strong = None
    if is_timed and parameters.half_life:
        strong = strengths(indptr, days_of(listens["first_at"]), parameters.half_life)
    lists = rank_histories(
        model, indptr, history, weights, priors, parameters.user_list, disliked, strong
    )
    names = pa.array([segment.segment for segment in parameters.segments])
    keep = lists.tracks >= 0
    return pa.table(
        [
            users["user_id"].combine_chunks(),
            names.take(pa.array(of)),
            users["plays"].combine_chunks(),
            _as_lists(indptr, history),
            _as_lists(indptr, listens["plays"].to_numpy()),
            *(listen_days(listens, indptr) if is_timed else []),
            *([] if strong is None else [_as_lists(indptr, strong)]),
            *_list_columns(lists, keep),
            _padded(lists.because, keep),
        ],
        schema=listener_lists_schema(is_timed, strong is not None),
    )


def rank_similar(
    block: Block, model_files: dict[str, Path], parameters: HybridParameters
) -> pa.Table:
    """Rank the neighbours of the tracks of one block (SIMILAR_LISTS)."""
    model = _load_similarity(tuple(sorted(model_files.items())), parameters)
    keys = np.arange(block.start, block.stop, dtype=np.int32)
    one = parameters.segments[segment_of(np.array([1]), parameters.segments)[0]]
    lists = rank_histories(
        model,
        np.arange(len(keys) + 1),
        keys,
        np.full(len(keys), one.weight),
        np.zeros(len(keys)),
        parameters.similar_list,
    )
    columns = _list_columns(lists, lists.tracks >= 0)
    return pa.table([pa.array(keys), *columns], schema=SIMILAR_LISTS.schema)


@lru_cache(maxsize=1)
def _load_model(
    files: tuple[tuple[str, Path], ...], parameters: HybridParameters
) -> tuple[HybridModel, NDArray[np.int32]]:
    """Read the model once per worker; also return the track key of every played key."""
    path = dict(files)
    tracks = pq.read_table(path["tracks"], columns=["track_key", "played_key", "artist_key"])
    model = HybridModel(
        EdgeTable.from_edges(pq.read_table(path["weights"]), len(tracks)),
        EdgeTable.from_edges(pq.read_table(path["content"]), len(tracks)),
        BlendCatalogue.read(pq.read_table(path["catalogue"]), tracks),
        parameters,
    )
    return model, track_of_played(tracks)


def _load_similarity(
    files: tuple[tuple[str, Path], ...], parameters: HybridParameters
) -> HybridModel:
    """Return the model with the tracks' similarity in place of the weights."""
    model, _ = _load_model(files, parameters)
    similarity = pq.read_table(dict(files)["similarity"])
    return replace(model, collaborative=EdgeTable.from_edges(similarity, len(model.catalogue)))


def _unseen(
    ingested: StageResult, tracks: pa.Table, held_out: Dataset | None
) -> NDArray[np.bool_] | None:
    """Tell which tracks only held-out listeners have played."""
    if held_out is None:
        return None
    _, played = plays_of(ingested["interactions"], held_out.read()["user_key"].to_numpy())
    theirs = np.bincount(track_of_played(tracks)[played], minlength=len(tracks))
    return np.asarray((theirs > 0) & (theirs == tracks["listeners"].to_numpy()))


def _write_model(
    folder: Path,
    tracks: pa.Table,
    collaborative: StageResult,
    unseen: NDArray[np.bool_] | None,
) -> dict[str, Path]:
    """Write the catalogue and the collaborative edges in track keys."""
    catalogue = BlendCatalogue.from_tracks(tracks, unseen)
    played = track_of_played(tracks)
    tables = {
        "catalogue": pa.table(
            [tracks["track_key"], catalogue.popularity, catalogue.listener_rank],
            schema=CATALOGUE.schema,
        ),
        "weights": track_edges(collaborative["weights"].read(), played),
        "similarity": track_edges(collaborative["similarity"].read(), played),
    }
    files = {name: folder / f"{name}.parquet" for name in tables}
    for name, table in tables.items():
        write_parquet(table, files[name])
    return files


def _listener_blocks(ingested: StageResult) -> list[Block]:
    """Blocks of listeners of about equal cost."""
    history = ingested["users"].read(["tracks_played"])["tracks_played"].to_numpy()
    return balanced_blocks(history + LIST_COST, LISTENER_BLOCKS)


def _rows(file: Path, block: Block) -> pa.Table:
    return pq.read_table(
        file, filters=(pc.field("user_key") >= block.start) & (pc.field("user_key") < block.stop)
    )


def _starts(rows: pa.Table, block: Block) -> NDArray[np.int64]:
    """Return where the rows of each listener of the block begin, and where the last one's end."""
    keys = rows["user_key"].to_numpy()
    return np.searchsorted(keys, np.arange(block.start, block.stop + 1)).astype(np.int64)


def _as_lists(indptr: NDArray[np.int64], values: NDArray[np.integer]) -> pa.Array:
    return pa.ListArray.from_arrays(pa.array(indptr, pa.int32()), pa.array(values))


def _padded(values: NDArray[np.integer], keep: NDArray[np.bool_]) -> pa.Array:
    """Turn a lists × k array into lists, without the padding of short ones."""
    offsets = np.concatenate([[0], np.cumsum(keep.sum(axis=1))])
    return _as_lists(offsets, values[keep])


def _list_columns(lists: RankedLists, keep: NDArray[np.bool_]) -> list[pa.Array]:
    columns = (lists.tracks, lists.collaborative, lists.content, lists.repeats, lists.source)
    return [_padded(values, keep) for values in columns]


def _listed(parts: Iterable[Path]) -> int:
    """Count the rows of all lists; by their smallest column."""
    with ThreadPoolExecutor() as side_by_side:
        return sum(side_by_side.map(_rows_of_lists, parts))


def _rows_of_lists(part: Path) -> int:
    repeats = pq.read_table(part, columns=["repeats"])["repeats"]
    return int(pc.sum(pc.list_value_length(repeats)).as_py() or 0)
