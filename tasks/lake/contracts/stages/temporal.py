"""The datasets of the temporal stage."""

import pyarrow as pa

from tasks.lake.contracts.contract import Column, Contract, StageContract
from tasks.lake.contracts.quality import DATA_QUALITY
from tasks.lake.contracts.stages.evaluation import EVALUATION

SUPPORTED = Contract(
    rows="half and history-length segment",
    key=("half", "min_tracks"),
    columns=(
        Column(
            "half", pa.int8(), "listeners it was measured on: half 0, half 1, or 2 for all", 0, 2
        ),
        Column("segment", pa.string(), "its name"),
        Column("min_tracks", pa.int32(), "fewest tracks in the history", 1),
        Column("weight", pa.float64(), "collaborative share that measured best in time", 0, 1),
        Column("popularity", pa.float64(), "strength of the popularity prior", 0),
        Column(
            "support",
            pa.float64(),
            "how far the listeners move the choice of the random split to it: 1 is all the way",
            0,
            1,
        ),
    ),
)

STAGE = StageContract(
    "temporal",
    {"evaluation": EVALUATION, "supported": SUPPORTED, "data_quality": DATA_QUALITY},
)
