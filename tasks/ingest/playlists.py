"""Histories whose rows hold lists of tracks: one play for each item of a list."""

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tasks.dataset.columns import ListSpec
from tasks.dataset.plays import PlaysSpec
from tasks.ingest.cells import Cells, Findings
from tasks.ingest.records import RECORD

_ROWS = 100_000


def write_items(
    con: duckdb.DuckDBPyConnection,
    source: str,
    spec: PlaysSpec,
    target: Path,
) -> int:
    """Write a row for each item of each list to ``target``; return how many.

    ``source`` is a query of the file's records with their numbers and named columns as text. A row
    without an item has one without a track, so that it is rejected and not lost.
    """
    assert isinstance(spec.track, ListSpec)
    reader = con.sql(source).to_arrow_reader(_ROWS)
    names = [name for name in reader.schema.names if name not in (RECORD, spec.track.column)]
    schema = pa.schema(
        [(RECORD, pa.int64()), (spec.track.column, pa.string())]
        + [(name, pa.string()) for name in names]
    )
    cells = Cells(spec, Findings(), 1 << 20)
    written = 0
    with pq.ParquetWriter(target, schema, compression="lz4") as writer:
        for batch in reader:
            table = pa.Table.from_batches([batch])
            column = table[spec.track.column].combine_chunks()
            lists = cells.lists(spec.track.column, column, spec.track.way, spec.track.key)
            lists = pa.array([one or [None] for one in lists.to_pylist()], pa.list_(pa.string()))
            rows = pc.list_parent_indices(lists)
            taken = table.take(rows)
            columns = [taken[RECORD], lists.flatten(), *(taken[name] for name in names)]
            writer.write_table(pa.table(columns, names=schema.names).cast(schema))
            written += len(rows)
    return written
