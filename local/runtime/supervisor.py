"""Run programs and background threads, none of which outlives the service."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import select
import signal
import socket
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from local.core.disk import be_patient
from local.core.settings import Settings
from local.runtime import guard
from local.runtime.fork_servers import ForkServer, ForkServers, NoGuardError
from local.runtime.survivors import VARIABLE, kill_marked

STOP_SECONDS = 120.0
"""Seconds between SIGTERM and SIGKILL. SageMaker uses the same value for Stop operations and time limits."""

_CHUNK = 1 << 16
_SECONDS_BETWEEN_LOOKS = 0.2
_SECONDS_AFTER_END = 1.0
"""Longest time for which output is read after a program's end if a process that cannot be killed goes on writing."""

_log = logging.getLogger(__name__)


class ServiceStoppingError(Exception):
    """The service is stopping. Records of unfinished work stay unchanged; the next start repairs them."""


_ANY_PROGRAM = ForkServer((sys.executable, "-I", "-S"))
"""Has imported nothing, and starts programs of any kind."""


class Program:
    """A running program and everything that it has started.

    Attributes:
        process: the id of the program's process.
        time_limit_exceeded: whether the program exceeded its time limit.
    """

    def __init__(self, supervisor: Supervisor, service_side: socket.socket, output: int, mark: str) -> None:
        self.process = 0
        self.time_limit_exceeded = False
        self._supervisor = supervisor
        self._guard = service_side
        self._reports = service_side.makefile("rb")
        self._output = output
        self._mark = mark
        self._lock = threading.Lock()
        self._timers: list[threading.Timer] = []
        self._ended = False
        self._early = b""

    def start(self, command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        """Make the guard start the program.

        Raises:
            OSError: the program cannot be started.
        """
        try:
            self._request_start(command, folder, environment)
        except BaseException:
            os.close(self._output)
            self._end()
            raise

    def _request_start(self, command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        request = {
            "command": [_latin(argument) for argument in command],
            "folder": _latin(str(folder)),
            "environment": {_latin(name): _latin(value) for name, value in environment.items()}
            | {VARIABLE: self._mark},
        }
        with contextlib.suppress(OSError):
            self._guard.sendall(json.dumps(request).encode() + b"\n")
        report = self._report()
        if not report:
            raise NoGuardError("no process could be started")
        if "process" not in report:
            raise OSError(report["errno"], report["message"], report["file"])
        with self._lock:
            self.process = report["process"]
        self._command(self._early)

    def read_output(self) -> Iterator[bytes]:
        """Yield standard output and standard error as they arrive, until the end of the program.

        Usually all processes that write have ended with the program. If one could not be found or killed, its
        output is ignored.
        """
        deadline = float("inf")
        try:
            while time.monotonic() < deadline:
                readable = _is_readable(self._output, _SECONDS_BETWEEN_LOOKS)
                if deadline == float("inf") and self.has_ended():
                    deadline = time.monotonic() + _SECONDS_AFTER_END
                if readable:
                    chunk = os.read(self._output, _CHUNK)
                    if not chunk:
                        return
                    yield chunk
                elif deadline < float("inf"):
                    return
        finally:
            os.close(self._output)

    def wait(self) -> int:
        """Wait for the end of the program and of everything that it has started.

        Returns:
            The program's exit status. If a signal ended the program, the negative signal number.

        Raises:
            ServiceStoppingError: the program ended because the service is stopping.
        """
        report = self._report()
        if "status" not in report or sys.platform != "linux":
            # Somebody has killed the guard, or the system has no subreapers.
            kill_marked(self._mark)
        self._end()
        self._supervisor.forget(self)
        status: int = report.get("status", -signal.SIGKILL)
        return status

    def has_ended(self) -> bool:
        """Return whether the program has ended. From then on, the system may reuse the process's id."""
        with self._lock:
            # After the start, the guard reports only the end.
            return self._ended or _is_readable(self._guard.fileno(), 0)

    def terminate(self, grace: float = STOP_SECONDS) -> None:
        """Send SIGTERM to the program's process group, then kill the program after ``grace`` seconds."""
        self._command(guard.TERMINATE)
        self._after(grace, self.kill)

    def kill(self) -> None:
        """Kill the program and everything that it has started."""
        self._command(guard.KILL)

    def limit_time(self, seconds: float) -> None:
        """Terminate the program after ``seconds``."""
        self._after(seconds, self._exceed_time_limit)

    def _exceed_time_limit(self) -> None:
        self.time_limit_exceeded = True
        self.terminate()

    def _after(self, seconds: float, action: Callable[[], None]) -> None:
        timer = threading.Timer(min(seconds, threading.TIMEOUT_MAX), action)
        timer.daemon = True
        with self._lock:
            if not self._ended:
                self._timers.append(timer)
                timer.start()

    def _report(self) -> dict[str, Any]:
        """Return the guard's next report; nothing if the guard has gone."""
        try:
            line = self._reports.readline()
        except OSError:
            line = b""
        report: dict[str, Any] = json.loads(line) if line.endswith(b"\n") else {}
        return report

    def _command(self, command: bytes) -> None:
        with self._lock, contextlib.suppress(OSError):
            if not self.process:
                # The guard would take it for a part of the program.
                self._early += command
            elif not self._ended:
                self._guard.sendall(command)

    def _end(self) -> None:
        with self._lock:
            self._ended = True
            for timer in self._timers:
                timer.cancel()
            self._reports.close()
            self._guard.close()


class Supervisor:
    """Manages programs and background threads.

    No program outlives the service: each has a guard (``local.runtime.guard``), which kills it when the service ends.
    If the guard is killed too, the next start finds the program's processes by their mark.
    """

    def __init__(self, settings: Settings) -> None:
        # Differs between folders, even between copies of one folder.
        folder = f"{settings.root}\n{settings.secret_key}"
        self._mark = hashlib.sha256(folder.encode(errors="surrogateescape")).hexdigest()[:24]
        self._lock = threading.Lock()
        self._programs: dict[Program, str] = {}
        self._threads: set[threading.Thread] = set()
        self._fork_servers = ForkServers(self._mark)
        self._stopping = False

    @property
    def is_stopping(self) -> bool:
        """Whether the service is stopping, so that errors may come from that."""
        return self._stopping

    def run_in_background(self, work: Callable[[], None], name: str) -> bool:
        """Run work in a thread. The thread ends without an error when the service stops.

        Returns:
            Whether the thread has started: not if the service is stopping.

        Raises:
            RuntimeError: the system starts no more threads.
        """

        def run() -> None:
            try:
                be_patient()
                work()
            except ServiceStoppingError:
                pass
            except Exception:
                # Errors during shutdown are ignored. The next start repairs what was unfinished.
                if not self._stopping:
                    _log.exception("%s", name)
            finally:
                with self._lock:
                    self._threads.discard(thread)

        thread = threading.Thread(target=run, name=name, daemon=True)
        with self._lock:
            if self._stopping:
                return False
            # Threads that have not started cannot be joined.
            thread.start()
            self._threads.add(thread)
        return True

    def prepare(self, server: ForkServer) -> None:
        """Start a fork server, so that its first program need not wait for it."""
        with self._lock:
            if sys.platform == "linux" and not self._stopping:
                self._fork_servers.prepare(server)

    def start(
        self,
        key: str,
        command: Sequence[str],
        *,
        folder: Path,
        environment: Mapping[str, str],
        server: ForkServer | None = None,
    ) -> Program:
        """Start a program in its own session.

        Args:
            key: identifies the program for ``terminate``, for example ``training-job/<name>``.
            command: the program and its arguments.
            folder: its working directory.
            environment: all of its environment variables, except its mark (``local.runtime.survivors``).
            server: the fork server whose command the program's begins with. It runs as long as the service. A program
                that it cannot fork is started like others.

        Raises:
            OSError: the program cannot be started.
            ServiceStoppingError: the service is going down.
        """
        if server is not None and sys.platform == "linux":
            with contextlib.suppress(NoGuardError):
                return self._start(key, command, folder, environment, server)
        return self._start(key, command, folder, environment, _ANY_PROGRAM)

    def _start(
        self, key: str, command: Sequence[str], folder: Path, environment: Mapping[str, str], server: ForkServer
    ) -> Program:
        with self._lock:
            if self._stopping:
                raise ServiceStoppingError
            program = self._fork_guard(server)
            self._programs[program] = key
        try:
            program.start(command, folder, environment)
        except BaseException:
            self.forget(program)
            raise
        return program

    def terminate(self, key: str) -> None:
        """Terminate the program with this key, if there is one."""
        with self._lock:
            programs = [program for program, other in self._programs.items() if other == key]
        for program in programs:
            program.terminate()

    def forget(self, program: Program) -> None:
        """Remove a program that has ended.

        Raises:
            ServiceStoppingError: the service is going down.
        """
        with self._lock:
            self._programs.pop(program, None)
        if self._stopping:
            raise ServiceStoppingError

    def stop_all(self, within: float = 1.5) -> None:
        """Stop all programs and background threads. Send SIGTERM first, and SIGKILL after half the time."""
        deadline = time.monotonic() + within
        with self._lock:
            self._stopping = True
            programs, threads = list(self._programs), list(self._threads)
        for program in programs:
            program.terminate(grace=within / 2)
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        with self._lock:
            self._fork_servers.stop_all()

    def kill_survivors(self) -> int:
        """Kill what programs of an earlier run of the service have left, and return the number of programs."""
        return len(kill_marked(f"{self._mark}-"))

    def _fork_guard(self, server: ForkServer) -> Program:
        """Return a program without a process. Its guard waits for the command."""
        ours, theirs = socket.socketpair()
        output, written = os.pipe()
        try:
            self._fork_servers.fork_guard(server, theirs.fileno(), written)
        except OSError:
            ours.close()
            os.close(output)
            raise
        finally:
            theirs.close()
            os.close(written)
        return Program(self, ours, output, f"{self._mark}-{uuid.uuid4().hex}")


def _is_readable(descriptor: int, seconds: float) -> bool:
    """Return whether there is something to read within some seconds."""
    # Unlike select(), poll() takes descriptors over 1023.
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


def _latin(text: str) -> str:
    """Return a string's bytes as the guard reads them, whatever the locales of both are."""
    return os.fsencode(text).decode("latin-1")
