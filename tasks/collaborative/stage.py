"""Collaborative neighbours on the Dask cluster: weights that score a history, and similarity."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from distributed import Client
from scipy import sparse

from tasks.collaborative.edges import symmetric
from tasks.collaborative.find_edges import (
    fewest_blocks,
    find_edges,
    finished_matrix,
    has_second_pass,
    largest_weight,
    second_pass,
    target_costs,
)
from tasks.collaborative.mapped import mapped_interactions, write_interactions
from tasks.collaborative.models.registry import model_origin
from tasks.collaborative.parameters import CollaborativeParameters
from tasks.collaborative.tables import edge_table, edges_table, read_edges
from tasks.lake.blocks import Block, Progress, balanced_blocks, run_blocks
from tasks.lake.code import code_digest
from tasks.lake.contracts.stages.collaborative import STAGE
from tasks.lake.dataset import Dataset
from tasks.lake.files import publish_file, write_parquet
from tasks.lake.plays import kept_plays
from tasks.lake.record import Stage, StageResult

BLOCKS = 2
"""Fewest blocks. Every block of the learned model walks all co-occurrences, so there are no more
than memory and the cluster's threads require."""

STEP_BLOCKS = 32
"""Blocks of the second pass, if the model has one."""


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
    parameters = parameters.concrete
    stage = Stage(
        lake,
        STAGE,
        interactions=interactions.digest,
        tracks_played=tracks_played,
        held_out=held_out.digest if held_out else None,
        parameters=parameters,
        code=code_digest(__name__),
        model=model_origin(parameters.model),
    )
    if result := stage.finished():
        return result
    began = time.perf_counter()
    plays = stage.scratch / "plays"
    write_interactions(kept_plays(interactions, held_out), tracks_played, plays)
    run = _Run(client, stage.scratch, plays, parameters, progress)
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


@dataclass
class _Run:
    """The phases of one run, each a set of blocks over the tracks."""

    client: Client
    scratch: Path
    plays: Path
    """Of `write_interactions`."""
    parameters: CollaborativeParameters
    progress: Progress | None
    blocks: int = field(default=0, init=False)
    """Blocks of the phases behind us."""

    def matrices(self) -> tuple[sparse.csr_array, sparse.csr_array]:
        """Return the symmetric similarity and the final weights, both sources × targets."""
        interactions = mapped_interactions(self.plays)
        listeners = interactions.listeners
        costs = target_costs(interactions, self.parameters)
        least = fewest_blocks(interactions, self.parameters)
        del interactions
        two_steps = has_second_pass(self.parameters)
        blocks = balanced_blocks(costs, self._number(max(BLOCKS, least)))
        parts = self._phase("neighbours", 1 + two_steps, blocks, neighbour_block)
        weights = read_edges(parts, "weights")
        if two_steps:
            solved = self.scratch / "solved.parquet"
            write_parquet(edges_table(weights=weights), solved)
            blocks = balanced_blocks(np.ones(len(listeners)), STEP_BLOCKS)
            steps = self._phase("second_step", 1, blocks, step_block, solved)
            weights = read_edges(steps, "weights")
        similarity = symmetric(read_edges(parts, "similarity").matrix(len(listeners)))
        self.client.run(_forget, on_error="ignore")
        return similarity, finished_matrix(weights, listeners, self.parameters)

    def _number(self, least: int) -> int:
        """Return how many blocks to make: the number a killed run began with, to find its parts."""
        file = self.scratch / "blocks"
        if not file.is_file():
            number = max(least, sum(self.client.nthreads().values()))
            partial = file.with_name(f".blocks.{os.getpid()}")
            partial.write_text(str(number))
            publish_file(partial, file)
        return int(file.read_text())

    def _phase(
        self,
        name: str,
        phases_left: int,
        blocks: list[Block],
        compute: Callable[..., pa.Table],
        *arguments: Any,
    ) -> list[Path]:
        before, total = self.blocks, self.blocks + len(blocks) * phases_left
        report = self.progress
        parts = run_blocks(
            self.client,
            compute,
            blocks,
            self.scratch / name,
            self.plays,
            self.parameters,
            *arguments,
            progress=report and (lambda done, _: report(before + done, total)),
        )
        self.blocks += len(blocks)
        return parts


def neighbour_block(block: Block, plays: Path, parameters: CollaborativeParameters) -> pa.Table:
    """Find weights and similar tracks for a range of tracks."""
    targets = np.arange(block.start, block.stop, dtype=np.int32)
    found = find_edges(mapped_interactions(plays), targets, parameters)
    return edges_table(weights=found.weights, similarity=found.similarity)


def step_block(
    block: Block, plays: Path, parameters: CollaborativeParameters, solved: Path
) -> pa.Table:
    """Put the weights into a range of tracks through the model's second pass."""
    targets = np.arange(block.start, block.stop, dtype=np.int32)
    edges = second_pass(_solved(solved, mapped_interactions(plays).tracks), targets, parameters)
    return edges_table(weights=edges)


@lru_cache(maxsize=1)
def _solved(file: Path, tracks: int) -> sparse.csc_array:
    return read_edges([file], "weights").matrix(tracks).tocsc()


def _forget() -> None:
    """Free what this worker read for its blocks."""
    _solved.cache_clear()
