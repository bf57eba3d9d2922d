"""Content neighbours on the Dask cluster: fit once, search in blocks."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from distributed import Client
from numpy.typing import NDArray
from scipy import sparse

import tasks.content
from tasks.blocks import Block, Progress, balanced_blocks, run_blocks
from tasks.content.crowd import less_the_crowd
from tasks.content.edges import symmetric
from tasks.content.model import ContentModel, fit_content
from tasks.content.parameters import ContentParameters
from tasks.content.search import ROWS, Space
from tasks.content.tables import similar_block
from tasks.lake import Dataset, Stage, StageResult, write_parquet
from tasks.plays import add_by_listener, kept_plays, listeners_in
from tasks.schemas import FEATURE_WEIGHTS, TRACKS
from tasks.source import source_digest

BLOCKS = 16
"""Blocks of each phase: fixed, so that a killed run finds its parts again."""

BONUS = b"artist_bonus"
"""Where the embedding file keeps the share of similarity that lies in the same artist."""


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
    """Compute content neighbours, from ``tracks`` (`TRACKS` and features) and who played what.

    Datasets: ``content``, neighbours both ways (`EDGES` of track keys); ``feature_weights``;
    ``embedding``, a unit vector per track. ``held_out`` names listeners (column user_key) to learn
    nothing from.
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
    catalogue = tracks.read(_columns(tracks, numeric, categorical))
    plays = read_plays(interactions, held_out, catalogue)
    model = fit_content(catalogue, plays, numeric, categorical, parameters)
    files = {
        name: stage.folder / f"{name}.parquet"
        for name in ("content", "feature_weights", "embedding")
    }
    write_parquet(_weights_table(model), files["feature_weights"])
    write_parquet(_embedding_table(model.space), files["embedding"])
    played = catalogue["played_key"].is_valid().to_numpy()
    edges = _neighbours(
        client, stage, files["embedding"], played if model.features else played[:0], parameters,
        progress,
    )  # fmt: skip
    write_parquet(edges, files["content"])
    counts = {
        "edges": edges.num_rows,
        "tracks_with_neighbours": _distinct(edges["source"]),
        "tracks_reached": _distinct(edges["target"]),
        "tracks": catalogue.num_rows,
        "features": len(model.features),
    }
    return stage.finish(time.perf_counter() - begin, counts, **files)


def _neighbours(
    client: Client,
    stage: Stage,
    embedding: Path,
    played: NDArray[np.bool_],
    parameters: ContentParameters,
    progress: Progress | None,
) -> pa.Table:
    """Search in blocks and join what they found; ``played`` is empty where there is no content."""
    parts = run_blocks(
        client,
        search_tracks,
        tile_blocks(len(played), BLOCKS),
        stage.scratch,
        embedding,
        np.packbits(played),  # small enough to travel: one bit per track
        parameters,
        progress=progress,
    )
    both_ways = symmetric(pq.read_table(part) for part in parts)
    return less_the_crowd(both_ways, played, parameters.crowd)


def _distinct(keys: pa.ChunkedArray) -> int:
    return int(np.count_nonzero(np.bincount(keys.to_numpy())))


def read_plays(
    interactions: Dataset, held_out: Dataset | None, catalogue: pa.Table
) -> sparse.csr_array:
    """Return who played what (listeners × track keys, presence), without the held out."""
    # Row i of the catalogue has key i; played keys count its rows that have one.
    track_of = np.flatnonzero(catalogue["played_key"].is_valid().to_numpy()).astype(np.int32)
    tracks = np.empty(interactions.rows, np.int32)
    history = np.zeros(listeners_in(interactions), np.int64)  # tracks by listener
    filled = 0
    for users, played in kept_plays(interactions, held_out):
        add_by_listener(history, users)
        tracks[filled : filled + len(played)] = track_of[played]
        filled += len(played)
    starts = np.concatenate([[0], np.cumsum(history)])
    ones = np.ones(filled, np.int8)
    return sparse.csr_array((ones, tracks[:filled], starts), (len(history), catalogue.num_rows))


def _columns(tracks: Dataset, numeric: tuple[str, ...], categorical: tuple[str, ...]) -> list[str]:
    """Name the columns to read: keys, content and the declared features that are there."""
    present = set(pq.read_schema(tracks.path).names)
    wanted = ["track_key", "artist_key", "tags", "genre", "year", "played_key"]
    wanted += [name for name in (*numeric, *categorical) if name not in TRACKS.names]
    return [name for name in dict.fromkeys(wanted) if name in present]


def tile_blocks(tracks: int, blocks: int) -> list[Block]:
    """Cut the catalogue into at most ``blocks`` equal blocks that begin at whole tiles."""
    tiles = balanced_blocks(np.ones(-(-tracks // ROWS)), blocks)
    return [Block(tile.start * ROWS, min(tile.stop * ROWS, tracks)) for tile in tiles]


def search_tracks(
    block: Block, embedding: Path, played: NDArray[np.uint8], parameters: ContentParameters
) -> pa.Table:
    """Find the neighbours of one block of tracks; ``played`` is one bit per track."""
    space = read_space(embedding)
    return similar_block(space, _flags(played, space), block.start, block.stop, parameters)


def _flags(bits: NDArray[np.uint8], space: Space) -> NDArray[np.bool_]:
    return np.unpackbits(bits, count=space.size).astype(np.bool_)


def read_space(embedding: Path) -> Space:
    """Read what `content_stage` searched in back from its file."""
    table = pq.read_table(embedding)
    learned = "observed" in table.column_names
    return Space(
        vectors=_matrix(table["vector"]),
        artists=np.asarray(table["artist"].to_numpy(), dtype=np.int32),
        bonus=float(table.schema.metadata[BONUS]),
        observed=_matrix(table["observed"]) if learned else None,
    )


def _matrix(column: pa.ChunkedArray) -> NDArray[np.float32]:
    flat = np.asarray(column.combine_chunks().flatten().to_numpy(), dtype=np.float32)
    return flat.reshape(len(column), column.type.list_size)


def _rows(matrix: NDArray[np.float32]) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(pa.array(matrix.ravel()), matrix.shape[1])


def _embedding_table(space: Space) -> pa.Table:
    columns = {
        "track_key": pa.array(np.arange(space.size, dtype=np.int32)),
        "vector": _rows(space.vectors),
        "artist": pa.array(space.artists),
    }
    if space.observed is not None:
        columns["observed"] = _rows(space.observed)
    return pa.table(columns).replace_schema_metadata({BONUS: repr(space.bonus).encode()})


def _weights_table(model: ContentModel) -> pa.Table:
    order = sorted(range(len(model.features)), key=lambda i: (-model.weights[i], model.features[i]))
    rows: dict[str, list[Any]] = {
        "feature": [model.features[i] for i in order],
        "weight": [float(model.weights[i]) for i in order],
    }
    return pa.table(rows, schema=FEATURE_WEIGHTS)
