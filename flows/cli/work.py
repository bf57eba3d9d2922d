"""Commands that generate a sample, run a Prefect flow or query its server."""

import logging
import os
from collections.abc import Iterator
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
    as_text,
    reason_for,
)
from warehouse.errors import InputError

if TYPE_CHECKING:
    from flows.settings import Settings


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
    typer.echo(
        f"{summary.tracks:,} tracks ({summary.unplayed_tracks:,} unplayed), "
        f"{summary.users:,} listeners, {summary.plays:,} plays in {out}"
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
        bool, typer.Option("--force", help="Publish even what the gate refuses")
    ] = False,
    reason: ReasonOption = None,
    home: HomeOption = None,
    debug: DebugOption = False,
) -> None:
    """Run the pipeline: two CSVs in, a published DuckDB release out."""
    because = reason_for(force, reason)
    given, settings = _looked_at(
        debug, tracks=tracks, plays=plays, dataset=dataset, model=model, holdout=holdout,
        dask=dask, home=home,
    )  # fmt: skip
    given |= {"force": force, "reason": because}
    from flows.cli.output import print_outcome
    from flows.unchanged import run_unchanged

    outcome = run_unchanged(settings, given, force)
    if outcome is None:
        _made_ready(settings)
        from flows.environment import quiet_console
        from flows.pipeline import crossfade

        quiet_console(debug)
        with _tagged():
            outcome = crossfade(**given)
    print_outcome(outcome)


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
    given, settings = _looked_at(
        debug, tracks=tracks, plays=plays, dataset=dataset, holdout=holdout, dask=dask, home=home
    )
    _made_ready(settings)
    from flows.backtest import backtest as measure
    from flows.cli.output import print_backtest
    from flows.environment import quiet_console

    quiet_console(debug)
    with _tagged():
        table = measure(**given, **as_text(out=out))
    print_backtest(table)


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
    home: HomeOption = None,
    debug: DebugOption = False,
) -> None:
    """Choose the learned model's parameters for a dataset; prints them for crossfade.toml."""
    given, settings = _looked_at(
        debug, tracks=tracks, plays=plays, dataset=dataset, holdout=holdout, dask=dask, home=home
    )
    _made_ready(settings)
    from flows.environment import quiet_console
    from flows.tuning import settings_fragment
    from flows.tuning import tune as search

    quiet_console(debug)
    with _tagged():
        tuning = search(**given, **as_text(out=out))
    typer.echo(settings_fragment(tuning), nl=False)


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


def _looked_at(debug: bool, **options: Any) -> tuple[dict[str, Any], "Settings"]:
    """Return the options as flows take them, and the settings.

    An input that is missing or is no data is reported before anything starts. What a killed run
    left in the home is gone then.
    """
    from flows.run_records import clear_dead
    from flows.settings import load_settings
    from tasks.ingest.inputs import find_inputs, with_derived_catalogue
    from warehouse.releases.home import Home

    given = as_text(**options)
    settings = load_settings(**given)
    find_inputs(with_derived_catalogue(settings.spec()))
    clear_dead(Home(settings.home.resolve()))
    log_to_terminal(debug)
    return given, settings


def _made_ready(settings: "Settings") -> None:
    """Prepare the process for a flow, before Prefect is imported."""
    from flows.environment import prepare
    from flows.run_records import claim, mark_children
    from warehouse.releases.home import Home

    mark_children()  # the server that is started for this command is one
    prepare(settings.home, settings.shared)
    claim(Home(settings.home.resolve()))


@contextmanager
def _tagged() -> Iterator[None]:
    """Tag flow runs with this process, so that they can be ended should it be killed."""
    from prefect import tags

    from flows.run_records import tag

    with tags(tag()):
        yield


def log_to_terminal(debug: bool) -> None:
    """Show our own log lines; with --debug those of all libraries."""
    from rich.console import Console
    from rich.logging import RichHandler

    handler = RichHandler(
        console=Console(stderr=True),
        show_path=False,
        show_level=debug,
        markup=False,
        highlighter=None,
    )
    handler.setFormatter(logging.Formatter("%(message)s", datefmt="[%X]"))
    logger = logging.getLogger("crossfade")
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    os.environ.setdefault("PREFECT_LOGGING_LEVEL", "DEBUG" if debug else "INFO")
