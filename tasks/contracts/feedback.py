"""The contracts of what came of the recommendations: what was read, and what it says."""

import pyarrow as pa

from tasks.contracts.contract import Column, Contract

EVENT_KINDS = ("click", "play", "skip", "save", "return", "subscribe", "cancel")
"""The words that an event's kind can be."""

_MOMENT = pa.timestamp("us")

EXPOSURES = Contract(
    rows="exposure of a file",
    key=("exposure",),
    is_sorted=False,
    columns=(
        Column("exposure", pa.uint64(), "hash of the exposure id"),
        Column("user", pa.uint64(), "hash of the listener's id"),
        Column("track_id", pa.string(), "the track shown"),
        Column("rank", pa.int32(), "its place in the list", 1),
        Column("experiment", pa.string(), "empty: outside of any", nullable=True),
        Column("variant", pa.string(), "the variant that was served", nullable=True),
        Column("occurred", _MOMENT, "when it was shown, UTC"),
    ),
)
"""Ids are joined on and never shown, so their hash is kept; it is DuckDB's own, whose version is
part of the key under which the file lies in the lake."""

EVENTS = Contract(
    rows="event of a file",
    key=("exposure", "user", "kind", "occurred", "value"),
    columns=(
        Column("exposure", pa.uint64(), "hash of the exposure id that it followed", nullable=True),
        Column("user", pa.uint64(), "hash of the listener's id", nullable=True),
        Column("kind", pa.string(), "what was done", one_of=EVENT_KINDS),
        Column("occurred", _MOMENT, "when, UTC"),
        Column("value", pa.float64(), "of plays the seconds listened", 0, nullable=True),
    ),
)

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
