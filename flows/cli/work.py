"""Commands that generate a sample, run a Prefect flow or query its server."""

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.options import (
    DaskOption,
    DatasetOption,
    DebugOption,
    HoldoutOption,
    HomeOption,
    ModelOption,
    PlaysOption,
    ReasonOption,
    TracksOption,
    TuneSecondsOption,
    as_text,
    model_names,
    reason_for,
)
from warehouse.errors import InputError

if TYPE_CHECKING:
    from flows.cli.display import Display
    from flows.settings import Settings

LOOKING = "looking at the settings and the input"

STEPS = ("flows.steps",)
"""Modules that flows take longest to import."""

SHOWN_FILES = 3
"""Names of input files in the first line of a command."""


def sample(
    out: Annotated[Path, typer.Option("--out", help="Folder for the two CSV files")],
    preset: Annotated[str, typer.Option(help="small or kaggle")] = "small",
    scale: Annotated[float, typer.Option(help="Multiplies listeners and plays")] = 1.0,
    catalogue: Annotated[float, typer.Option(help="Multiplies tracks")] = 1.0,
    seed: Annotated[int, typer.Option(help="Another seed, another world")] = 0,
    feedback: Annotated[
        bool,
        typer.Option("--feedback", help="Simulate an experiment too, and write crossfade.toml"),
    ] = False,
    recency: Annotated[
        float | None,
        typer.Option(
            help="Add times: how far plays follow their time, 0 (not at all) to 1; and dataset.toml"
        ),
    ] = None,
    home: HomeOption = None,  # noqa: ARG001 - goes with every command
    debug: DebugOption = False,  # noqa: ARG001
) -> None:
    """Generate synthetic CSVs in the real schema."""
    from pydantic import ValidationError

    from tasks.sample import SampleParameters, generate_sample

    try:
        parameters = SampleParameters.model_validate(
            {
                "preset": preset,
                "scale": scale,
                "catalogue": catalogue,
                "seed": seed,
                "feedback": feedback,
                "recency": recency,
            }
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(f"--{first['loc'][0]}: {first['msg']}, got {first['input']!r}") from None
    summary = generate_sample(out, parameters)
    unplayed = f" ({summary.unplayed_tracks:,} unplayed)" if summary.unplayed_tracks else ""
    typer.echo(
        f"{summary.tracks:,} tracks{unplayed}, {summary.users:,} listeners, "
        f"{summary.plays:,} plays in {out}"
    )
    if summary.dataset_path:
        typer.echo(f"`crossfade run --dataset {summary.dataset_path}` reads the times")
    if feedback:
        typer.echo(f"{summary.exposures:,} exposures; `cd {out}` and `crossfade run` measures them")


def run(
    tracks: TracksOption = None,
    plays: PlaysOption = None,
    dataset: DatasetOption = None,
    model: ModelOption = None,
    holdout: HoldoutOption = None,
    dask: DaskOption = None,
    force: Annotated[
        bool,
        typer.Option("--force", help="Publish what the gate refuses, or what was rolled back"),
    ] = False,
    reason: ReasonOption = None,
    choose_again: Annotated[
        bool,
        typer.Option("--choose-again", help="Choose the parameters of the model `auto` again"),
    ] = False,
    tune_seconds: TuneSecondsOption = None,
    home: HomeOption = None,
    debug: DebugOption = False,
) -> None:
    """Run the pipeline: two CSVs in, a published DuckDB release out."""
    from flows.cli.display import RUN_STAGES, at_work

    because = reason_for(force, reason)
    with at_work(LOOKING, RUN_STAGES, debug) as display:
        given, settings = looked_at(
            "run", debug, tracks=tracks, plays=plays, dataset=dataset, model=model,
            holdout=holdout, dask=dask, home=home, tune_seconds=tune_seconds,
        )  # fmt: skip
        given |= {"force": force, "reason": because, "choose_again": choose_again}
        from flows.unchanged import run_unchanged

        outcome = None if choose_again else run_unchanged(settings, given, force)
        if outcome is None:
            with flow_runs(display, settings, debug):
                from flows.pipeline import crossfade

                outcome = crossfade(**given)
    from flows.cli.output import print_outcome

    print_outcome(outcome, settings.home, force)


def backtest(
    tracks: TracksOption = None,
    plays: PlaysOption = None,
    dataset: DatasetOption = None,
    holdout: HoldoutOption = None,
    dask: DaskOption = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for backtest.csv and backtest.json")
    ] = None,
    home: HomeOption = None,
    debug: DebugOption = False,
) -> None:
    """Measure every model and blend on a dataset; nothing is published."""
    from flows.cli.display import at_work

    plan = ("ingest", "content", *model_names(), "cold tracks")
    with at_work(LOOKING, plan, debug) as display:
        given, settings = looked_at(
            "backtest", debug, tracks=tracks, plays=plays, dataset=dataset, holdout=holdout,
            dask=dask, home=home,
        )  # fmt: skip
        with flow_runs(display, settings, debug):
            from flows.backtest import backtest as measure

            table = measure(**given, **as_text(out=out))
    from flows.cli.console import messages, say
    from flows.cli.output import print_backtest

    print_backtest(table)
    if out is not None:
        say(messages(), f"All metrics and segments are in {out / 'backtest.csv'} and .json.")


def tune(
    tracks: TracksOption = None,
    plays: PlaysOption = None,
    dataset: DatasetOption = None,
    holdout: Annotated[
        float | None, typer.Option(help="Share of listeners left to runs to measure on")
    ] = None,
    dask: DaskOption = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for tuned.toml and tuning_curve.csv")
    ] = None,
    tune_seconds: TuneSecondsOption = None,
    home: HomeOption = None,
    debug: DebugOption = False,
) -> None:
    """Choose the learned model's parameters for a dataset; prints them for crossfade.toml."""
    from flows.cli.display import at_work

    plan = ("ingest", "holdout", "choice", "search", "comparison")
    with at_work(LOOKING, plan, debug) as display:
        given, settings = looked_at(
            "tune", debug, tracks=tracks, plays=plays, dataset=dataset, holdout=holdout,
            dask=dask, home=home, tune_seconds=tune_seconds,
        )  # fmt: skip
        with flow_runs(display, settings, debug):
            from flows.tuning import advice, settings_fragment
            from flows.tuning import tune as search

            tuning = search(**given, **as_text(out=out))
    from flows.cli.console import messages, say

    typer.echo(settings_fragment(tuning), nl=False)
    say(messages(), advice(tuning, settings.collaborative, out))


def alerts(
    hours: Annotated[float, typer.Option(min=0, help="How far back to look")] = 24.0,
    home: HomeOption = None,
    debug: DebugOption = False,
) -> None:
    """List the alerts that fired on the Prefect server; the exit status is 1 if there are any."""
    from datetime import timedelta

    from flows.environment import prepare_for_server, quiet_console
    from flows.settings import load_settings

    settings = load_settings(home=home)
    prepare_for_server(settings.home, settings.shared)
    from flows.alerts import fired

    quiet_console(debug)
    seen = fired(timedelta(hours=hours))
    for alert in seen:
        typer.echo(f"{alert.at:%Y-%m-%d %H:%M:%S} UTC  {alert.name}: {alert.run}: {alert.said}")
    if seen:
        raise typer.Exit(1)


def looked_at(doing: str, debug: bool, **options: Any) -> tuple[dict[str, Any], "Settings"]:
    """Return the options as flows take them, and the settings; log what is worked on.

    An input that is missing or is no data is reported before anything starts. What a killed run
    left in the home is gone then.
    """
    from flows.settings import load_settings
    from tasks.ingest.inputs import find_inputs, with_derived_catalogue

    given = as_text(**options)
    settings = load_settings(**given)
    spec = settings.spec()
    inputs = find_inputs(with_derived_catalogue(spec))
    files = {file.path: file.name for file in (*inputs.tracks, *inputs.plays)}
    logging.getLogger("crossfade").info(
        "%s: %s (%.1f MB)%s, home %s",
        doing,
        _listed(list(files.values())),
        sum(path.stat().st_size for path in files) / 1e6,
        "" if Path(spec.name).is_absolute() else f" of {spec.name}",  # a path is the catalogue's
        settings.home,
    )
    from flows.run_records import clear_dead
    from warehouse.releases.home import Home

    clear_dead(Home(settings.home.resolve()))
    os.environ.setdefault("PREFECT_LOGGING_LEVEL", "DEBUG" if debug else "INFO")
    return given, settings


def _listed(names: Sequence[str]) -> str:
    """Return names of files in a line: the first ones, and how many more there are."""
    more = len(names) - SHOWN_FILES
    return ", ".join(names[:SHOWN_FILES]) + (f" and {more:,} more files" if more > 0 else "")


@contextmanager
def flow_runs(display: "Display", settings: "Settings", debug: bool) -> Iterator[None]:
    """Prepare the process for a flow, and show its stages.

    The flow runs are tagged: as those of a terminal, and with this process, so that they can be
    ended should it be killed.
    """
    display.doing("starting Prefect and Dask")
    _made_ready(settings)
    from prefect import tags

    from flows.environment import quiet_console
    from flows.lines import TERMINAL
    from flows.progress import observed_by
    from flows.run_records import tag

    quiet_console(debug)
    with tags(TERMINAL, tag()), observed_by(display):
        yield


def _made_ready(settings: "Settings") -> None:
    """Prepare the process for a flow, before Prefect is imported."""
    from flows.environment import prepare
    from flows.run_records import claim, mark_children
    from warehouse.releases.home import Home

    mark_children()  # the server that is started for this command is one
    prepare(settings.home, settings.shared, needed=STEPS)
    claim(Home(settings.home.resolve()))
