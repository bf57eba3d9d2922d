"""Take listeners out of the lake."""

import shutil
from collections.abc import Collection
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tasks.experiments.first_seen import first_seen
from tasks.lake.contracts.stages.experiments import STAGE as EXPERIMENTS
from tasks.lake.contracts.stages.ingest import STAGE as INGEST
from tasks.lake.contracts.stages.measured import STAGE as MEASURED
from tasks.lake.files import write_parquet
from tasks.lake.record import Stage
from warehouse.listener_ids import WHITE


def known_in_lake(lake: Path, listeners: Collection[str]) -> set[str]:
    """Return which of the listeners an input had that is still in the lake."""
    asked = pa.array(sorted(listeners), pa.string())
    known: set[str] = set()
    for file in lake.glob(f"{INGEST.stage}/*/users.parquet"):
        try:
            ids = pc.utf8_trim(pq.read_table(file, columns=["user_id"])["user_id"], WHITE)
        except (OSError, pa.ArrowException):
            continue  # cut off: it goes like the others
        known |= set(ids.filter(pc.is_in(ids, value_set=asked)).to_pylist())
    return known


def forget_in_lake(lake: Path, listeners: Collection[str]) -> None:
    """Delete every result that is made of listeners; safe to repeat.

    The next run computes them from its input. Measured models stay, which are sums over all
    listeners and name none, and so do the histories that the others had when they were first seen
    in an experiment, which no run can find out again.
    """
    if not lake.is_dir():
        return
    kept = _keep_first_seen(lake, listeners)
    for stage in sorted(path for path in lake.iterdir() if path.is_dir()):
        for folder in sorted(stage.iterdir()):
            if stage.name != MEASURED.stage and folder != kept:
                shutil.rmtree(folder)


def _keep_first_seen(lake: Path, listeners: Collection[str]) -> Path | None:
    """Write the first histories of all others as a result of its own; return its folder."""
    known = first_seen(lake)
    if not len(known):
        return None
    with duckdb.connect() as con:
        con.register("asked", pa.table({"id": pa.array(sorted(listeners), pa.string())}))
        hashed = con.sql("SELECT hash(a.id) AS hashed FROM asked a").to_arrow_table()["hashed"]
    others = known.filter(pc.invert(pc.is_in(known["user"], value_set=hashed.combine_chunks())))
    rows = [str(row) for row in others.to_pylist()]
    stage = Stage(lake, EXPERIMENTS, first_seen=rows)
    if not stage.finished():
        file = stage.folder / "first_seen.parquet"
        write_parquet(others, file)
        stage.finish(0.0, {}, first_seen=file)
    return stage.folder
