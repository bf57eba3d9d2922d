"""Errors as one sentence and an exit status."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import typer
from rich.console import Console

from warehouse.errors import CrossfadeError

P = ParamSpec("P")


def in_a_sentence(command: Callable[P, None]) -> Callable[P, None]:
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
