"""Collaborative neighbours on the Dask cluster: similarity first, then weights in its order."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from distributed import Client
from numpy.typing import NDArray
from scipy import sparse

import tasks.neighbours
from tasks.blocks import Block, Progress, balanced_blocks, run_blocks
from tasks.lake import Dataset, Stage, StageResult, source_digest, write_parquet
from tasks.neighbours.cosine import cosine
from tasks.neighbours.edges import Edges, symmetric
from tasks.neighbours.factors import factor_edges
from tasks.neighbours.interactions import Interactions
from tasks.neighbours.models import (
    finished_matrix,
    further_edges,
    has_second_step,
    largest_weight,
    weight_costs,
    weight_edges,
)
from tasks.neighbours.order import family_order
from tasks.neighbours.parameters import CollaborativeParameters
from tasks.neighbours.tables import edge_table, part_table, read_parts

BLOCKS = 32
"""Blocks of each phase: fixed, so that a killed run finds its parts again."""

FIXED_COST = 1e4
"""What a track costs beside its co-occurrences, in additions."""


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
    run = _Run(client, stage.scratch, source, parameters, progress)
    similarity, weights = run.matrices()
    tables = {
        "weights": edge_table(weights, largest_weight(weights, parameters)),
        "similarity": edge_table(similarity, 1.0),
    }
    files = {name: stage.folder / f"{name}.parquet" for name in tables}
    for name, table in tables.items():
        write_parquet(table, files[name])
    counts = {
        "edges": tables["weights"].num_rows,
        "similarity_edges": tables["similarity"].num_rows,
        "blocks": run.blocks,
    }
    return stage.finish(time.perf_counter() - began, counts, **files)


@dataclass(frozen=True)
class Source:
    """Where a worker finds the interactions; equal sources are read once per process."""

    interactions: Path
    digest: str
    tracks: int
    held_out: Path | None
    held_out_digest: str | None

    def read(self) -> Interactions:
        """Read the plays of all who are not held out; their keys become row numbers in order."""
        table = pq.read_table(self.interactions, columns=["user_key", "played_key"])
        users = table["user_key"].to_numpy()
        tracks = table["played_key"].to_numpy()
        if self.held_out is not None and len(users):
            left_out = np.zeros(users[-1] + 1, dtype=bool)
            keys = pq.read_table(self.held_out, columns=["user_key"])["user_key"].to_numpy()
            left_out[keys[keys < len(left_out)]] = True
            kept = ~left_out[users]
            users, tracks = users[kept], tracks[kept]
        new = np.r_[True, users[1:] != users[:-1]][: len(users)]
        starts = np.append(np.flatnonzero(new), len(users))
        return Interactions.from_rows(starts, tracks, self.tracks)


@dataclass
class _Run:
    """The phases of one run, each a set of blocks over the tracks."""

    client: Client
    scratch: Path
    source: Source
    parameters: CollaborativeParameters
    progress: Progress | None
    blocks: int = field(default=0, init=False)
    """Blocks of the phases behind us."""

    def matrices(self) -> tuple[sparse.csr_array, sparse.csr_array]:
        """Return the symmetric similarity and the final weights, both sources × targets."""
        interactions = self.source.read()
        listeners, pairs = interactions.listeners, interactions.pair_costs()
        del interactions
        tracks = self.source.tracks
        phases = 3 if has_second_step(self.parameters) else 2
        edges = self._phase("similarity", phases, pairs + FIXED_COST, similarity_block)
        similarity = symmetric(edges.matrix(tracks))
        order = family_order(similarity, listeners)
        order_file = self.scratch / "order.parquet"
        write_parquet(pa.table({"played_key": order}), order_file)
        costs = pairs[order] + weight_costs(self.parameters)
        edges = self._phase("weights", phases - 1, costs, weight_block, order_file)
        if has_second_step(self.parameters):
            solved = self.scratch / "solved.parquet"
            write_parquet(part_table(edges), solved)
            edges = self._phase("second_step", 1, np.ones(tracks), further_block, solved)
        self.client.run(_forget, on_error="ignore")
        return similarity, finished_matrix(edges, listeners, self.parameters)

    def _phase(
        self,
        name: str,
        phases_left: int,
        costs: NDArray[np.float64],
        compute: Callable[..., pa.Table],
        *arguments: Any,
    ) -> Edges:
        folder = self.scratch / name
        folder.mkdir(exist_ok=True)
        blocks = balanced_blocks(costs, BLOCKS)
        before, total = self.blocks, self.blocks + len(blocks) * phases_left
        report = self.progress
        parts = run_blocks(
            self.client,
            compute,
            blocks,
            folder,
            self.source,
            self.parameters,
            *arguments,
            progress=report and (lambda done, _: report(before + done, total)),
        )
        self.blocks += len(blocks)
        return read_parts(parts)


def similarity_block(block: Block, source: Source, parameters: CollaborativeParameters) -> pa.Table:
    """Find the most similar tracks of a range of tracks."""
    interactions = _interactions(source)
    targets = np.arange(block.start, block.stop, dtype=np.int32)
    return part_table(factor_edges(interactions, cosine(interactions), targets, parameters.similar))


def weight_block(
    block: Block, source: Source, parameters: CollaborativeParameters, order: Path
) -> pa.Table:
    """Compute the weights into the tracks at a range of places of ``order``."""
    targets = pq.read_table(order)["played_key"].to_numpy()[block.start : block.stop]
    return part_table(weight_edges(_interactions(source), targets, parameters))


def further_block(
    block: Block, source: Source, parameters: CollaborativeParameters, solved: Path
) -> pa.Table:
    """Add the second step to the weights into a range of tracks."""
    targets = np.arange(block.start, block.stop, dtype=np.int32)
    return part_table(further_edges(_solved(solved, source.tracks), targets, parameters))


@lru_cache(maxsize=1)
def _interactions(source: Source) -> Interactions:
    return source.read()


@lru_cache(maxsize=1)
def _solved(file: Path, tracks: int) -> sparse.csc_array:
    return read_parts([file]).matrix(tracks).tocsc()


def _forget() -> None:
    """Free what this worker read for its blocks."""
    _interactions.cache_clear()
    _solved.cache_clear()
