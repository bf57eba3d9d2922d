"""Processes that end when the process that started them does, however that one ends.

`python -m flows.server.tether PARENT COMMAND …` runs a command so.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
"""From <linux/prctl.h>; the setting survives `exec`."""


def end_with_parent(parent: int) -> None:
    """Have the system send SIGTERM to this process when its parent, ``parent``, has ended.

    Exits at once if the parent has ended already. The parent must have started this process from
    a thread that lives as long as itself. Systems other than Linux lack the call.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit("the process that started this one has ended")


def tethered(command: list[str]) -> list[str]:
    """Return the command line that runs ``command`` and ends it with this process."""
    return [sys.executable, "-m", "flows.server.tether", str(os.getpid()), *command]


def main() -> None:
    """Tie this process to its parent and become the command."""
    parent, *command = sys.argv[1:]
    end_with_parent(int(parent))
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
