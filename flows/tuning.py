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
from flows.cluster import cluster_of
from flows.interrupts import on_stop
from flows.lines import plays_in_short
from flows.parameters import (
    DaskAddress,
    DatasetFile,
    HomeFolder,
    Plays,
    Tracks,
    TuneSeconds,
)
from flows.progress import under_way
from flows.runs import concluded, rename, starting_name, working_in
from flows.settings import SETTINGS_FILE, Settings, load_settings
from tasks.choice.stage import choice_stage, chosen_parameters
from tasks.collaborative.parameters import AUTO, CHOSEN, CollaborativeParameters
from tasks.lake.blocks import Progress
from tasks.lake.plays import played_tracks
from tasks.refresh.base import current_part
from tasks.tuning.folds import METRICS
from tasks.tuning.search import GRID, Point, Tuning
from tasks.tuning.stage import judged, tune_neighbours
from warehouse.releases.home import Home

LONG_SECONDS = 3_600.0
"""What the joint search may take where nothing is said."""

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
    tune_seconds: TuneSeconds = None,
) -> Tuning:
    """Search on listeners that no run or backtest reports on; write both files to ``out``.

    A parameter that is not given is taken from the environment, then from crossfade.toml.
    """
    return concluded(
        lambda: _chosen(
            load_settings(
                tracks=tracks,
                plays=plays,
                dataset=dataset,
                holdout=holdout,
                dask=dask,
                home=home,
                tune_seconds=tune_seconds,
            ),
            None if out is None else Path(out),
        )
    )


def _chosen(settings: Settings, out: Path | None) -> tuple[Tuning, str]:
    home, spec = Home(settings.home.resolve()), settings.spec()
    seconds = LONG_SECONDS if settings.tune_seconds is None else settings.tune_seconds
    parameters = settings.tune.model_copy(update={"seconds": seconds})
    cluster = cluster_of(settings)
    alone = working_in(home, "tune", settings.wait_seconds)
    with alone, cluster, on_stop(cluster.abort):
        ingested = steps.ingest(home.lake, spec, settings.ingest, settings.memory_limit)
        rename(plays_in_short(ingested))
        held_out = steps.holdout(home, spec.name, ingested, settings.evaluation)
        used = in_use(home, spec.name, settings.collaborative)
        with under_way("choice") as progress:
            found = steps.log_counts(
                choice_stage(
                    home.lake, cast(Client, cluster), ingested, held_out, settings.collaborative,
                    parameters, progress=progress, is_long=True,
                )
            )  # fmt: skip
        start = chosen_parameters(found, settings.collaborative)
        with under_way("search") as progress:
            lines = _Lines(progress)
            tuning = tune_neighbours(
                cast(Client, cluster),
                ingested["interactions"],
                played_tracks(ingested),
                held_out,
                start,
                parameters,
                lines.point,
                lines.turned,
            )
        with under_way("comparison"):
            tuning = judged(tuning, used, ingested, held_out, parameters)
    rename(plays_in_short(ingested), f"{len(tuning.curve)} settings")
    fragment = settings_fragment(tuning)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / FRAGMENT).write_text(fragment)
        (out / CURVE).write_text(curve_csv(tuning))
    show("tuning", tuning_markdown(tuning, start, fragment), "Parameters chosen for this dataset")
    return tuning, f"{len(tuning.curve)} settings measured on {spec.name}; nothing was published"


def in_use(
    home: Home, dataset: str, collaborative: CollaborativeParameters
) -> CollaborativeParameters:
    """Return the parameters that a run uses now: what the current release has chosen, if any."""
    if collaborative.model != AUTO:
        return collaborative.model_copy(update={"model": CHOSEN})
    chosen = current_part(home, dataset, "choice")
    return collaborative.concrete if chosen is None else chosen_parameters(chosen, collaborative)


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


def advice(tuning: Tuning, used: CollaborativeParameters, out: Path | None) -> str:
    """Return what came out and what to do with it, in words; ``used`` is what a run uses now."""
    tried = f"{len(tuning.curve)} settings tried on {tuning.listeners:,} listeners"
    if tuning.gain:
        tried += f"; gain over those in use, ± a standard error: {tuning.gain}"
    if tuning.chosen == used:
        return f"{tried}: those in use are the best. Nothing needs to be changed."
    values = {point.parameters: point.values for point in tuning.curve}
    before, after = tuning.curve[0].values, values[tuning.chosen]
    gains = ", ".join(f"{name} {before[name]:.4f} to {after[name]:.4f}" for name in METRICS)
    where = f"{out / FRAGMENT} has it too. " if out is not None else ""
    return (
        f"{tried}: {gains}. Next: put the table above into {SETTINGS_FILE}, in place of a table "
        f"[collaborative] that is there. {where}The next `crossfade run` uses it, and the gate "
        "compares it with the current release."
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


class _Lines:
    """Logs every setting, with how far the search is."""

    def __init__(self, progress: Progress) -> None:
        self._progress, self._settings, self._step = progress, 0, ""

    def turned(self, done: int, of: int) -> None:
        """Take how many dials of how many were turned."""
        self._progress(done, of)
        self._step = f"step {min(done + 1, of)} of at most {of}"

    def point(self, point: Point) -> None:
        """Log a setting: what it measured, and its dials."""
        self._settings += 1
        at = f"setting {self._settings}" + (f", {self._step}" if self._step else "")
        dials = point.parameters.model_dump(include=set(GRID))
        values = ", ".join(f"{name} {value:.4f}" for name, value in point.values.items())
        shown = " ".join(f"{name}={value:g}" for name, value in dials.items())
        logger.info("tune: %s: %s: %s", at, values, shown)
