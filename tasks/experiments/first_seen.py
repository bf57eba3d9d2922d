"""The history that listeners had at their first exposure, remembered from run to run.

A variant may change how much people listen, and so move them to another history segment. A segment
read from today's history then holds other listeners in each variant. So the first run that sees a
listener in an experiment writes down the history, and later runs keep it.
"""

from pathlib import Path

import pyarrow as pa

from tasks.lake.contracts.stages.experiments import FIRST_SEEN, STAGE
from tasks.lake.record import RECORD, read_record


def first_seen(lake: Path) -> pa.Table:
    """Return `FIRST_SEEN` as the latest measurement in the lake left it; empty without one."""
    records = sorted(
        (lake / STAGE.stage).glob(f"*/{RECORD}"),
        key=lambda path: (path.stat().st_mtime_ns, path),
        reverse=True,
    )
    for record in records:
        try:
            found = read_record(record.parent)["first_seen"]
            if found.is_whole():
                return found.read().cast(FIRST_SEEN.schema)
        except (OSError, ValueError, KeyError, pa.ArrowInvalid):
            continue  # another version's record, or one that was cut off
    return FIRST_SEEN.schema.empty_table()


def with_new(known: pa.Table, seen: pa.Table) -> pa.Table:
    """Add the listeners of ``seen`` that are not ``known``; sorted by experiment and listener."""
    keys = ["experiment", "user"]
    new = seen.join(known.select(keys), keys=keys, join_type="left anti")
    columns = [pa.chunked_array([*known[n].chunks, *new[n].chunks]) for n in known.column_names]
    both = pa.table(columns, schema=FIRST_SEEN.schema)
    return both.sort_by([(key, "ascending") for key in keys])
