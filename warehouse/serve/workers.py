"""Worker processes that listen on one address, each on a socket of its own.

On one shared socket, the worker that wakes first takes all connections that wait, and keeps them.
With a socket each (SO_REUSEPORT) the kernel spreads connections over the workers.
"""

import socket
from collections.abc import Callable

from uvicorn import Config
from uvicorn.supervisors import Multiprocess


class Workers(Multiprocess):
    """Keeps workers running; each is started with a new socket, which ends with it."""

    def __init__(self, config: Config, listen: Callable[[], socket.socket]) -> None:
        self._listen = listen
        self._handed_over: list[socket.socket] = []
        super().__init__(config, [])

    @property
    def sockets(self) -> list[socket.socket]:
        """Sockets for the worker that is started next."""
        self._handed_over.append(self._listen())
        return self._handed_over[-1:]

    @sockets.setter
    def sockets(self, _given: list[socket.socket]) -> None:
        """Ignore what the base class would keep for all workers."""

    def init_processes(self) -> None:
        """Start all workers."""
        super().init_processes()
        self._let_go()

    def keep_subprocess_alive(self) -> None:
        """Start again what has ended."""
        super().keep_subprocess_alive()
        self._let_go()

    def _let_go(self) -> None:
        """Close our copies: connections must not wait at a socket whose worker has ended."""
        for one in self._handed_over:
            one.close()
        self._handed_over.clear()
