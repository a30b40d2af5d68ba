"""Processes that have imported a program of Python, and fork it: ``local.runtime.guard`` is what they run."""

from __future__ import annotations

import socket
import subprocess
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from local.core.settings import REPOSITORY
from local.runtime import guard
from local.runtime.survivors import VARIABLE


class NoGuardError(OSError):
    """A program's guard has gone before the program's start."""


@dataclass(frozen=True)
class ForkServer:
    """Describes a process that imports a program of Python once, and forks it from then on. Only Linux has them.

    Attributes:
        python: Python and its options, which end with ``-m`` if the program is a module.
        program: the module, or a file and its first arguments.
        environment: the process's environment variables, if it does not inherit the service's. A program that it forks
            has only its own, but can read these in ``/proc/self/environ``.
    """

    python: tuple[str, ...]
    program: tuple[str, ...] = ()
    environment: Mapping[str, str] | None = field(default=None, compare=False)

    @property
    def command(self) -> list[str]:
        """The command of its programs, without the arguments in which they differ."""
        return [*self.python, *self.program]


class ForkServers:
    """The fork servers of a service. One thread at a time may use them.

    Args:
        mark: the beginning of the mark by which a later service finds what they leave (``local.runtime.survivors``).
    """

    def __init__(self, mark: str) -> None:
        self._mark = mark
        self._running: dict[ForkServer, tuple[subprocess.Popen[bytes], socket.socket]] = {}

    def prepare(self, server: ForkServer) -> None:
        """Start a server if it does not run."""
        self._requests(server)

    def fork_guard(self, server: ForkServer, guards_side: int, output: int) -> None:
        """Let a server fork a guard, which waits for its program.

        Args:
            server: the server, which is started if it does not run.
            guards_side: the descriptor of the guard's socket.
            output: the descriptor of the program's output.

        Raises:
            NoGuardError: the server has ended meanwhile.
            OSError: the server cannot be started.
        """
        requests = self._requests(server)
        try:
            socket.send_fds(requests, [b"+"], [guards_side, output])
        except OSError as error:
            raise NoGuardError(error.errno, error.strerror) from error

    def stop_all(self) -> None:
        """Stop the servers. Their guards live on until their programs have ended."""
        for server in list(self._running):
            self._stop(server)

    def _requests(self, server: ForkServer) -> socket.socket:
        """Return the socket for requests to a server, which is started if it does not run."""
        found = self._running.get(server)
        if found is not None and found[0].poll() is not None:
            self._stop(server)
            found = None
        if found is None:
            found = self._running[server] = self._start(server)
        return found[1]

    def _start(self, server: ForkServer) -> tuple[subprocess.Popen[bytes], socket.socket]:
        ours, theirs = socket.socketpair()
        own = server.environment
        of_guard = guard.__name__ if server.python[-1] == "-m" else guard.__file__
        with theirs:
            process = subprocess.Popen(
                [*server.python, of_guard, str(theirs.fileno()), *server.program],
                cwd=REPOSITORY,
                # The processes that its programs fork have the mark, too.
                env=None if own is None else {**own, VARIABLE: f"{self._mark}-{uuid.uuid4().hex}"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                # Its own session: the service handles Ctrl-C.
                start_new_session=True,
            )
        return process, ours

    def _stop(self, server: ForkServer) -> None:
        process, requests = self._running.pop(server)
        requests.close()
        # It may still import its program.
        process.kill()
        process.wait()
