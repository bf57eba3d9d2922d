"""Consoles for results and for messages: whole words on a terminal, one line to a line in a file.

Results go to standard output, all else to standard error. Nothing is highlighted: a number or an
id is never coloured in parts. A file or a pipe gets no escape codes and no line breaks of ours.
"""

import logging
import os
import sys
import time
from pathlib import Path
from shutil import which

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text


def output() -> Console:
    """Return the console for results: standard output."""
    return _console(stderr=False)


def messages() -> Console:
    """Return the console for messages: standard error."""
    return _console(stderr=True)


def _console(stderr: bool) -> Console:
    console = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = WIDE
    return console


WIDE = 10_000
"""Columns of what is no terminal: tables and lines are as wide as what is in them."""


def say(console: Console, text: str, before: str = "", style: str = "") -> None:
    """Print a text; on a terminal broken between words, its later lines indented below its first.

    ``before`` is printed dim in front of it. A word longer than a line, such as a path, stays
    whole: the terminal breaks it where it has to, and it is copied in one piece.
    """
    lines = [text]
    if console.is_terminal:
        lines = _between_words(text, max(console.width - len(before), 20))
    for number, line in enumerate(lines):
        # appended, as the style of a text that another one is added to goes for both
        shown = Text().append(before if number == 0 else " " * len(before), "dim")
        console.print(shown.append(line, style), soft_wrap=True)


def _between_words(text: str, width: int) -> list[str]:
    """Break a text between words into lines of at most ``width`` columns, if its words allow."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        longer = f"{line} {word}" if line else word
        if line and cell_len(longer) > width:
            lines.append(line)
            longer = word
        line = longer
    return [*lines, line]


class LogToConsole(logging.Handler):
    """Prints log records with the time of day: warnings marked, tracebacks only for debugging."""

    def __init__(self, console: Console, debug: bool) -> None:
        super().__init__(logging.INFO)
        self._console, self._debug = console, debug

    def emit(self, record: logging.LogRecord) -> None:
        """Print a record."""
        try:
            at = time.strftime("[%X] ", time.localtime(record.created))
            bad = record.levelno >= logging.WARNING
            mark = f"{record.levelname}: " if bad or self._debug else ""
            style = "yellow" if bad and self._console.is_terminal else ""
            say(self._console, mark + record.getMessage(), at, style)
            if self._debug and record.exc_info:
                text = logging.Formatter().formatException(record.exc_info)
                self._console.print(Text(text), soft_wrap=True)
        except Exception:
            self.handleError(record)


def command_name() -> str:
    """Return what a user types in place of `crossfade`: a path where it is not on the PATH."""
    program = Path(sys.argv[0])
    if program.name == "__main__.py":
        return "python -m flows.cli"
    if which(program.name) is not None:
        return program.name
    here = Path.cwd()
    return str(program.relative_to(here) if program.is_relative_to(here) else program)
