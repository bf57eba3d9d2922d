"""Collaborative neighbour tables on Dask: the weights that score a history, and the similarity."""

import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from distributed import Client
from numpy.typing import NDArray
from scipy import sparse

import tasks.neighbours
from tasks.blocks import Block, Progress, balanced_blocks, run_blocks
from tasks.lake import Dataset, Stage, StageResult, source_digest, write_parquet
from tasks.neighbours.cosine import cosine_edges
from tasks.neighbours.edges import Edges, symmetric, whole_numbers
from tasks.neighbours.interactions import Interactions
from tasks.neighbours.models import weight_costs, weight_edges
from tasks.neighbours.order import family_order
from tasks.neighbours.parameters import CollaborativeParameters
from tasks.schemas import EDGES, WEIGHT_SCALE

BLOCKS = 32
"""Blocks of each of the two phases: fixed, so that a killed run finds its parts again."""

FIXED_COST = 1e4
"""What a track costs beside its co-occurrences, in additions."""

PART = pa.schema(
    [
        pa.field("source", pa.int32(), nullable=False),
        pa.field("target", pa.int32(), nullable=False),
        pa.field("weight", pa.float64(), nullable=False),
    ]
)


def collaborative_stage(
    lake: Path,
    client: Client,
    interactions: Dataset,
    tracks_played: int,
    held_out: Dataset | None,
    parameters: CollaborativeParameters,
    progress: Progress | None = None,
) -> StageResult:
    """Compute `weights` and `similarity` (`EDGES`, played_key space) from who played what.

    ``interactions`` is `INTERACTIONS`; of it only presence is used. ``held_out`` has one column
    ``user_key`` of listeners to leave out, or is None. ``tracks_played`` is the width of the key
    space: tracks whose listeners are all left out get no edges.
    """
    stage = Stage(
        lake,
        "collaborative",
        interactions=interactions.digest,
        tracks_played=tracks_played,
        held_out=held_out.digest if held_out else None,
        parameters=parameters,
        code=source_digest(tasks.neighbours),
    )
    if result := stage.finished():
        return result
    began = time.perf_counter()
    source = Source(
        interactions.path,
        interactions.digest,
        tracks_played,
        held_out.path if held_out else None,
        held_out.digest if held_out else None,
    )
    matrix = read_interactions(source)
    cost = matrix.pair_costs()
    blocks = balanced_blocks(cost + FIXED_COST, BLOCKS)
    parts = run_blocks(
        client,
        similarity_block,
        blocks,
        _folder(stage, "similarity"),
        source,
        parameters.similar,
        progress=_offset(progress, 0, 2 * len(blocks)),
    )
    similarity = symmetric(_joined(parts).matrix(tracks_played))
    order = family_order(similarity, matrix.listeners)
    write_keys(order, stage.scratch / "order.parquet")
    solving = balanced_blocks(cost[order] + weight_costs(parameters), BLOCKS)
    parts = run_blocks(
        client,
        weight_block,
        solving,
        _folder(stage, "weights"),
        source,
        stage.scratch / "order.parquet",
        parameters,
        progress=_offset(progress, len(blocks), len(blocks) + len(solving)),
    )
    weights = _joined(parts).matrix(tracks_played)
    largest = 1.0 if parameters.model == "cosine" else float(np.abs(weights.data).max(initial=0))
    tables = {"weights": edge_table(weights, largest), "similarity": edge_table(similarity, 1.0)}
    files = {name: stage.folder / f"{name}.parquet" for name in tables}
    for name, table in tables.items():
        write_parquet(table, files[name])
    return stage.finish(
        time.perf_counter() - began,
        {
            "edges": tables["weights"].num_rows,
            "similarity_edges": tables["similarity"].num_rows,
            "blocks": len(blocks) + len(solving),
        },
        **files,
    )


@dataclass(frozen=True)
class Source:
    """Where a worker finds the interactions; equal sources are read once per process."""

    interactions: Path
    digest: str
    tracks: int
    held_out: Path | None
    held_out_digest: str | None


@lru_cache(maxsize=1)
def read_interactions(source: Source) -> Interactions:
    """Read the plays of everyone who is not held out; user keys become row numbers in order."""
    table = pq.read_table(source.interactions, columns=["user_key", "played_key"])
    users = table["user_key"].to_numpy()
    tracks = table["played_key"].to_numpy()
    if source.held_out is not None and len(users):
        left_out = np.zeros(users[-1] + 1, dtype=bool)
        keys = pq.read_table(source.held_out, columns=["user_key"])["user_key"].to_numpy()
        left_out[keys[keys < len(left_out)]] = True
        kept = ~left_out[users]
        users, tracks = users[kept], tracks[kept]
    new = np.r_[True, users[1:] != users[:-1]][: len(users)]
    starts = np.append(np.flatnonzero(new), len(users))
    return Interactions.from_rows(starts, tracks, source.tracks)


def similarity_block(block: Block, source: Source, similar: int) -> pa.Table:
    """Find the most similar tracks of a range of tracks."""
    targets = np.arange(block.start, block.stop, dtype=np.int32)
    return part_table(cosine_edges(read_interactions(source), targets, similar))


def weight_block(
    block: Block, source: Source, order: Path, parameters: CollaborativeParameters
) -> pa.Table:
    """Compute the weights into the tracks at a range of places of ``order``."""
    targets = read_keys(order)[block.start : block.stop]
    return part_table(weight_edges(read_interactions(source), targets, parameters))


def part_table(edges: Edges) -> pa.Table:
    """Hand edges over in full precision; they become whole numbers when all are known."""
    return pa.table([edges.source, edges.target, edges.weight], schema=PART)


def edge_table(matrix: sparse.csr_array, largest: float) -> pa.Table:
    """Return the matrix as `EDGES`, with ``largest`` as `WEIGHT_SCALE`."""
    source = np.repeat(np.arange(matrix.shape[0], dtype=np.int32), np.diff(matrix.indptr))
    target = matrix.indices.astype(np.int32)
    weight = whole_numbers(matrix.data, WEIGHT_SCALE, largest)
    kept = weight != 0
    return pa.table([source[kept], target[kept], weight[kept]], schema=EDGES)


def write_keys(keys: NDArray[np.int32], path: Path) -> None:
    """Write one column of track keys for workers to read."""
    write_parquet(pa.table({"played_key": keys}), path)


def read_keys(path: Path) -> NDArray[np.int32]:
    """Read what `write_keys` wrote."""
    keys: NDArray[np.int32] = pq.read_table(path)["played_key"].to_numpy()
    return keys


def _joined(parts: list[Path]) -> Edges:
    tables = [pq.read_table(part) for part in parts]
    table = pa.concat_tables([PART.empty_table(), *tables])
    return Edges(*(table[name].to_numpy() for name in PART.names))


def _folder(stage: Stage, name: str) -> Path:
    folder = stage.scratch / name
    folder.mkdir(exist_ok=True)
    return folder


def _offset(progress: Progress | None, before: int, blocks: int) -> Progress | None:
    if progress is None:
        return None
    return lambda done, _: progress(before + done, blocks)
