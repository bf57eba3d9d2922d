"""Content neighbours on the Dask cluster: fit once, search in blocks, join to one table."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from distributed import Client
from numpy.typing import NDArray

import tasks.content
from tasks.blocks import Block, Progress, balanced_blocks, run_blocks
from tasks.content.edges import symmetric, to_edges
from tasks.content.model import ContentModel, fit_content
from tasks.content.parameters import ContentParameters
from tasks.content.search import ROWS, Space, nearest
from tasks.lake import Dataset, Stage, StageResult, source_digest, write_parquet
from tasks.schemas import EDGES, FEATURE_WEIGHTS, TRACKS

BONUS = b"artist_bonus"


def content_stage(
    lake: Path,
    client: Client,
    tracks: Dataset,
    interactions: Dataset,
    held_out: Dataset | None,
    numeric: tuple[str, ...],
    categorical: tuple[str, ...],
    parameters: ContentParameters,
    progress: Progress | None = None,
) -> StageResult:
    """Write ``content`` (EDGES of track_key), ``feature_weights`` and ``embedding``.

    ``held_out`` names listeners (one column, user_key) that nothing may be learned from.
    """
    stage = Stage(
        lake,
        "content",
        tracks=tracks.digest,
        interactions=interactions.digest,
        held_out=held_out.digest if held_out else None,
        numeric=numeric,
        categorical=categorical,
        parameters=parameters,
        source=source_digest(tasks.content),
    )
    if done := stage.finished():
        return done
    begin = time.perf_counter()
    embedding, weights, content = (
        stage.folder / f"{name}.parquet" for name in ("embedding", "feature_weights", "content")
    )
    catalogue = tracks.read(_columns(tracks, numeric, categorical))
    model = fit_content(catalogue, numeric, categorical, parameters)
    write_parquet(_weights_table(model), weights)
    write_parquet(_embedding_table(model.space), embedding)
    features = len(model.features)
    if features:
        played = catalogue["played_key"].is_valid().to_numpy()
        blocks = tile_blocks(played, 4 * max(1, sum(client.nthreads().values())))
        parts = run_blocks(
            client,
            neighbour_block,
            blocks,
            stage.scratch,
            embedding,
            tracks.path,
            parameters,
            progress=progress,
        )
        table = symmetric(pq.read_table(part) for part in parts)
    else:
        table = EDGES.empty_table()
    write_parquet(table, content)
    return stage.finish(
        time.perf_counter() - begin,
        {
            "tracks": catalogue.num_rows,
            "features": features,
            "edges": table.num_rows,
            "tracks_with_neighbours": len(np.unique(table["source"].to_numpy())),
        },
        content=content,
        feature_weights=weights,
        embedding=embedding,
    )


def _columns(tracks: Dataset, numeric: tuple[str, ...], categorical: tuple[str, ...]) -> list[str]:
    """Name the columns to read: keys, content and the declared features that are there."""
    present = set(pq.read_schema(tracks.path).names)
    wanted = ["track_key", "artist_key", "tags", "genre", "year", "played_key"]
    wanted += [name for name in (*numeric, *categorical) if name not in TRACKS.names]
    return [name for name in dict.fromkeys(wanted) if name in present]


def tile_blocks(played: NDArray[np.bool_], blocks: int) -> list[Block]:
    """Cut the catalogue into blocks of about equal cost that begin at whole tiles."""
    size = len(played)
    tiles = balanced_blocks(np.ones(-(-size // ROWS)), blocks)
    return [Block(tile.start * ROWS, min(tile.stop * ROWS, size)) for tile in tiles]


def neighbour_block(
    block: Block, embedding: Path, tracks: Path, parameters: ContentParameters
) -> pa.Table:
    """Find the neighbours of one block of tracks: among all, and of unplayed among played."""
    space = read_space(embedding)
    start, stop = block.start, block.stop
    found = [to_edges(nearest(space, start, stop, parameters.neighbours), start)]
    played = pq.read_table(tracks, columns=["played_key"])["played_key"].is_valid().to_numpy()
    k = parameters.played_neighbours
    if k and not played[start:stop].all() and played.any():
        among_played = nearest(space, start, stop, k, eligible=played, wanted=~played)
        found.append(to_edges(among_played, start))
    return pa.concat_tables(found)


def read_space(embedding: Path) -> Space:
    """Read what `content_stage` searched in back from its files."""
    table = pq.read_table(embedding)
    vectors = table["vector"].combine_chunks()
    flat = np.asarray(vectors.flatten().to_numpy(), dtype=np.float32)
    return Space(
        vectors=flat.reshape(len(vectors), -1),
        artists=np.asarray(table["artist"].to_numpy(), dtype=np.int32),
        bonus=float(table.schema.metadata[BONUS]),
    )


def _embedding_table(space: Space) -> pa.Table:
    width = space.vectors.shape[1]
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(space.vectors.ravel()), width)
    schema = pa.schema(
        [
            pa.field("track_key", pa.int32(), nullable=False),
            pa.field("vector", vectors.type, nullable=False),
            pa.field("artist", pa.int32(), nullable=False),
        ],
        metadata={BONUS: repr(space.bonus).encode()},
    )
    keys = np.arange(space.size, dtype=np.int32)
    return pa.table([pa.array(keys), vectors, pa.array(space.artists)], schema=schema)


def _weights_table(model: ContentModel) -> pa.Table:
    order = sorted(range(len(model.features)), key=lambda i: (-model.weights[i], model.features[i]))
    rows: dict[str, list[Any]] = {
        "feature": [model.features[i] for i in order],
        "weight": [float(model.weights[i]) for i in order],
    }
    return pa.table(rows, schema=FEATURE_WEIGHTS)
