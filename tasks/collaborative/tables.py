"""Edges as Arrow tables: parts in full precision, finished tables in whole numbers."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from scipy import sparse

from tasks.collaborative.edges import Edges
from tasks.lake.contracts.edges import EDGES
from warehouse.contract.constants import WEIGHT_SCALE

PARTS = pa.schema(
    [
        pa.field("table", pa.dictionary(pa.int8(), pa.string()), nullable=False),
        pa.field("source", pa.int32(), nullable=False),
        pa.field("target", pa.int32(), nullable=False),
        pa.field("weight", pa.float64(), nullable=False),
    ]
)
"""Edges of several tables, before they become whole numbers: for that the largest must be known."""


def edges_table(**tables: Edges) -> pa.Table:
    """Return the edges of the named tables, as they are, in one."""
    parts = [PARTS.empty_table()]
    for name, edges in tables.items():
        kind = pa.DictionaryArray.from_arrays(np.zeros(len(edges.source), np.int8), [name])
        parts.append(pa.table([kind, edges.source, edges.target, edges.weight], schema=PARTS))
    return pa.concat_tables(parts).unify_dictionaries()


def read_edges(files: Sequence[Path], name: str) -> Edges:
    """Read the edges of one of the tables in files that `edges_table` made, in their order."""
    columns, only = ["source", "target", "weight"], pc.field("table") == name
    tables = [pq.read_table(file, columns=columns, filters=only) for file in files]
    table = pa.concat_tables([PARTS.empty_table().select(columns), *tables])
    return Edges(*(table[column].to_numpy() for column in columns))


def edge_table(matrix: sparse.csr_array, largest: float) -> pa.Table:
    """Return a sources × targets matrix as `EDGES`: round(weight / largest · `WEIGHT_SCALE`).

    What rounds to zero is left out.
    """
    source = np.repeat(np.arange(matrix.shape[0], dtype=np.int32), np.diff(matrix.indptr))
    weight = np.rint(matrix.data * (WEIGHT_SCALE / largest)).astype(np.int16)
    kept = weight != 0
    columns = [source[kept], matrix.indices.astype(np.int32)[kept], weight[kept]]
    return pa.table(columns, schema=EDGES)
