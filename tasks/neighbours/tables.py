"""Edges as Arrow tables: parts in full precision, finished tables in whole numbers."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from scipy import sparse

from tasks.neighbours.edges import Edges
from tasks.schemas import EDGES, WEIGHT_SCALE

PARTS = pa.schema(
    [
        pa.field("source", pa.int32(), nullable=False),
        pa.field("target", pa.int32(), nullable=False),
        pa.field("weight", pa.float64(), nullable=False),
    ]
)
"""Edges before they become whole numbers, for which the largest must be known."""


def part_table(edges: Edges) -> pa.Table:
    """Return the edges as they are."""
    return pa.table([edges.source, edges.target, edges.weight], schema=PARTS)


def read_parts(files: Sequence[Path]) -> Edges:
    """Read part files, one after the other."""
    tables = [pq.read_table(file, schema=PARTS) for file in files]
    table = pa.concat_tables([PARTS.empty_table(), *tables])
    return Edges(*(table[name].to_numpy() for name in PARTS.names))


def edge_table(matrix: sparse.csr_array, largest: float) -> pa.Table:
    """Return a sources × targets matrix as `EDGES`: round(weight / largest · `WEIGHT_SCALE`).

    What rounds to zero is left out.
    """
    source = np.repeat(np.arange(matrix.shape[0], dtype=np.int32), np.diff(matrix.indptr))
    weight = np.rint(matrix.data * (WEIGHT_SCALE / largest)).astype(np.int16)
    kept = weight != 0
    columns = [source[kept], matrix.indices.astype(np.int32)[kept], weight[kept]]
    return pa.table(columns, schema=EDGES)
