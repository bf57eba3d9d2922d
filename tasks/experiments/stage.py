"""The experiments stage: results by experiment, click rates by track, examination by rank."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.blend.parameters import Segment
from tasks.dataset.experiments import Experiment, naive
from tasks.experiments.first_seen import first_seen, with_new
from tasks.experiments.parameters import ExperimentParameters
from tasks.experiments.positions import Cells, corrected_click_rates, examination
from tasks.experiments.reach import Reach
from tasks.experiments.results import ALL, Measured, Reading, results
from tasks.experiments.sums import cells_of, open_feedback, reach, seen_of
from tasks.experiments.weights import measured_weights
from tasks.feedback.stage import Feedback
from tasks.ingest.checks import quality_table, run_checks
from tasks.ingest.limits import IngestLimits
from tasks.ingest.stage import database_config
from tasks.lake.code import code_digest
from tasks.lake.contracts.quality import REJECTED_ROWS
from tasks.lake.contracts.stages.experiments import (
    CLICK_RATES,
    EXPERIMENT_RESULTS,
    MEASURED_WEIGHTS,
    POSITION_BIAS,
    STAGE,
)
from tasks.lake.dataset import Dataset
from tasks.lake.files import write_parquet
from tasks.lake.record import Stage, StageResult

CHECKS = Path(__file__).parent / "checks"


def experiments_stage(
    lake: Path,
    feedback: Feedback,
    users: Dataset,
    experiments: Sequence[Experiment],
    segments: Sequence[Segment],
    parameters: ExperimentParameters,
    limits: IngestLimits,
    memory_limit: str,
) -> StageResult:
    """Measure all experiments on the feedback that was read.

    Datasets: those of warehouse.build.writer.MEASURED, `data_quality`, and `rejected_rows` of all
    feedback files.
    """
    started = time.perf_counter()
    # The histories of listeners seen earlier are no part of the key: they never change, and every
    # result in the lake that saw a listener holds the same.
    stage = Stage(
        lake,
        STAGE,
        inputs=[result["rows"].digest for result in feedback.results] + [users.digest],
        rejected=[dataset.digest for dataset in feedback.rejected],
        broken=feedback.broken,
        experiments=[experiment.model_dump(mode="json") for experiment in experiments],
        segments=[segment.model_dump() for segment in segments],
        parameters=parameters,
        limits=limits.unmatched_share,
        forgotten=feedback.forgotten,
        code=code_digest(__name__),
    )
    if result := stage.finished():
        return result
    known = first_seen(lake)
    with duckdb.connect(config=database_config(memory_limit, stage.scratch)) as con:
        open_feedback(
            con,
            [result["rows"].path for result in feedback.exposures],
            [result["rows"].path for result in feedback.events],
            users.path,
            [segment.min_tracks for segment in segments],
            known,
        )
        measured = _measured(con, feedback, experiments, segments, parameters, known)
        tables = {
            **measured,
            "data_quality": _quality(con, feedback, experiments, limits),
            "rejected_rows": pa.concat_tables(
                [dataset.read() for dataset in feedback.rejected]
                or [REJECTED_ROWS.schema.empty_table()]
            ).sort_by([("file", "ascending"), ("record", "ascending")]),
        }
    paths = {name: stage.folder / f"{name}.parquet" for name in tables}
    for name, table in tables.items():
        write_parquet(table, paths[name])
    counts: dict[str, int | float | str] = {
        "files": len(feedback.results),
        "files_read": feedback.files_read,
        "exposures": feedback.total("records", "exposures"),
        "events": feedback.total("records", "events"),
        "rejected": tables["rejected_rows"].num_rows,
        "results": tables["experiment_results"].num_rows,
    }
    return stage.finish(time.perf_counter() - started, counts, **paths)


def _measured(
    con: duckdb.DuckDBPyConnection,
    feedback: Feedback,
    experiments: Sequence[Experiment],
    segments: Sequence[Segment],
    parameters: ExperimentParameters,
    known: pa.Table,
) -> dict[str, pa.Table]:
    """Return the tables that become relations of the release, and ``known`` with new listeners."""
    until = reach(con)
    rows: list[dict[str, Any]] = []
    weights: list[dict[str, Any]] = []
    for experiment in experiments:
        if until is None or until.as_of < naive(experiment.start):
            continue
        of_it, seen = _results(con, feedback, experiment, segments, until, parameters)
        known = with_new(known, seen)
        rows += [one.row for one in of_it]
        offline = {segment.segment: segment.weight for segment in segments}
        weights += measured_weights(experiment, of_it, offline, parameters.goal, parameters.alpha)
    return {
        "experiment_results": pa.Table.from_pylist(rows, EXPERIMENT_RESULTS.schema),
        "measured_weights": pa.Table.from_pylist(weights, MEASURED_WEIGHTS.schema),
        "first_seen": known,
        **_learned_from_clicks(con, [segment.segment for segment in segments], parameters),
    }


def _results(
    con: duckdb.DuckDBPyConnection,
    feedback: Feedback,
    experiment: Experiment,
    segments: Sequence[Segment],
    until: Reach,
    parameters: ExperimentParameters,
) -> tuple[list[Measured], pa.Table]:
    """Measure one experiment; also return its listeners as `FIRST_SEEN`."""
    seen = seen_of(con, experiment, until, parameters.days_before)
    remarks = []
    if feedback.broken:
        remarks.append(f"without {', '.join(sorted(feedback.broken))}, which could not be read")
    if seen.crossed:
        remarks.append(f"{seen.crossed:,} listeners who saw two variants are left out")
    names = [segment.segment for segment in segments]
    reading = Reading(
        experiment, seen.listeners, seen.activity, names, until, parameters, tuple(remarks)
    )
    return results(reading), seen.first_seen


def _learned_from_clicks(
    con: duckdb.DuckDBPyConnection, segments: Sequence[str], parameters: ExperimentParameters
) -> dict[str, pa.Table]:
    """Return the position curve, and the corrected click rate of every track and segment."""
    cells, segment, track_ids = cells_of(con)
    if not len(cells.track):
        return {
            "click_rates": CLICK_RATES.schema.empty_table(),
            "position_bias": POSITION_BIAS.schema.empty_table(),
        }
    theta = examination(cells)
    ranks = len(theta)
    exposures, clicks = (
        np.bincount(cells.rank, values, ranks).astype(np.int64)
        for values in (cells.exposures, cells.clicks)
    )
    shown = exposures > 0
    curve: list[NDArray[Any]] = [np.arange(1, ranks + 1, dtype=np.int32), exposures, clicks, theta]
    rates = [
        _rates(cells, chosen, name, theta, track_ids, parameters.fewest_exposures)
        for name, chosen in (
            (ALL, np.ones(len(segment), np.bool_)),
            *((name, segment == position) for position, name in enumerate(segments)),
        )
    ]
    return {
        "click_rates": pa.concat_tables(rates),
        "position_bias": pa.table([column[shown] for column in curve], schema=POSITION_BIAS.schema),
    }


def _rates(
    cells: Cells,
    chosen: NDArray[np.bool_],
    segment: str,
    theta: NDArray[np.float64],
    track_ids: pa.ChunkedArray,
    fewest_exposures: int,
) -> pa.Table:
    """Return the click rates of one segment."""
    here = Cells(
        cells.track[chosen], cells.rank[chosen], cells.exposures[chosen], cells.clicks[chosen]
    )
    tracks = len(track_ids)
    rate = corrected_click_rates(here, theta, tracks)
    exposures, clicks = (
        np.bincount(here.track, values, tracks) for values in (here.exposures, here.clicks)
    )
    shown = np.flatnonzero((exposures >= fewest_exposures) & ~np.isnan(rate))
    columns = [
        pa.array([segment] * len(shown), pa.string()),
        track_ids.take(pa.array(shown)),
        exposures[shown].astype(np.int64),
        clicks[shown].astype(np.int64),
        rate[shown],
    ]
    return pa.table(columns, schema=CLICK_RATES.schema)


def _quality(
    con: duckdb.DuckDBPyConnection,
    feedback: Feedback,
    experiments: Sequence[Experiment],
    limits: IngestLimits,
) -> pa.Table:
    """Run the checks of the feedback; none of them stops a run."""
    files = sorted(feedback.broken.items())
    con.register(
        "broken_files",
        pa.table(
            [pa.array([part[side] for part in files], pa.string()) for side in (0, 1)],
            names=["file", "reason"],
        ),
    )
    pairs = [(one.name, variant.name) for one in experiments for variant in one.variants]
    con.register(
        "configured",
        pa.table(
            [pa.array([pair[side] for pair in pairs], pa.string()) for side in (0, 1)],
            names=["experiment", "variant"],
        ),
    )
    forgotten = feedback.forgotten
    con.register("forgotten_feedback", pa.table({"rows": pa.array([forgotten or 0], pa.int64())}))
    events = feedback.total("records", "events")
    counts = {"events": events, "records": events + feedback.total("records", "exposures")}
    facts = frozenset({"forgetting"} if forgotten is not None else ())
    return quality_table(run_checks(con, counts, limits, facts, CHECKS))
