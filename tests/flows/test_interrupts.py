"""A signal stops a process wherever its exception is raised."""

import subprocess
import sys

from tasks.lake.code import ROOT

FINALIZER = """
import os, signal, time
from flows.interrupts import Stopped, watching

class Dropping:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.001)  # the handler raises here, and Python drops it

with watching():
    try:
        Dropping()
        time.sleep(30)
        print("went on")
    except Stopped as stopped:
        print(stopped)
"""


def test_a_signal_while_a_finalizer_runs_is_not_lost() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FINALIZER], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert (done.stdout, done.stderr) == ("stopped by SIGTERM\n", "")


def test_what_else_a_finalizer_raises_is_still_reported() -> None:
    script = FINALIZER.replace("os.kill(os.getpid(), signal.SIGTERM)", "raise OSError('no disk')")
    done = subprocess.run(
        [sys.executable, "-c", script.replace("sleep(30)", "sleep(0)")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == "went on\n"
    assert "no disk" in done.stderr
