"""The datasets of the evaluation stage."""

import pyarrow as pa

from tasks.lake.contracts.contract import Column, Contract, Further, StageContract
from tasks.lake.contracts.quality import DATA_QUALITY

EVALUATION = Contract(
    rows="model, segment and metric",
    key=("model", "segment", "metric", "k"),
    is_sorted=False,
    columns=(
        Column("model", pa.string(), "what made the lists"),
        Column("segment", pa.string(), "whose lists, see [evaluation.md](evaluation.md)"),
        Column("metric", pa.string(), "what was measured"),
        Column("k", pa.int32(), "rows of a list that count", 1),
        Column("value", pa.float64(), "the mean over the listeners"),
        Column("ci_low", pa.float64(), "lower end of its interval", nullable=True),
        Column("ci_high", pa.float64(), "upper end of its interval", nullable=True),
        Column("users", pa.int64(), "listeners it was measured on", 1),
    ),
)

SEGMENT_CURVE = Contract(
    rows="segment and blend tried",
    key=("segment", "weight", "popularity", "metric"),
    is_sorted=False,
    columns=(
        Column("segment", pa.string(), "history length"),
        Column("weight", pa.float64(), "collaborative share tried", 0, 1),
        Column("popularity", pa.float64(), "strength of the popularity prior tried", 0),
        Column("metric", pa.string(), "what was measured"),
        Column("value", pa.float64(), "the mean over the listeners", 0, 1),
        Column("ci_low", pa.float64(), "lower end of its interval", 0, 1),
        Column("ci_high", pa.float64(), "upper end of its interval", 0, 1),
    ),
)

SEGMENTS = Contract(
    rows="history-length segment",
    key=("min_tracks",),
    columns=(
        Column("segment", pa.string(), "its name"),
        Column("min_tracks", pa.int32(), "fewest tracks in the history", 0),
        Column("max_tracks", pa.int32(), "most tracks; empty: no end", 0, nullable=True),
        Column("weight", pa.float64(), "collaborative share that measured best", 0, 1),
        Column("popularity", pa.float64(), "strength of the popularity prior", 0),
    ),
)

CHOICES = Contract(
    rows="choice and history-length segment",
    key=("half", "min_tracks"),
    columns=(
        Column(
            "half",
            pa.int8(),
            "listeners it was chosen on: half 0, half 1, or 2 for all, which is published",
            0,
            2,
        ),
        *SEGMENTS.columns,
        Column("gamma", pa.float64(), "γ, chosen on the same listeners", 0, 1),
    ),
)

LISTENERS = Contract(
    rows="held-out listener and metric",
    key=("user_id", "metric"),
    is_sorted=False,
    columns=(
        Column("user_id", pa.string(), "the id, byte for byte"),
        Column("metric", pa.string(), "what was measured"),
        Column("value", pa.float64(), "what the hybrid reached", 0, 1),
    ),
)

VALUES = Contract(
    rows="list that was measured",
    key=("model", "segment", "listener"),
    columns=(
        Column("listener", pa.int32(), "position among the held-out listeners", 0),
        Column("segment", pa.int8(), "segment the history was cut to; -1: as it is", -1),
        Column("model", pa.int8(), "position among the models", 0),
    ),
    further=(Further(pa.float64(), "each metric; NaN: not measured", finite=False),),
)

STAGE = StageContract(
    "evaluation",
    {
        "evaluation": EVALUATION,
        "segment_curve": SEGMENT_CURVE,
        "segments": SEGMENTS,
        "choices": CHOICES,
        "listeners": LISTENERS,
        "values": VALUES,
        "data_quality": DATA_QUALITY,
    },
)
