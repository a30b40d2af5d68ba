"""Run the programs of jobs, each in its own process group."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

import psutil

from local.storage.store import Store

KIND = "process"
STOP_SECONDS = 120.0
"""Seconds between SIGTERM and SIGKILL. SageMaker uses the same value for Stop operations and time limits."""

_CLOCK_TOLERANCE = 2.0
"""Tolerance in seconds for start times. They depend on the boot time, which changes with the system clock."""

_log = logging.getLogger(__name__)


class ServiceStoppingError(Exception):
    """The service is stopping. The job's record stays unchanged; the next start repairs it."""


class Program:
    """A running program and its child processes.

    Attributes:
        time_limit_exceeded: whether the program exceeded its time limit.
    """

    def __init__(self, supervisor: Supervisor, process: subprocess.Popen[bytes]) -> None:
        self.time_limit_exceeded = False
        self._supervisor = supervisor
        self._process = process
        self._lock = threading.Lock()
        self._timers: list[threading.Timer] = []
        self._ended = False

    @property
    def group(self) -> int:
        """Return the process group. It equals the id of the first process."""
        return self._process.pid

    @property
    def output(self) -> IO[bytes]:
        """Return the stream of standard output and standard error."""
        assert self._process.stdout is not None
        return self._process.stdout

    def wait(self) -> int:
        """Wait for the program to end, then kill the rest of its group.

        Returns:
            The exit status. If a signal ended the program, the negative signal number.

        Raises:
            ServiceStoppingError: the program ended because the service is stopping.
        """
        status = self._process.wait()
        self.kill()
        with self._lock:
            # From here on, the system may reuse the group's number.
            self._ended = True
            for timer in self._timers:
                timer.cancel()
        self._supervisor.forget(self)
        return status

    def terminate(self, grace: float = STOP_SECONDS) -> None:
        """Send SIGTERM, then kill the program after ``grace`` seconds."""
        self._signal(signal.SIGTERM)
        self._after(grace, self.kill)

    def kill(self) -> None:
        """Kill all processes in the group."""
        self._signal(signal.SIGKILL)

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

    def _signal(self, number: signal.Signals) -> None:
        # macOS raises PermissionError if the group contains only zombie processes.
        with self._lock, contextlib.suppress(ProcessLookupError, PermissionError):
            if not self._ended:
                os.killpg(self.group, number)


class Supervisor:
    """Manages the programs and background threads of jobs.

    No program outlives the service. A guard process (``local.runtime.guard``) kills them when the service ends.
    Each program also has a record, so the next start can kill survivors.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._programs: dict[int, Program] = {}
        self._by_key: dict[str, Program] = {}
        self._threads: set[threading.Thread] = set()
        self._guard: subprocess.Popen[str] | None = None
        self._stopping = False

    def run_in_background(self, work: Callable[[], None], name: str) -> None:
        """Run a job's work in a thread. The thread ends without an error when the service stops."""

        def run() -> None:
            try:
                work()
            except ServiceStoppingError:
                pass
            except Exception:
                # Errors during shutdown are ignored. The next start repairs the job.
                if not self._stopping:
                    _log.exception("%s", name)
            finally:
                with self._lock:
                    self._threads.discard(thread)

        thread = threading.Thread(target=run, name=name, daemon=True)
        with self._lock:
            if self._stopping:
                return
            self._threads.add(thread)
        thread.start()

    def start(self, key: str, command: Sequence[str], *, folder: Path, environment: Mapping[str, str]) -> Program:
        """Start a program in its own process group.

        Args:
            key: identifies the program for ``terminate``, for example ``training-job/<name>``.
            command: the program and its arguments.
            folder: its working directory.
            environment: all of its environment variables.

        Raises:
            OSError: the program cannot be started.
            ServiceStoppingError: the service is going down.
        """
        with self._lock:
            if self._stopping:
                raise ServiceStoppingError
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            program = Program(self, process)
            self._programs[program.group] = program
            self._by_key[key] = program
            self._tell_guard(f"+{program.group}")
        document = {"Group": program.group, "StartedAt": _start_time(program.group), "Command": list(command)}
        self._store.insert(KIND, _record_key(program.group), document)
        return program

    def terminate(self, key: str) -> None:
        """Terminate the program with this key, if there is one."""
        with self._lock:
            program = self._by_key.get(key)
        if program is not None:
            program.terminate()

    def forget(self, program: Program) -> None:
        """Remove a program that has ended.

        Raises:
            ServiceStoppingError: the service is going down.
        """
        with self._lock:
            self._programs.pop(program.group, None)
            self._by_key = {key: other for key, other in self._by_key.items() if other is not program}
            self._tell_guard(f"-{program.group}")
        self._store.delete(KIND, _record_key(program.group))
        if self._stopping:
            raise ServiceStoppingError

    def stop_all(self, within: float = 1.5) -> None:
        """Stop all programs and background threads. Send SIGTERM first, and SIGKILL after half the time."""
        deadline = time.monotonic() + within
        with self._lock:
            self._stopping = True
            programs, threads = list(self._programs.values()), list(self._threads)
        for program in programs:
            program.terminate(grace=within / 2)
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        with self._lock:
            if self._guard is not None and self._guard.stdin is not None:
                self._guard.stdin.close()
                self._guard.wait()
                self._guard = None

    def kill_survivors(self) -> int:
        """Kill programs left by an earlier run of the service, and return their number."""
        survivors = 0
        for document in self._store.list(KIND):
            if _is_same(document["StartedAt"], _start_time(document["Group"])):
                survivors += 1
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(document["Group"], signal.SIGKILL)
            self._store.delete(KIND, _record_key(document["Group"]))
        return survivors

    def _tell_guard(self, line: str) -> None:
        """Send a line to the guard. Start the guard if it is not running."""
        if self._guard is None or self._guard.poll() is not None:
            self._guard = subprocess.Popen(
                [sys.executable, "-I", "-S", str(Path(__file__).with_name("guard.py"))],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                text=True,
                start_new_session=True,
            )
            lines = [f"+{group}" for group in self._programs]
        else:
            lines = [line]
        assert self._guard.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._guard.stdin.write("".join(f"{each}\n" for each in lines))
            self._guard.stdin.flush()


def _record_key(group: int) -> str:
    return str(group)


def _is_same(recorded: float | None, found: float | None) -> bool:
    """Return whether two start times belong to one process. The system reuses process ids."""
    return recorded is not None and found is not None and abs(recorded - found) < _CLOCK_TOLERANCE


def _start_time(process: int) -> float | None:
    """Return when a process started, in seconds since the epoch; None if it has ended."""
    try:
        found = psutil.Process(process)
        return None if found.status() == psutil.STATUS_ZOMBIE else found.create_time()
    except psutil.NoSuchProcess:
        return None
