"""The datasets of the experiments stage: what the feedback says."""

import pyarrow as pa

from tasks.lake.contracts.contract import Column, Contract, StageContract
from tasks.lake.contracts.quality import DATA_QUALITY, REJECTED_ROWS

EXPERIMENT_RESULTS = Contract(
    rows="experiment, variant, segment and metric",
    key=("experiment", "variant", "segment", "metric"),
    is_sorted=False,
    columns=(
        Column("experiment", pa.string(), "name of the experiment"),
        Column("variant", pa.string(), "name of the variant"),
        Column("segment", pa.string(), "`all` or a history segment"),
        Column("metric", pa.string(), "what was measured, see [experiments.md](experiments.md)"),
        Column("users", pa.int64(), "listeners", 0),
        Column("exposures", pa.int64(), "exposures", 0),
        Column("value", pa.float64(), "the metric", 0, nullable=True),
        Column("lift", pa.float64(), "relative to the control", nullable=True),
        Column("ci_low", pa.float64(), "lower end of its interval", nullable=True),
        Column("ci_high", pa.float64(), "upper end of its interval", nullable=True),
        Column("p_value", pa.float64(), "that chance alone did it", 0, 1, nullable=True),
        Column("information", pa.float64(), "share of the planned evidence", 0, 1, nullable=True),
        Column("capped", pa.int64(), "listeners whose values are capped", 0),
        Column("as_of", pa.timestamp("us"), "until when the feedback reaches, UTC"),
        Column(
            "complete_until",
            pa.timestamp("us"),
            "until when the outcomes of exposures are known, UTC",
            nullable=True,
        ),
        Column("note", pa.string(), "what to bear in mind"),
    ),
)

MEASURED_WEIGHTS = Contract(
    rows="segment and experiment on weights",
    key=("segment", "experiment"),
    is_sorted=False,
    columns=(
        Column("segment", pa.string(), "history segment"),
        Column("experiment", pa.string(), "name of the experiment"),
        Column("offline_weight", pa.float64(), "weight that offline evaluation chose", 0, 1),
        Column("measured_weight", pa.float64(), "measurably best weight", 0, 1, nullable=True),
        Column("metric", pa.string(), "what decided"),
        Column("lift", pa.float64(), "relative to the control", nullable=True),
        Column("ci_low", pa.float64(), "lower end of its interval", nullable=True),
        Column("ci_high", pa.float64(), "upper end of its interval", nullable=True),
        Column("note", pa.string(), "why they differ, or agree"),
    ),
)

CLICK_RATES = Contract(
    rows="segment and track with enough exposures",
    key=("segment", "track_id"),
    is_sorted=False,
    columns=(
        Column("segment", pa.string(), "`all` or a history segment"),
        Column("track_id", pa.string(), "the track"),
        Column("exposures", pa.int64(), "times shown", 1),
        Column("clicks", pa.int64(), "of these clicked", 0),
        Column("corrected_click_rate", pa.float64(), "click rate as at the first rank", 0),
    ),
)

POSITION_BIAS = Contract(
    rows="rank at which something was shown",
    key=("rank",),
    columns=(
        Column("rank", pa.int32(), "place in the list", 1),
        Column("exposures", pa.int64(), "exposures at it", 1),
        Column("clicks", pa.int64(), "of these clicked", 0),
        Column("examination", pa.float64(), "how often it is looked at; the first rank is 1", 0),
    ),
)

FIRST_SEEN = Contract(
    rows="experiment and listener seen in it, by this run or an earlier one",
    key=("experiment", "user"),
    columns=(
        Column("experiment", pa.string(), "name of the experiment"),
        Column("user", pa.uint64(), "hash of the listener's id, as in the exposures"),
        Column("tracks_played", pa.int32(), "history when the listener was first seen", 0),
    ),
)
"""Later runs read it, so that listeners keep their segment (tasks/experiments/first_seen.py)."""

STAGE = StageContract(
    "experiments",
    {
        "experiment_results": EXPERIMENT_RESULTS,
        "measured_weights": MEASURED_WEIGHTS,
        "click_rates": CLICK_RATES,
        "position_bias": POSITION_BIAS,
        "first_seen": FIRST_SEEN,
        "rejected_rows": REJECTED_ROWS,
        "data_quality": DATA_QUALITY,
    },
)
