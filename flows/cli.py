"""The command line: parses, calls, and turns errors into one sentence and an exit status."""

import logging
import os
from collections.abc import Callable, Mapping
from functools import wraps
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, ParamSpec

import typer
from rich.console import Console
from rich.logging import RichHandler

from flows.environment import prepare, quiet_console
from flows.output import Format, print_backtest, print_outcome, print_releases, print_rows
from tasks.errors import CrossfadeError, InputError
from warehouse.home import Home

P = ParamSpec("P")

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Hybrid music recommendations as a data product.",
)

HomeOption = Annotated[
    Path | None, typer.Option("--home", help="Folder of lake and warehouse [default: data]")
]
DebugOption = Annotated[bool, typer.Option("--debug", help="Show tracebacks and every log line")]
TracksOption = Annotated[
    Path | None, typer.Option("--tracks", help="CSV of the catalogue (Kaggle schema)")
]
PlaysOption = Annotated[
    Path | None, typer.Option("--plays", help="CSV of the listening history (Kaggle schema)")
]
DatasetOption = Annotated[
    Path | None, typer.Option("--dataset", help="TOML that describes any other dataset")
]
HoldoutOption = Annotated[
    float | None, typer.Option("--holdout", help="Share of listeners kept out to measure on")
]
DaskOption = Annotated[
    str | None, typer.Option("--dask", help="Address of an existing Dask scheduler, tcp://…")
]


def main() -> None:
    """Run the command line (the console script `crossfade`)."""
    app()


def _in_a_sentence(command: Callable[P, None]) -> Callable[P, None]:
    """Show errors as one sentence and exit with their status; with --debug as a traceback."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        debug = bool(kwargs.get("debug"))
        try:
            command(*args, **kwargs)
        except typer.Exit:
            raise
        except CrossfadeError as error:
            if debug:
                raise
            _fail(str(error), error.exit_status)
        except KeyboardInterrupt:
            _fail("stopped; the current release is as it was", 130)
        except Exception as error:
            if debug:
                raise
            _fail(f"{type(error).__name__}: {error} (run again with --debug for more)", 1)

    return run


def _fail(sentence: str, status: int) -> None:
    Console(stderr=True).print(
        f"crossfade: {sentence}", markup=False, highlight=False, soft_wrap=True
    )
    raise typer.Exit(status)


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _given(**values: Any) -> dict[str, Any]:
    """Return options as flows take them: paths as text."""
    return {
        name: _text(value) if isinstance(value, Path) else value for name, value in values.items()
    }


def _make_ready(given: Mapping[str, Any], debug: bool) -> None:
    """Do what comes before Prefect is imported; a missing input is told before it starts."""
    from flows.settings import load_settings

    settings = load_settings(**given)
    settings.spec()
    prepare(settings.home)
    _log_to_terminal(debug)


def _home(home: Path | None) -> Home:
    from flows.settings import load_settings

    return Home(load_settings(home=home).home.resolve())


@app.command()
@_in_a_sentence
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
    if feedback:
        typer.echo(f"{summary.exposures:,} exposures; `cd {out}` and `crossfade run` measures them")


@app.command()
@_in_a_sentence
def run(
    tracks: TracksOption = None,
    plays: PlaysOption = None,
    dataset: DatasetOption = None,
    model: Annotated[
        str | None, typer.Option(help="learned, cosine, asymmetric_cosine, rp3beta or bm25")
    ] = None,
    holdout: HoldoutOption = None,
    dask: DaskOption = None,
    force: Annotated[
        bool, typer.Option("--force", help="Publish even what the gate refuses")
    ] = False,
    home: HomeOption = None,
    debug: DebugOption = False,
) -> None:
    """Run the pipeline: two CSVs in, a published DuckDB release out."""
    given = _given(
        tracks=tracks, plays=plays, dataset=dataset, model=model, holdout=holdout, dask=dask,
        home=home,
    )  # fmt: skip
    _make_ready(given, debug)
    from flows.pipeline import crossfade

    quiet_console(debug)
    outcome = crossfade(**given, force=force)
    print_outcome(outcome)


@app.command()
@_in_a_sentence
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
    given = _given(
        tracks=tracks, plays=plays, dataset=dataset, holdout=holdout, dask=dask, home=home
    )
    _make_ready(given, debug)
    from flows.backtest import backtest as measure

    quiet_console(debug)
    table = measure(**given, out=_text(out))
    print_backtest(table)


@app.command()
@_in_a_sentence
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
    given = _given(
        tracks=tracks, plays=plays, dataset=dataset, holdout=holdout, dask=dask, home=home
    )
    _make_ready(given, debug)
    from flows.tuning import settings_fragment
    from flows.tuning import tune as search

    quiet_console(debug)
    tuning = search(**given, out=_text(out))
    typer.echo(settings_fragment(tuning), nl=False)


@app.command()
@_in_a_sentence
def releases(home: HomeOption = None, debug: DebugOption = False) -> None:  # noqa: ARG001
    """List the releases, oldest first."""
    from warehouse.releases import list_releases

    print_releases(list_releases(_home(home)))


@app.command()
@_in_a_sentence
def rollback(
    release_id: Annotated[str | None, typer.Argument(help="Release to go back to")] = None,
    home: HomeOption = None,
    debug: DebugOption = False,  # noqa: ARG001
) -> None:
    """Make an earlier release current: the named one, else the one before the current."""
    from warehouse.releases import rollback as roll_back

    release = roll_back(_home(home), release_id)
    typer.echo(f"{release.manifest.release_id} is current")


@app.command()
@_in_a_sentence
def prune(
    keep: Annotated[int, typer.Option("--keep", min=1, help="Newest releases to keep")],
    home: HomeOption = None,
    debug: DebugOption = False,  # noqa: ARG001
) -> None:
    """Delete old releases, never the current one."""
    from warehouse.releases import prune as delete_old

    gone = delete_old(_home(home), keep)
    typer.echo(f"{len(gone)} releases deleted" + (": " + ", ".join(gone) if gone else ""))


@app.command()
@_in_a_sentence
def alerts(
    hours: Annotated[float, typer.Option(min=0, help="How far back to look")] = 24.0,
    home: HomeOption = None,
    debug: DebugOption = False,
) -> None:
    """List what fired on the Prefect server; the exit status is 1 if anything did."""
    from datetime import timedelta

    from flows.settings import load_settings

    prepare(load_settings(home=home).home)
    if "PREFECT_API_URL" not in os.environ:
        raise InputError(
            "no Prefect server is known; start one by `make ui` or set PREFECT_API_URL"
        )
    from flows.alerts import fired

    quiet_console(debug)
    seen = fired(timedelta(hours=hours))
    for alert in seen:
        typer.echo(f"{alert.at:%Y-%m-%d %H:%M:%S} UTC  {alert.name}: {alert.run}: {alert.said}")
    if seen:
        raise typer.Exit(1)


@app.command()
@_in_a_sentence
def recommend(
    user: Annotated[str | None, typer.Option("--user", help="A listener's id")] = None,
    like: Annotated[list[str] | None, typer.Option("--like", help="A liked track; repeat")] = None,
    similar_to: Annotated[str | None, typer.Option("--similar-to", help="A track's id")] = None,
    more: Annotated[list[str] | None, typer.Argument(help="More liked tracks")] = None,
    weight: Annotated[
        float | None, typer.Option(help="Collaborative share, 0 to 1 [default: learned]")
    ] = None,
    k: Annotated[int | None, typer.Option("-k", help="Rows")] = None,
    output: Annotated[Format, typer.Option("--format", help="How to print")] = Format.TABLE,
    home: HomeOption = None,
    debug: DebugOption = False,  # noqa: ARG001
) -> None:
    """Recommend from the current release."""
    from warehouse.reader import Reader

    asked = [name for name in (user, like, similar_to) if name]
    if len(asked) != 1 or (more and not like):
        raise InputError(
            "give exactly one of --user ID, --like TRACK_ID … and --similar-to TRACK_ID"
        )
    call, subject = "recommend_user", user or similar_to or ""
    argument: str | list[str] = subject
    if like:
        call, argument = "recommend_tracks", [*like, *(more or [])]
    elif similar_to:
        call = "similar_to"
    with Reader(_home(home).current) as reader:
        table = reader.query(f"FROM {call}(?, k := ?, weight := ?)", [argument, k, weight])
    print_rows(table, output)


@app.command()
@_in_a_sentence
def explore(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to serve on")] = 8501,
    host: Annotated[str, typer.Option(help="Address to serve on")] = "127.0.0.1",
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open a browser window")
    ] = False,
    home: HomeOption = None,
    debug: DebugOption = False,  # noqa: ARG001
) -> None:
    """Look at the current release in a browser."""
    if find_spec("streamlit") is None:
        raise InputError(
            "the explorer needs streamlit, which is not installed; add it with "
            "`pip install 'crossfade[explorer]'`"
        )
    from warehouse.explorer.launch import launch

    launch(_home(home), port, host, browser)


def _log_to_terminal(debug: bool) -> None:
    """Show our own log lines; with --debug everybody's."""
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


if __name__ == "__main__":
    main()
