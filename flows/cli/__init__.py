"""The command line: parses, calls, and turns errors into one sentence and an exit status."""

from collections.abc import Callable
from inspect import signature

import typer

from flows.cli.errors import in_a_sentence
from flows.cli.forget import forget
from flows.cli.init import init
from flows.cli.options import CommandWithModels
from flows.cli.release import explore, prune, recommend, releases, rollback
from flows.cli.serve import serve
from flows.cli.work import alerts, backtest, run, sample, tune

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Hybrid music recommendations as a data product.",
)

COMMANDS: tuple[Callable[..., None], ...] = (
    sample,
    init,
    run,
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
    with_models = CommandWithModels if "model" in signature(command).parameters else None
    app.command(cls=with_models)(in_a_sentence(command))


def main() -> None:
    """Run the command line (the console script `crossfade`)."""
    app()
