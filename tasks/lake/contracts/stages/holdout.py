"""The dataset of the holdout stage."""

import pyarrow as pa

from tasks.lake.contracts.contract import Column, Contract, StageContract

HELD_OUT = Contract(
    rows="listener kept out of the model, to measure it on",
    key=("user_key",),
    columns=(Column("user_key", pa.int32(), "the listener", 0),),
)

STAGE = StageContract(
    "holdout",
    {"held_out": HELD_OUT},
)
