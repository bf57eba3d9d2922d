"""The command line: parses, calls, and turns errors into one sentence and an exit status."""

from collections.abc import Callable
from typing import Annotated

import typer

from flows.cli.errors import in_a_sentence
from flows.cli.forget import forget
from flows.cli.init import init
from flows.cli.options import Command, Commands
from flows.cli.refresh import refresh
from flows.cli.release import explore, prune, recommend, releases, rollback
from flows.cli.serve import serve
from flows.cli.work import alerts, backtest, run, sample, tune

HELP_COLUMNS = 110
"""Widest help: longer lines are hard to read."""

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # with it, typer imports a parser of Markdown and one of source code
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": HELP_COLUMNS},
)

COMMANDS: tuple[Callable[..., None], ...] = (
    sample,
    init,
    run,
    refresh,
    backtest,
    tune,
    releases,
    rollback,
    prune,
    forget,
    alerts,
    recommend,
    explore,
    serve,
)
"""In the order in which they are listed."""

for command in COMMANDS:
    app.command(cls=Command)(in_a_sentence(command))


def _print_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version  # imports a parser of mail

        typer.echo(f"crossfade {version('crossfade')}")
        raise typer.Exit


@app.callback()
def crossfade(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and end"
        ),
    ] = False,
) -> None:
    """Hybrid music recommendations as a data product."""


def main() -> None:
    """Run the command line (the console script `crossfade`)."""
    app()
