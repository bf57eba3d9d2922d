"""What several stages say of their input: rows set aside, and checks."""

import pyarrow as pa

from tasks.lake.contracts.contract import Column, Contract

REJECTED_ROWS = Contract(
    rows="input row that was set aside",
    key=("file", "record"),
    columns=(
        Column("file", pa.string(), "name of the file, its path where names repeat"),
        Column("record", pa.int64(), "position in the file; the header of a CSV is record 1", 1),
        Column("reason", pa.string(), "why, see [dataset.md](dataset.md#rows-that-are-set-aside)"),
        Column("raw", pa.string(), r"the row as it stands, undecodable bytes as `\xNN`"),
    ),
)

DATA_QUALITY = Contract(
    rows="check of the input or of what was measured",
    key=("check_name",),
    is_sorted=False,
    columns=(
        Column("check_name", pa.string(), "name of the check"),
        Column("severity", pa.string(), "what its failing does", one_of=("warn", "stop")),
        Column("status", pa.string(), "how it came out", one_of=("passed", "failed", "skipped")),
        Column("observed", pa.float64(), "what was measured", nullable=True),
        Column("expected", pa.string(), "what passes, readable"),
        Column("details", pa.string(), "what was found, readable"),
    ),
)
