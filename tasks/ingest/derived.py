"""A catalogue made from the history, where there is none: each track as its plays describe it."""

from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from tasks.dataset.tracks import TracksSpec
from tasks.ingest.dialect import Dialect
from tasks.ingest.files import OpenedFile
from tasks.ingest.history import History, named_records
from tasks.ingest.queries import query
from tasks.ingest.records import RECORD
from warehouse.statements import column_name, text_literal


def derive_catalogue(
    con: duckdb.DuckDBPyConnection, history: History, spec: TracksSpec, scratch: Path
) -> OpenedFile:
    """Write the distinct descriptions of the history's tracks to a file like that of a catalogue.

    Those given most often come first, so that their values win.
    """
    names = list(dict.fromkeys(spec.columns().values()))
    target = scratch / "derived.parquet"
    con.execute(
        query(
            "derived",
            records=named_records(history, names),
            columns=", ".join(column_name(name) for name in names),
            id=column_name(spec.id),
            target=text_literal(str(target)),
        )
    )
    positions = {name: position for position, name in enumerate(names)}
    rows = pq.read_metadata(target).num_rows
    file = history.parts[0].file.file
    columns = (RECORD, *names)
    return OpenedFile(file, target, "json", columns, Dialect(","), positions, rows=rows)
