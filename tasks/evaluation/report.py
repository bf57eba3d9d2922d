"""From values per listener to the tables a reader sees: means with intervals, paired gains."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.blend.parameters import Segment
from tasks.evaluation import beyond_accuracy as beyond
from tasks.evaluation.bootstrap import interval, resampled_means
from tasks.evaluation.cases import AS_IS, heavy_in, is_truncated, light_in
from tasks.evaluation.choice import Choice
from tasks.evaluation.measure import (
    ACCURACY,
    BEYOND,
    DEPTH,
    SHOWN,
    SLICE_METRICS,
    SLICES,
    metric_name,
)
from tasks.evaluation.models import (
    COLLABORATIVE,
    CONTENT,
    COSINE,
    HYBRID,
    MODELS,
    POPULARITY,
    RECENT,
    TEMPORAL_MODELS,
)
from tasks.evaluation.split import Split
from tasks.lake.contracts.stages.evaluation import (
    CHOICES,
    EVALUATION,
    LISTENERS,
    SEGMENT_CURVE,
    SEGMENTS,
)

SINGLE_SIGNALS = (POPULARITY, COSINE, COLLABORATIVE, CONTENT)
JUDGED = ("ndcg", DEPTH)
"""The metric that weights are chosen by and gains are reported in."""
GATED = (("recall", 20), ("recall", 50), ("ndcg", DEPTH))
"""What the gate compares."""
TEMPORAL = "temporal:"
"""Beginning of the names of segments of the temporal split."""


class Reported(NamedTuple):
    """A segment of the report."""

    name: str
    case: int
    """Position of the segment that histories were cut to, or `AS_IS`."""
    listeners: NDArray[np.bool_]


def evaluation_table(
    values: pa.Table,
    split: Split,
    segments: tuple[Segment, ...],
    counts: NDArray[np.float64],
    confidence: float,
    tracks: int,
) -> pa.Table:
    """Return `EVALUATION` from the rows of `report_values`.

    ``counts`` is resamples × listeners of the split. Beside every model's metrics, the hybrid has
    ``gain_over_popularity`` and ``gain_over_best``: its mean paired difference in NDCG@100 to
    popularity and to the single signal that is best in that segment.
    """
    reported = list(_segments(split, segments))
    rows = metric_rows(values, reported, MODELS, counts, confidence)
    rows += _catalogue_rows(values, MODELS, tracks)
    return pa.Table.from_pylist(rows, schema=EVALUATION.schema)


def temporal_table(
    values: pa.Table,
    reported: Sequence[Reported],
    counts: NDArray[np.float64],
    confidence: float,
    tracks: int,
) -> pa.Table:
    """Return `EVALUATION` of the temporal split; the names of its segments begin with `TEMPORAL`.

    As `evaluation_table`, with the models of `TEMPORAL_MODELS` and ``gain_over_popularity_recent``.
    """
    rows = metric_rows(values, reported, TEMPORAL_MODELS, counts, confidence)
    rows += _catalogue_rows(values, TEMPORAL_MODELS, tracks)
    renamed = [{**row, "segment": TEMPORAL + row["segment"]} for row in rows]
    return pa.Table.from_pylist(renamed, schema=EVALUATION.schema)


def metric_rows(
    values: pa.Table,
    reported: Sequence[Reported],
    models: Sequence[str],
    counts: NDArray[np.float64],
    confidence: float,
) -> list[dict[str, Any]]:
    """Return a row for every segment, model and metric that has a value for any listener.

    ``counts`` is resamples × listeners.
    """
    listeners = counts.shape[1]
    rows: list[dict[str, Any]] = []
    by_model = {(m, s): _wide(values, m, s, listeners) for m, s in _present(values)}
    for segment in reported:
        columns: dict[tuple[str, str, int], NDArray[np.float64]] = {}
        for m, model in enumerate(models):
            if (m, segment.case) not in by_model:
                continue
            for metric, k, column in _metrics_of(segment.name):
                found = by_model[m, segment.case][column]
                columns[model, metric, k] = np.where(segment.listeners, found, np.nan)
        rows += _summary(segment.name, columns | _gains(columns), counts, confidence)
    return rows


def listeners_table(values: pa.Table, user_ids: pa.Array) -> pa.Table:
    """Return `LISTENERS`: what the hybrid, with cross-fitted choices, is worth to each listener."""
    wide = _wide(values, MODELS.index(HYBRID), AS_IS, len(user_ids))
    tables = []
    for metric, k in GATED:
        name = metric_name(metric, k)
        known = ~np.isnan(wide[name])
        tables.append(
            pa.table(
                [
                    user_ids.filter(pa.array(known)),
                    pa.array([name] * int(known.sum())),
                    wide[name][known],
                ],
                schema=LISTENERS.schema,
            )
        )
    return pa.concat_tables(tables)


def curve_table(
    segments: list[Segment],
    points: NDArray[np.float64],
    curves: list[NDArray[np.float64]],
    counts: list[NDArray[np.float64]],
    confidence: float,
) -> pa.Table:
    """Return `SEGMENT_CURVE`: mean NDCG@100 of the tuning listeners at every point (w, p)."""
    rows = []
    for segment, curve, drawn in zip(segments, curves, counts, strict=True):
        if not len(curve):
            continue
        low, high = interval(resampled_means(drawn, curve), confidence)
        for q, (weight, popularity) in enumerate(points):
            rows.append(
                {
                    "segment": segment.segment,
                    "weight": float(weight),
                    "popularity": float(popularity),
                    "metric": metric_name(*JUDGED),
                    "value": float(curve[:, q].mean()),
                    "ci_low": float(low[q]),
                    "ci_high": float(high[q]),
                }
            )
    return pa.Table.from_pylist(rows, schema=SEGMENT_CURVE.schema)


def segments_table(segments: tuple[Segment, ...]) -> pa.Table:
    """Return `SEGMENTS`."""
    return pa.Table.from_pylist(
        [segment.model_dump() for segment in segments], schema=SEGMENTS.schema
    )


def choices_table(choices: tuple[Choice, Choice, Choice]) -> pa.Table:
    """Return `CHOICES`: what was chosen on either half, and on all of them."""
    return pa.Table.from_pylist(
        [
            {"half": half, **segment.model_dump(), "gamma": choice.gamma}
            for half, choice in enumerate(choices)
            for segment in choice.segments
        ],
        schema=CHOICES.schema,
    )


def _present(values: pa.Table) -> list[tuple[int, int]]:
    pairs = values.group_by(["model", "segment"]).aggregate([])
    return sorted(zip(pairs["model"].to_pylist(), pairs["segment"].to_pylist(), strict=True))


def _wide(
    values: pa.Table, model: int, segment: int, listeners: int
) -> dict[str, NDArray[np.float64]]:
    """Return the columns of one model and segment, one entry per listener, NaN for the absent."""
    wanted = (values["model"].to_numpy() == model) & (values["segment"].to_numpy() == segment)
    row = values["listener"].to_numpy()[wanted]
    wide = {}
    for field in values.schema:
        if field.type == pa.float64():
            wide[field.name] = np.full(listeners, np.nan)
            wide[field.name][row] = values[field.name].to_numpy()[wanted]
    return wide


def _segments(split: Split, segments: tuple[Segment, ...]) -> Iterator[Reported]:
    """Yield every reported segment."""
    everyone = np.ones(len(split), np.bool_)
    yield Reported("all", AS_IS, everyone)
    for s, segment in enumerate(segments):
        if segment.max_tracks != 0:
            key = s if is_truncated(segment) else AS_IS
            yield Reported(f"history:{segment.segment}", key, heavy_in(split, segment))
    for segment in segments:
        if segment.max_tracks != 0:
            yield Reported(f"light:{segment.segment}", AS_IS, light_in(split, segment))
    yield from by_popularity(len(split))


def by_popularity(listeners: int) -> Iterator[Reported]:
    """Yield the segments of targets by how many listeners know them."""
    for name, _, _ in SLICES:
        yield Reported(f"listeners:{name}", AS_IS, np.ones(listeners, np.bool_))


def _metrics_of(segment: str) -> list[tuple[str, int, str]]:
    kind, _, name = segment.partition(":")
    if kind == "listeners":
        return [(metric, k, metric_name(metric, k, name)) for metric, k in SLICE_METRICS]
    metrics = (*ACCURACY, *BEYOND) if kind == "all" else ACCURACY
    return [(metric, k, metric_name(metric, k)) for metric, k in metrics]


def _gains(
    columns: dict[tuple[str, str, int], NDArray[np.float64]],
) -> dict[tuple[str, str, int], NDArray[np.float64]]:
    """Return the hybrid's paired differences to popularity and to the best single signal."""
    hybrid = columns.get((HYBRID, *JUDGED))
    if hybrid is None or np.isnan(hybrid).all():
        return {}
    single = {model: columns[model, *JUDGED] for model in SINGLE_SIGNALS}
    best = max(single, key=lambda model: float(np.nanmean(single[model])))
    k = JUDGED[1]
    gains = {
        (HYBRID, "gain_over_popularity", k): hybrid - single[POPULARITY],
        (HYBRID, "gain_over_best", k): hybrid - single[best],
    }
    if (recent := columns.get((RECENT, *JUDGED))) is not None:
        gains[HYBRID, "gain_over_popularity_recent", k] = hybrid - recent
    return gains


def _summary(
    segment: str,
    columns: dict[tuple[str, str, int], NDArray[np.float64]],
    counts: NDArray[np.float64],
    confidence: float,
) -> list[dict[str, Any]]:
    """Return one row per column that has any value."""
    columns = {key: column for key, column in columns.items() if not np.isnan(column).all()}
    if not columns:
        return []
    table = np.column_stack(list(columns.values()))
    low, high = interval(resampled_means(counts, table), confidence)
    return [
        {
            "model": model,
            "segment": segment,
            "metric": metric,
            "k": k,
            "value": float(np.nanmean(table[:, x])),
            "ci_low": float(low[x]),
            "ci_high": float(high[x]),
            "users": int((~np.isnan(table[:, x])).sum()),
        }
        for x, (model, metric, k) in enumerate(columns)
    ]


def _catalogue_rows(values: pa.Table, models: Sequence[str], tracks: int) -> list[dict[str, Any]]:
    """Return coverage and Gini of each model over what all listeners are shown together."""
    rows = []
    for m, model in enumerate(models):
        wanted = (values["model"].to_numpy() == m) & (values["segment"].to_numpy() == AS_IS)
        lists = values["shown"].filter(pa.array(wanted)).combine_chunks()
        shown = beyond.exposures(lists.flatten().to_numpy(), tracks)
        for metric, value in (("coverage", beyond.coverage(shown)), ("gini", beyond.gini(shown))):
            rows.append(
                {
                    "model": model,
                    "segment": "all",
                    "metric": metric,
                    "k": SHOWN,
                    "value": value,
                    "ci_low": None,
                    "ci_high": None,
                    "users": int(wanted.sum()),
                }
            )
    return rows
