"""The flow of tuning: parameters of the learned neighbours chosen for a dataset."""

import csv
import io
import json
import logging
from pathlib import Path
from typing import cast

from distributed import Client
from prefect import flow

from flows.cluster import Cluster
from flows.settings import Settings, worker_memory
from tasks import steps
from tasks.neighbours.folds import METRICS
from tasks.neighbours.tune import GRID, Point, Tuning
from tasks.stages.tuning import tune_neighbours
from warehouse.home import Home

FRAGMENT, CURVE = "tuned.toml", "tuning_curve.csv"

logger = logging.getLogger("crossfade")


@flow(name="crossfade-tune", validate_parameters=False, persist_result=False)
def tune(settings: Settings, out: Path | None) -> Tuning:
    """Search on listeners that runs and backtests do not report on; write both files to ``out``."""
    home, spec = Home(settings.home.resolve()), settings.spec()
    cluster = Cluster(settings.dask, settings.workers, worker_memory(settings.workers))
    with home.locked("run", "tune"), cluster:
        ingested = steps.ingest(home.lake, spec, settings.ingest, settings.memory_limit)
        tuning = tune_neighbours(
            cast(Client, cluster),
            ingested["interactions"],
            int(ingested.counts["tracks"]) - int(ingested.counts["unplayed_tracks"]),
            steps.holdout(home.lake, ingested, settings.evaluation),
            settings.collaborative.model_copy(update={"model": "learned"}),
            settings.tune,
            _told,
        )
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / FRAGMENT).write_text(settings_fragment(tuning))
        (out / CURVE).write_text(curve_csv(tuning))
    return tuning


def settings_fragment(tuning: Tuning) -> str:
    """Return what was chosen as a table of crossfade.toml."""
    reported = ", ".join(f"{name} {value:.4f}" for name, value in tuning.reported.items())
    report = f"# cross-fitted on them: {reported}." if reported else "# not cross-fitted."
    chosen = tuning.chosen.model_dump(include={"model", *GRID})
    return "\n".join(
        [
            f"# Chosen by `crossfade tune` on {tuning.listeners:,} listeners;",
            report,
            "[collaborative]",
            *(f"{name} = {json.dumps(value)}" for name, value in chosen.items()),
            "",
        ]
    )


def curve_csv(tuning: Tuning) -> str:
    """Return every setting that was tried, in order, with what it measured, as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*GRID, *METRICS, "chosen"])
    for point in tuning.curve:
        dials = point.parameters.model_dump(include=set(GRID))
        values = (f"{point.values[metric]:.6f}" for metric in METRICS)
        is_chosen = point.parameters == tuning.chosen
        writer.writerow([*(dials[dial] for dial in GRID), *values, is_chosen])
    return text.getvalue()


def _told(point: Point) -> None:
    dials = point.parameters.model_dump(include=set(GRID))
    values = ", ".join(f"{name} {value:.4f}" for name, value in point.values.items())
    logger.info("tune: %s: %s", values, " ".join(f"{n}={v:g}" for n, v in dials.items()))
