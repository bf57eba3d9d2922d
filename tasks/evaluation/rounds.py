"""The rounds of blocks: half-lives, the grid, γ, and the report."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from distributed import Client
from numpy.typing import NDArray

from tasks.blend.parameters import HybridParameters
from tasks.evaluation.measure import gamma_values, grid_values, half_life_values, report_values
from tasks.evaluation.parameters import EvaluationParameters
from tasks.evaluation.sources import Sources, read_context, read_hiding_model
from tasks.lake.blocks import Block, Progress, balanced_blocks, run_blocks
from tasks.lake.files import write_parquet

BLOCKS = 24
"""Blocks of each round: fixed, so that a killed run finds its parts again."""

CASE_COST = 30.0
"""What a case costs beside its folded-in tracks, in tracks."""


@dataclass(frozen=True)
class Rounds:
    """What the rounds of one stage share."""

    client: Client
    folder: Path
    sources: Sources
    hybrid: HybridParameters
    parameters: EvaluationParameters
    progress: Progress | None
    names: tuple[str, ...] = ("tuning", "gamma", "report")
    """In their order."""

    def measure(
        self,
        name: str,
        compute: Callable[..., pa.Table],
        cases: pa.Table,
        *arguments: object,
        part: str = "",
    ) -> pa.Table:
        """Write the cases for the workers, run blocks of them, and join what they return.

        ``part`` tells apart what is measured in several parts.
        """
        file = self.folder / f"{name}{part}_cases.parquet"
        write_parquet(cases, file)
        cost = cases["length"].to_numpy() + CASE_COST
        blocks = balanced_blocks(cost, BLOCKS)
        before = self.names.index(name) * BLOCKS
        progress = self.progress
        parts = run_blocks(
            self.client,
            compute,
            blocks,
            self.folder / f"{name}{part}",
            file,
            *arguments,
            progress=progress
            and (lambda done, _: progress(before + done, len(self.names) * BLOCKS)),
        )
        return pa.concat_tables([pq.read_table(part) for part in parts]).combine_chunks()


def grid_block(
    block: Block,
    cases: Path,
    sources: Sources,
    hybrid: HybridParameters,
    points: NDArray[np.float64],
) -> pa.Table:
    """Measure a block of cases at every point (w, p)."""
    context = read_context(sources, hybrid)
    return _values_table(grid_values(context.model, context.split, _rows(cases, block), points))


def half_life_block(
    block: Block,
    cases: Path,
    sources: Sources,
    hybrid: HybridParameters,
    half_lives: tuple[int, ...],
) -> pa.Table:
    """Measure a block of cases with every half-life."""
    context = read_context(sources, hybrid)
    rows = _rows(cases, block)
    return _values_table(half_life_values(context.model, context.split, rows, half_lives))


def gamma_block(
    block: Block,
    cases: Path,
    sources: Sources,
    hybrid: HybridParameters,
    gammas: tuple[float, ...],
) -> pa.Table:
    """Measure a block of cases at every γ, a share of the played tracks taken for unplayed."""
    context = read_context(sources, hybrid)
    hiding, hidden = read_hiding_model(sources, hybrid)
    return _values_table(
        gamma_values(
            context.model, hiding, context.split, _rows(cases, block), np.array(gammas), hidden
        )
    )


def report_block(block: Block, cases: Path, sources: Sources, hybrid: HybridParameters) -> pa.Table:
    """Measure every model on a block of cases."""
    return report_values(read_context(sources, hybrid), _rows(cases, block))


def _rows(file: Path, block: Block) -> pa.Table:
    return pq.read_table(file).slice(block.start, block.stop - block.start)


def _values_table(values: NDArray[np.float64]) -> pa.Table:
    flat = pa.array(np.ascontiguousarray(values).ravel())
    return pa.table({"values": pa.FixedSizeListArray.from_arrays(flat, values.shape[1])})
