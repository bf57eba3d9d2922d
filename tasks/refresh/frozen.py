"""The tables that a base has learned, in the keys of today's catalogue."""

import hashlib
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tasks.content.parameters import ContentParameters
from tasks.content.projection import Projection
from tasks.content.search import Space
from tasks.content.stage import feature_columns, read_space, space_table
from tasks.lake.code import code_digest
from tasks.lake.contracts.edges import EDGES
from tasks.lake.contracts.stages.frozen import STAGE
from tasks.lake.contracts.stages.lists import CATALOGUE
from tasks.lake.files import write_parquet
from tasks.lake.record import Stage, StageResult
from tasks.refresh.moves import Moves
from tasks.refresh.new_tracks import place_new, with_new_edges, with_placed
from warehouse.errors import FullRunNeededError

FROM_LISTS, FROM_CONTENT = ("catalogue", "weights", "similarity"), ("content", "embedding")


def frozen_stage(
    lake: Path,
    ingested: StageResult,
    parts: Mapping[str, StageResult],
    numeric: tuple[str, ...],
    categorical: tuple[str, ...],
    parameters: ContentParameters,
) -> StageResult:
    """Return the tables of a base for the catalogue of today: STAGE and ``feature_weights``.

    A track that was removed takes its edges with it. A new one has no listeners as far as the
    models know, so it is cold, and gets content neighbours by what the base has fitted. ``parts``
    are the base's ingest, content and lists; the rest is as of `content_stage`. Raises
    FullRunNeededError if new tracks cannot be placed.
    """
    columns = ["track_id"]
    if parts["ingest"]["tracks"].read(columns).equals(ingested["tracks"].read(columns)):
        learned = {name: parts["lists"][name] for name in FROM_LISTS}
        learned |= {name: parts["content"][name] for name in FROM_CONTENT}
        result = StageResult(
            stage=STAGE.stage,
            key=parts["lists"].key,
            datasets=learned,
            counts={"new_tracks": 0, "removed_tracks": 0},
            seconds=0.0,
            reused=True,
        )
    else:
        result = _moved(lake, ingested, parts, numeric, categorical, parameters)
    weights = {"feature_weights": parts["content"]["feature_weights"]}
    return result.model_copy(update={"datasets": {**result.datasets, **weights}})


def own_result(frozen: StageResult) -> StageResult:
    """Return what `frozen_stage` itself has written, or would have."""
    own = {name: frozen[name] for name in STAGE.datasets}
    return frozen.model_copy(update={"datasets": own})


def _moved(
    lake: Path,
    ingested: StageResult,
    parts: Mapping[str, StageResult],
    numeric: tuple[str, ...],
    categorical: tuple[str, ...],
    parameters: ContentParameters,
) -> StageResult:
    """Write the tables in the keys of another catalogue."""
    tracks, before = ingested["tracks"], parts["ingest"]["tracks"]
    lists, content = parts["lists"], parts["content"]
    columns = feature_columns(before, numeric, categorical)
    stage = Stage(
        lake,
        STAGE,
        before=before.digest,
        # every play moves other columns of the tracks
        tracks=_digest(tracks.read(["track_id", *(x for x in columns if x != "played_key")])),
        lists={name: lists[name].digest for name in FROM_LISTS},
        content={name: dataset.digest for name, dataset in content.datasets.items()},
        numeric=numeric,
        categorical=categorical,
        parameters=parameters,
        code=code_digest(__name__),
    )
    if finished := stage.finished():
        return finished
    began = time.perf_counter()
    moves = Moves.between(before, tracks)
    catalogue = _catalogue(lists["catalogue"].read(), moves.earlier)
    space = _space(read_space(content["embedding"].path), moves)
    edges = _edges(content["content"].read(), moves.keys)
    if moves.is_new.any() and content["feature_weights"].rows:
        new = tracks.read(columns).filter(pa.array(moves.is_new))
        projection = Projection.read(content["projection"].path)
        fitted_on, artists = before.read(columns), moves.artists_before[moves.is_new]
        try:
            placed = place_new(
                projection, fitted_on, new, artists, numeric, categorical, parameters
            )
        except ValueError as error:
            raise FullRunNeededError(f"new tracks cannot be placed ({error})") from error
        space = with_placed(space, moves.is_new, placed)
        played = catalogue["popularity"].to_numpy() > 0
        edges = with_new_edges(edges, space, moves.is_new, played, parameters)
    metadata = pq.read_schema(content["embedding"].path).metadata
    tables = {
        "catalogue": catalogue,
        **{name: _edges(lists[name].read(), moves.keys) for name in ("weights", "similarity")},
        "content": edges,
        "embedding": space_table(space, metadata),
    }
    files = {name: stage.folder / f"{name}.parquet" for name in tables}
    for name, table in tables.items():
        write_parquet(table, files[name])
    counts = {
        "new_tracks": int(np.count_nonzero(moves.is_new)),
        "removed_tracks": int(np.count_nonzero(moves.keys < 0)),
    }
    return stage.finish(time.perf_counter() - began, counts, **files)


def _digest(table: pa.Table) -> str:
    """Hash the rows of a table."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table.combine_chunks())
    return hashlib.blake2b(sink.getvalue(), digest_size=12).hexdigest()


def _edges(edges: pa.Table, keys: NDArray[np.int32]) -> pa.Table:
    """Give the ends of edges other keys; the order by source and target stays."""
    source, target = (keys[edges[name].to_numpy()] for name in ("source", "target"))
    kept = (source >= 0) & (target >= 0)
    weight = edges["weight"].to_numpy()
    return pa.table([source[kept], target[kept], weight[kept]], schema=EDGES)


def _catalogue(catalogue: pa.Table, earlier: NDArray[np.int32]) -> pa.Table:
    """Return CATALOGUE of today: the base's listeners, none for new tracks; ties by key."""
    is_new, size = earlier < 0, len(earlier)
    popularity = np.where(is_new, 0.0, catalogue["popularity"].to_numpy()[earlier])
    rank = np.where(popularity > 0, catalogue["listener_rank"].to_numpy()[earlier], len(catalogue))
    order = np.lexsort((np.arange(size), rank))
    listener_rank = np.empty(size, np.int32)
    listener_rank[order] = np.arange(size, dtype=np.int32)
    return pa.table(
        [pa.array(np.arange(size, dtype=np.int32)), popularity, listener_rank],
        schema=CATALOGUE.schema,
    )


def _space(space: Space, moves: Moves) -> Space:
    """Return the space of the base with the tracks of today, new ones nowhere yet."""
    nowhere = moves.is_new[:, None]
    vectors = np.where(nowhere, np.float32(0), space.vectors[moves.earlier])
    observed = space.observed
    if observed is not None:
        observed = np.where(nowhere, np.float32(0), observed[moves.earlier])
    return Space(vectors, moves.artists, space.bonus, observed)
