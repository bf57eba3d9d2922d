"""Stopping on a signal: unwind what can be unwound, and end the rest by force after a deadline.

The first SIGINT, SIGTERM or SIGHUP raises `Stopped` in the main thread and wakes a watchdog thread,
also while the main thread is inside a library that looks at no signals. The watchdog calls what was
registered with `on_stop`; UNWIND_SECONDS later, or at a second signal, it ends every process that
this one started, and then this one.
"""

import atexit
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psutil

UNWIND_SECONDS = 6.0
"""From the first signal to the end by force; with `LAST_SECONDS` well under ten seconds."""

LAST_SECONDS, LAST_SECONDS_IN_HASTE = 2.0, 0.5
"""How long the last reports may take, after UNWIND_SECONDS and after a second signal."""

REPEATED_SECONDS = 0.25
"""Signals this close together count as one: wrappers pass on what the terminal sent as well."""

AGAIN_SECONDS = 0.02
"""How long a finalizer that dropped the exception of a signal gets to end."""

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(KeyboardInterrupt):
    """A signal asked this process to stop. Not an Exception: nobody may go on after it."""

    def __init__(self, number: int) -> None:
        super().__init__(f"stopped by {signal.Signals(number).name}")
        self.number = number
        """The signal."""


class _Watch:
    """What is known of signals in this process while it watches for them."""

    def __init__(self) -> None:
        self.number = 0
        self.raised = False
        self.begun = 0.0
        self.said = False
        self.on_stop: list[Callable[[], None]] = []
        self.last_reports: list[Callable[[], None]] = []
        self.sentence: Callable[[], str] = lambda: "stopped; the current release is unchanged"
        self.dropping = sys.unraisablehook
        """Reports other exceptions that nobody can catch."""
        self.reading, self.writing = os.pipe()
        os.set_blocking(self.writing, False)
        threading.Thread(target=self._run, name="signals", daemon=True).start()

    def handle(self, number: int, _frame: object) -> None:
        """Raise Stopped in the main thread, once; the watchdog counts further signals."""
        self.number = self.number or number
        if not self.raised:
            self.raised = True
            raise Stopped(number)

    def drop(self, unraisable: "sys.UnraisableHookArgs") -> None:
        """Raise Stopped again if it came while a finalizer ran: Python drops what those raise."""
        if unraisable.exc_type is not Stopped:
            self.dropping(unraisable)
            return
        self.raised = False
        main = threading.main_thread().ident
        again = threading.Timer(AGAIN_SECONDS, signal.pthread_kill, (main, self.number))
        again.daemon = True
        again.start()

    def _run(self) -> None:
        while (data := os.read(self.reading, 1)) and data[0] not in SIGNALS:
            pass
        if not data:  # `watching` has ended
            os.close(self.reading)
            return
        self.begun = time.monotonic()
        self.number = number = self.number or int(data[0])
        timer = threading.Timer(UNWIND_SECONDS, self._end, (number, LAST_SECONDS))
        timer.daemon = True  # a process that unwinds in time does not wait for it
        timer.start()
        for callback in self.on_stop:
            threading.Thread(target=_quietly, args=(callback,), daemon=True).start()
        while data := os.read(self.reading, 1):
            if data[0] in SIGNALS and time.monotonic() - self.begun > REPEATED_SECONDS:
                self._end(number, LAST_SECONDS_IN_HASTE)

    def _end(self, number: int, seconds: float) -> None:
        """Report, end the processes that this one started, and this one."""
        reports = [
            threading.Thread(target=_quietly, args=(one,), daemon=True) for one in self.last_reports
        ]
        for report in reports:
            report.start()
        deadline = time.monotonic() + seconds
        for report in reports:
            report.join(max(0.0, deadline - time.monotonic()))
        with suppress(Exception):
            self.say(f"crossfade: {self.sentence()}")
        end_children(0.0)
        os._exit(128 + number)

    def say(self, sentence: str) -> None:
        """Write the last sentence to standard error, unless it was written before."""
        if not self.said:
            self.said = True
            os.write(2, f"{sentence}\n".encode(errors="replace"))


_watch: _Watch | None = None


@contextmanager
def watching() -> Iterator[None]:
    """Watch for signals; does nothing inside another `watching` or outside the main thread.

    A signal that is ignored (by `nohup`, or in the background of a script) stays ignored.
    """
    global _watch
    if _watch is not None or threading.current_thread() is not threading.main_thread():
        with _handling():
            yield
        return
    _watch = watch = _Watch()
    atexit.register(_end_what_is_left, watch)  # early, so that it runs after all others
    fd = signal.set_wakeup_fd(watch.writing, warn_on_full_buffer=False)
    sys.unraisablehook = watch.drop
    try:
        with _handling():
            yield
    finally:
        if not watch.number:  # else the watchdog stays on guard until the process has ended
            signal.set_wakeup_fd(fd)
            sys.unraisablehook = watch.dropping
            os.close(watch.writing)
            _watch = None


@contextmanager
def _handling() -> Iterator[None]:
    """Handle the signals here, whoever handled them before: Prefect does around a flow."""
    if _watch is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, _watch.handle)
    try:
        yield
    finally:
        if not _watch.number:
            for number, handler in before.items():
                signal.signal(number, handler)


def requested() -> int:
    """Return the signal that asked this process to stop, or 0."""
    return _watch.number if _watch is not None else 0


def raise_if_requested() -> None:
    """Raise Stopped if a signal came whose exception some library has swallowed, as DuckDB does."""
    if number := requested():
        raise Stopped(number)


@contextmanager
def on_stop(callback: Callable[[], None]) -> Iterator[None]:
    """Call ``callback`` in a thread of its own as soon as a signal comes."""
    with _registered(_watch.on_stop if _watch else [], callback):
        yield


@contextmanager
def last_report(callback: Callable[[], None]) -> Iterator[None]:
    """Call ``callback`` before the process is ended by force."""
    with _registered(_watch.last_reports if _watch else [], callback):
        yield


def describe(sentence: Callable[[], str]) -> None:
    """Say by ``sentence()`` what was stopped."""
    if _watch is not None:
        _watch.sentence = sentence


def sentence() -> str:
    """Return what there is to say of the stop."""
    return _watch.sentence() if _watch is not None else "stopped; the current release is unchanged"


def say_last(text: str) -> None:
    """Write the last sentence of a process that was stopped; only the first call writes."""
    if _watch is not None:
        _watch.say(text)


def end_children(seconds: float) -> None:
    """End every process that this one started: asked first, killed ``seconds`` later.

    Python's resource tracker ends by itself with the last of them, after it has removed what they
    left in shared memory. A Prefect server, in a session of its own, is for others as well and ends
    when nobody uses it.
    """
    import psutil  # a tenth of a second, which most commands do not need

    with suppress(psutil.Error):
        children = [
            child
            for child in psutil.Process().children(recursive=True)
            if _ends_with_us(child)
            and not any("resource_tracker" in argument for argument in child.cmdline())
        ]
        for ask in ("terminate", "kill"):
            for child in children:
                with suppress(psutil.Error):
                    getattr(child, ask)()
            _, children = psutil.wait_procs(children, timeout=seconds if ask == "terminate" else 1)


def _ends_with_us(child: "psutil.Process") -> bool:
    with suppress(ProcessLookupError):
        return os.getsid(child.pid) == os.getsid(0)
    return False


def _end_what_is_left(watch: _Watch) -> None:
    if watch.number:
        sys.stderr.flush()
        end_children(1.0)


@contextmanager
def _registered(
    callbacks: list[Callable[[], None]], callback: Callable[[], None]
) -> Iterator[None]:
    callbacks.append(callback)
    try:
        yield
    finally:
        callbacks.remove(callback)


def _quietly(callback: Callable[[], None]) -> None:
    with suppress(Exception):
        callback()
