"""What a command is doing, below its log lines: redrawn at a terminal, absent from a log."""

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from flows import interrupts
from flows.cli.console import LogToConsole, messages
from flows.lines import PROGRESS, Pace, duration

BAR = 16
REDRAWN_PER_SECOND = 5

RUN_STAGES = (
    *("ingest", "holdout", "choice", "collaborative", "content", "evaluation"),
    *("lists", "gate", "build", "publish"),
)
"""The stages of a run in their order; a run may leave some out."""


@dataclass
class _Row:
    """A stage that is under way."""

    begun: float = field(default_factory=time.monotonic)
    pace: Pace = field(default_factory=Pace)


class Display:
    """Shows which stages are under way, how far they are and which follow.

    Stages are named as in the log. Its methods may be called from any thread.
    """

    def __init__(self, console: Console | None, doing: str, plan: Sequence[str] = ()) -> None:
        """``plan``: the beginnings of the names of the stages, in their order.

        Without a console, nothing is shown.
        """
        self._plan, self._at = tuple(plan), -1
        self._doing, self._since = doing, time.monotonic()
        self._rows: dict[str, _Row] = {}
        self._lock = threading.Lock()
        self._spinner = Spinner("dots")
        self._live = (
            None
            if console is None
            else Live(
                console=console,
                get_renderable=self._drawn,
                refresh_per_second=REDRAWN_PER_SECOND,
                transient=True,
                redirect_stdout=False,
            )
        )

    def __enter__(self) -> "Display":
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Take everything off the screen; the log lines stay."""
        if self._live:
            self._live.stop()

    def doing(self, what: str) -> None:
        """Name what is done while no stage is under way."""
        self._doing, self._since = what, time.monotonic()

    def begun(self, stage: str) -> None:
        """Show a stage."""
        with self._lock:
            self._rows[stage] = _Row()
            places = [n for n, begin in enumerate(self._plan) if stage.startswith(begin)]
            self._at = max([self._at, *places])

    def moved(self, stage: str, done: int, of: int) -> None:
        """Show how far a stage is."""
        with self._lock:
            if stage in self._rows:
                self._rows[stage].pace.update(done, of)

    def ended(self, stage: str) -> None:
        """Show a stage no longer."""
        with self._lock:
            self._rows.pop(stage, None)
            self._doing, self._since = "working", time.monotonic()

    def _drawn(self) -> RenderableType:
        now = time.monotonic()
        grid = Table.grid(padding=(0, 1))
        for _ in range(4):
            grid.add_column(no_wrap=True, overflow="ellipsis")
        with self._lock:
            rows = dict(self._rows)
            left = self._plan[self._at + 1 :] if self._at >= 0 else ()
            idle = None if rows else self._doing
        if idle is not None:
            grid.add_row(self._spinner, idle, "", duration(now - self._since))
        for stage, row in rows.items():
            bar = ProgressBar(row.pace.of, row.pace.done, width=BAR) if row.pace.of else ""
            state = row.pace.words(now) or duration(now - row.begun)
            grid.add_row(self._spinner, stage, bar, state)
        if not left:
            return grid
        follows = Text(f"  then {', '.join(left)}", "dim", no_wrap=True, overflow="ellipsis")
        return Group(grid, follows)


@contextmanager
def at_work(doing: str, plan: Sequence[str], debug: bool) -> Iterator[Display]:
    """Log to standard error, and say at once what is being done: in place if that is a terminal.

    With ``debug`` all libraries log, and nothing is redrawn between their lines.
    """
    console = messages()
    handler = LogToConsole(console, debug)
    logger = logging.getLogger("crossfade")
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    live = console.is_terminal and not console.is_dumb_terminal and not debug
    if live:
        handler.addFilter(lambda record: record.name != PROGRESS)
    else:
        logger.info("%s", doing)
    try:
        with (
            Display(console if live else None, doing, plan) as display,
            interrupts.last_report(display.close),
        ):
            yield display
    finally:
        logger.removeHandler(handler)
