"""Errors as one sentence and an exit status."""

import os
import select
import signal
import sys
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import typer

from flows import interrupts
from warehouse.errors import CrossfadeError

P = ParamSpec("P")

LONGEST = 2_000
"""Characters of a message that are shown: a file may have a column name of any length."""


def in_a_sentence(command: Callable[P, None]) -> Callable[P, None]:
    """Show errors as one sentence and exit with their status; with --debug as a traceback.

    SIGINT, SIGTERM and SIGHUP end a command with 128 + their number (130, 143, 129).
    """

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        with interrupts.watching():
            try:
                _run(command, bool(kwargs.get("debug")), *args, **kwargs)
            except BaseException:
                if number := interrupts.requested():
                    interrupts.say_last(f"crossfade: {interrupts.sentence()}")
                    raise typer.Exit(128 + number) from None
                raise

    return run


def _run(command: Callable[P, None], debug: bool, /, *args: P.args, **kwargs: P.kwargs) -> None:
    try:
        command(*args, **kwargs)
    except Exception as error:
        if debug or isinstance(error, typer.Exit) or interrupts.requested():
            raise
        if isinstance(error, BrokenPipeError) and _nobody_reads():  # `| head` has what it wants
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(128 + signal.SIGPIPE) from None
        if isinstance(error, CrossfadeError):
            _fail(str(error), error.exit_status)
        _fail(f"{type(error).__name__}: {error} (run again with --debug for more)", 1)


def _nobody_reads() -> bool:
    """Tell whether what standard output goes to is closed at its other end."""
    poll = select.poll()
    poll.register(sys.stdout, 0)
    return any(event & select.POLLERR for _, event in poll.poll(0))


def one_line(text: str) -> str:
    """Return a message on one line, as long as a screen at most, without control characters."""
    shown = "".join(mark if mark.isprintable() else " " for mark in text)
    words = " ".join(shown.split())
    return words if len(words) <= LONGEST else f"{words[:LONGEST]} …"


def _fail(sentence: str, status: int) -> None:
    from flows.cli.console import messages, say

    say(messages(), f"crossfade: {one_line(sentence)}")
    raise typer.Exit(status)
