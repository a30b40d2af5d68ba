"""Programs that jobs run: each in a process group of its own, stopped as a whole, never left behind."""

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
"""How long a program may go on after SIGTERM: what SageMaker's Stop operations and time limits allow."""

_CLOCK_TOLERANCE = 2.0
"""Seconds by which a process's start time may move: it is counted from the boot time, which follows the clock."""

_log = logging.getLogger(__name__)


class ServiceStoppingError(Exception):
    """The service is going down: the job's record stays as it is, and is repaired at the next start."""


class Program:
    """A program under way, with everything that it has started in turn.

    Attributes:
        time_limit_exceeded: whether it was told to stop because its time was up.
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
        """The process group, which is also the id of its first process."""
        return self._process.pid

    @property
    def output(self) -> IO[bytes]:
        """What it writes to standard output and standard error."""
        assert self._process.stdout is not None
        return self._process.stdout

    def wait(self) -> int:
        """Wait for its end, then kill what it left running in its group.

        Returns:
            The exit status; negative is the number of the signal that ended it.

        Raises:
            ServiceStoppingError: it ended because the service is going down.
        """
        status = self._process.wait()
        self.kill()
        with self._lock:
            # From here on, the system may give the group's number to somebody else.
            self._ended = True
            for timer in self._timers:
                timer.cancel()
        self._supervisor.forget(self)
        return status

    def terminate(self, grace: float = STOP_SECONDS) -> None:
        """Ask it to end (SIGTERM), and kill it when it has not within ``grace`` seconds."""
        self._signal(signal.SIGTERM)
        self._after(grace, self.kill)

    def kill(self) -> None:
        """Kill all processes of its group."""
        self._signal(signal.SIGKILL)

    def limit_time(self, seconds: float) -> None:
        """Ask it to end once ``seconds`` have passed."""
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
        # macOS says "not permitted" of a group whose processes have all ended and are not collected yet.
        with self._lock, contextlib.suppress(ProcessLookupError, PermissionError):
            if not self._ended:
                os.killpg(self.group, number)


class Supervisor:
    """All programs and background threads of the service's jobs.

    Two things see to it that no program outlives the service: a guard process (``local.runtime.guard``), which
    kills them the moment the service is gone, and a record of each, by which the next start finds survivors.
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
        """Run a job's work in a thread; it ends quietly when the service goes down."""

        def run() -> None:
            try:
                work()
            except ServiceStoppingError:
                pass
            except Exception:
                # Whatever a job does while its service goes down is looked into at the next start.
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
        """Start a program in a process group of its own.

        Args:
            key: names it to ``terminate``, for example ``training-job/<name>``.
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
        """Ask the program of that key to end; no effect where there is none."""
        with self._lock:
            program = self._by_key.get(key)
        if program is not None:
            program.terminate()

    def forget(self, program: Program) -> None:
        """Take note that a program has ended.

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
        """End every program and background thread: SIGTERM first, SIGKILL after half of the time."""
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
        """Kill programs that an earlier run of the service left behind; return how many there were."""
        survivors = 0
        for document in self._store.list(KIND):
            if _is_same(document["StartedAt"], _start_time(document["Group"])):
                survivors += 1
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(document["Group"], signal.SIGKILL)
            self._store.delete(KIND, _record_key(document["Group"]))
        return survivors

    def _tell_guard(self, line: str) -> None:
        """Send the guard a line; start it at the first, and again if somebody has ended it."""
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
    """Return whether two start times are of one process: the system gives the number of an ended process again."""
    return recorded is not None and found is not None and abs(recorded - found) < _CLOCK_TOLERANCE


def _start_time(process: int) -> float | None:
    """Return when a process started, in seconds since the epoch; None if it has ended."""
    try:
        found = psutil.Process(process)
        return None if found.status() == psutil.STATUS_ZOMBIE else found.create_time()
    except psutil.NoSuchProcess:
        return None
