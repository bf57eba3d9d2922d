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

HALF_LIVES = Contract(
    rows="half and half-life tried for histories",
    key=("half", "half_life"),
    columns=(
        Column(
            "half", pa.int8(), "listeners it was measured on: half 0, half 1, or 2 for all", 0, 2
        ),
        Column("half_life", pa.int32(), "in days; 0: none, all tracks count the same", 0),
        Column("ndcg", pa.float64(), "mean NDCG@100, with the blend of the random split", 0, 1),
        Column("support", pa.float64(), "evidence of this half for the best one", 0, 1),
        Column("is_chosen", pa.bool_(), "the one in use for the other half, or for everybody"),
    ),
)

STAGE = StageContract(
    "temporal",
    {
        "evaluation": EVALUATION,
        "supported": SUPPORTED,
        "half_lives": HALF_LIVES,
        "data_quality": DATA_QUALITY,
    },
)
