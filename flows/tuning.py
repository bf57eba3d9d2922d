"""The flow of tuning: parameters of the learned neighbours chosen for a dataset."""

import csv
import io
import json
import logging
from pathlib import Path
from typing import Annotated, cast

from distributed import Client
from prefect import flow
from pydantic import Field

from flows import steps
from flows.artifacts.page import show
from flows.artifacts.tuning import tuning_markdown
from flows.cluster import Cluster
from flows.interrupts import on_stop
from flows.lines import plays_in_short
from flows.parameters import DaskAddress, DatasetFile, HomeFolder, Plays, Tracks
from flows.runs import concluded, rename, starting_name, working_in
from flows.settings import Settings, load_settings, worker_memory
from tasks.lake.plays import played_tracks
from tasks.tuning.folds import METRICS
from tasks.tuning.search import GRID, Point, Tuning
from tasks.tuning.stage import tune_neighbours
from warehouse.releases.home import Home

FRAGMENT, CURVE = "tuned.toml", "tuning_curve.csv"

logger = logging.getLogger("crossfade")


@flow(
    name="crossfade-tune",
    flow_run_name=starting_name,
    validate_parameters=True,
    persist_result=False,
)
def tune(
    tracks: Tracks = None,
    plays: Plays = None,
    dataset: DatasetFile = None,
    holdout: Annotated[float | None, Field(description="Share of listeners left alone")] = None,
    dask: DaskAddress = None,
    home: HomeFolder = None,
    out: Annotated[str | None, Field(description="Folder for both files")] = None,
) -> Tuning:
    """Search on listeners that no run or backtest reports on; write both files to ``out``.

    A parameter that is not given is taken from the environment, then from crossfade.toml.
    """
    return concluded(
        lambda: _chosen(
            load_settings(
                tracks=tracks, plays=plays, dataset=dataset, holdout=holdout, dask=dask, home=home
            ),
            None if out is None else Path(out),
        )
    )


def _chosen(settings: Settings, out: Path | None) -> tuple[Tuning, str]:
    home, spec = Home(settings.home.resolve()), settings.spec()
    start = settings.collaborative.model_copy(update={"model": "learned"})
    cluster = Cluster(
        settings.dask, settings.workers, worker_memory(settings.workers), settings.dask_tls
    )
    alone = working_in(home, "tune", settings.wait_seconds)
    with alone, cluster, on_stop(cluster.abort):
        ingested = steps.ingest(home.lake, spec, settings.ingest, settings.memory_limit)
        rename(plays_in_short(ingested))
        tuning = tune_neighbours(
            cast(Client, cluster),
            ingested["interactions"],
            played_tracks(ingested),
            steps.holdout(home, spec.name, ingested, settings.evaluation),
            start,
            settings.tune,
            _log_point,
        )
    fragment = settings_fragment(tuning)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / FRAGMENT).write_text(fragment)
        (out / CURVE).write_text(curve_csv(tuning))
    show("tuning", tuning_markdown(tuning, start, fragment), "Parameters chosen for this dataset")
    return tuning, f"{len(tuning.curve)} settings measured on {spec.name}; nothing was published"


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


def _log_point(point: Point) -> None:
    dials = point.parameters.model_dump(include=set(GRID))
    values = ", ".join(f"{name} {value:.4f}" for name, value in point.values.items())
    logger.info("tune: %s: %s", values, " ".join(f"{n}={v:g}" for n, v in dials.items()))
