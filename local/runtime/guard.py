"""Start programs, and end everything that a program has started when it ends.

The supervisor runs this file as a process of its own, a fork server. For each program the server forks a guard, which
takes a millisecond. The guard starts the program and waits. It kills all descendants of the program when the program
ends, when the service asks for it, and when the service ends, even by ``kill -9``.

On Linux, the guard is a subreaper: an orphaned descendant becomes its child, whatever session it has moved to. Other
systems have no subreapers. There, the guard kills the program's process group, and ``local.runtime.survivors`` finds
the rest.

A fork server can have imported the program, which takes longer than many programs run. The guard then forks the
program as well, instead of starting Python. This is for the service's own modules and files, on Linux only: the program
has no environment of its own by which it could be found, so the system kills it when its guard ends.

The service and a guard share a socket. The service sends the program as a line of JSON, then commands of one byte. The
guard answers with lines of JSON: the process id or the error, then the exit status. The strings are bytes as Latin-1.

    python -I -S guard.py DESCRIPTOR                 # programs of any kind
    python -m local.runtime.guard DESCRIPTOR MODULE  # programs ``python -m MODULE ...``
    python -I -S guard.py DESCRIPTOR FILE WORD ...   # programs ``python -I -S FILE WORD ...``

MODULE and FILE have a function ``main``. FILE also has a function ``prepare``, which is called once, with the words.

This file imports only the standard library, so the server starts fast.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import gc
import importlib
import importlib.util
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

TERMINATE, KILL = b"T", b"K"
"""Commands: send SIGTERM to the program's process group; kill the program and all its descendants."""

_SET_PDEATHSIG, _SET_CHILD_SUBREAPER = 1, 36
"""Options of prctl(2)."""

_KILL_SECONDS = 10.0
"""Time limit for killing. A process of another user, for example after sudo, cannot be killed."""

_LONGEST_PAUSE = 0.05

_ARGUMENTS = len(sys.orig_argv) - len(sys.argv) + 1
"""Where a program's arguments begin in its command: where the fork server's do, which is started in the same way."""

Main = Callable[[list[str]], int]
"""The function ``main`` of a program: takes its arguments, and returns its exit status."""


def serve(requests: socket.socket, main: Main | None = None) -> None:
    """Fork a guard for each request until the service ends. A request is one byte, a guard's socket and an output.

    Args:
        requests: The service's socket.
        main: What the programs run, if it is imported.
    """
    # The system collects the guards.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        request, descriptors, _, _ = socket.recv_fds(requests, 1, 2)
        if not request:
            return
        # Without a guard, the socket closes. The service then raises an error.
        with contextlib.suppress(OSError):
            if os.fork() == 0:
                requests.close()
                try:
                    _Guard(socket.socket(fileno=descriptors[0]), descriptors[1], main).run()
                finally:
                    os._exit(0)
        for descriptor in descriptors:
            os.close(descriptor)


class _Guard:
    """The parent of one program and, on Linux, of the program's orphans."""

    def __init__(self, service: socket.socket, output: int, main: Main | None) -> None:
        self._service = service
        self._output = output
        self._main = main
        self._program = 0
        self._status: int | None = None

    def run(self) -> None:
        """Run the program to its end, and report its process id and its exit status."""
        woken, waker = socket.socketpair()
        waker.setblocking(False)
        signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        request, commands = self._read_request()
        try:
            # Popen's object is not kept: the guard collects every child itself.
            self._program = (
                _start(request, self._output) if self._main is None else _fork(self._main, request, self._output)
            )
        except OSError as error:
            self._report({"errno": error.errno, "message": error.strerror, "file": os.fsdecode(error.filename or "")})
            return
        except ValueError as error:
            # A value contains a null byte.
            self._report({"errno": errno.EINVAL, "message": str(error), "file": ""})
            return
        os.close(self._output)
        self._report({"process": self._program})
        self._obey(commands)
        while self._collect() and self._status is None:
            readable, _, _ = select.select([self._service, woken], [], [])
            if woken in readable:
                woken.recv(1024)
            if self._service in readable:
                self._obey(self._next_commands())
        self._kill_all()
        self._report({"status": self._status})

    def _read_request(self) -> tuple[dict[str, Any], bytes]:
        """Return the program, and the commands that have arrived with it."""
        received = b""
        while b"\n" not in received:
            more = self._service.recv(1 << 20)
            if not more:
                os._exit(0)
            received += more
        line, _, commands = received.partition(b"\n")
        return json.loads(line), commands

    def _next_commands(self) -> bytes:
        """Return the commands that have arrived; KILL if the service has ended."""
        # If it has ended before it had read a report, the system resets the connection.
        with contextlib.suppress(ConnectionResetError):
            return self._service.recv(64) or KILL
        return KILL

    def _report(self, message: dict[str, Any]) -> None:
        # The service may have ended.
        with contextlib.suppress(OSError):
            self._service.sendall(json.dumps(message).encode() + b"\n")

    def _obey(self, commands: bytes) -> None:
        if TERMINATE in commands:
            self._signal_group(signal.SIGTERM)
        if KILL in commands:
            self._kill_all()

    def _collect(self) -> bool:
        """Collect the children that have ended. Return whether there are others."""
        while True:
            try:
                process, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if process == 0:
                return True
            if process == self._program:
                self._status = os.waitstatus_to_exitcode(status)

    def _signal_group(self, number: signal.Signals) -> None:
        # macOS raises PermissionError if the group contains only zombie processes.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._program, number)

    def _kill_all(self) -> None:
        """Kill the program and its descendants, and wait for their ends."""
        deadline, pause = time.monotonic() + _KILL_SECONDS, 0.001
        self._signal_group(signal.SIGKILL)
        # Again and again, because a process may fork while the others are killed.
        while self._collect() and time.monotonic() < deadline:
            _kill_descendants(os.getpid())
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)


def _start(request: dict[str, Any], output: int) -> int:
    """Start a program in a session of its own, and return its process id.

    Raises:
        OSError: the program cannot be started.
    """
    environment = {_bytes(name): _bytes(value) for name, value in request["environment"].items()}
    process = subprocess.Popen(
        [_bytes(argument) for argument in request["command"]],
        cwd=_bytes(request["folder"]),
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        # No preexec_fn, for example for PR_SET_PDEATHSIG: a second fork of Python would take 8 ms instead of 1.
        start_new_session=True,
    )
    process.returncode = 0
    return process.pid


def _fork(main: Main, request: dict[str, Any], output: int) -> int:
    """Run an imported program in a session of its own, and return its process id.

    Raises:
        OSError: the process cannot be created.
    """
    guard, (ready, waiting) = os.getpid(), os.pipe()
    process = os.fork()
    if process:
        os.close(waiting)
        # Until the process has its own session: a signal to its group would be lost before.
        os.read(ready, 1)
        os.close(ready)
        return process
    status = 1
    try:
        ctypes.CDLL(None).prctl(_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() == guard:
            _become_program(request, output)
            sys.orig_argv = [os.fsdecode(_bytes(word)) for word in request["command"]]
            sys.argv = sys.orig_argv[_ARGUMENTS - 1 :]
            status = main(sys.argv[1:])
    except SystemExit as end:
        status = _exit_status(end.code)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(status)


def _exit_status(code: object) -> int:
    """Return the exit status of a SystemExit, as Python does."""
    if code is None or isinstance(code, int):
        return code or 0
    print(code, file=sys.stderr)
    return 1


def _become_program(request: dict[str, Any], output: int) -> None:
    """Give this process what ``_start`` gives a program."""
    os.setsid()
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.chdir(_bytes(request["folder"]))
    os.environ.clear()
    os.environb.update({_bytes(name): _bytes(value) for name, value in request["environment"].items()})
    time.tzset()
    os.dup2(output, 1)
    os.dup2(output, 2)
    # The guard's socket too, by which the service notices a guard's end, and the pipe, on which the guard waits.
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))


def _imported(program: str, *words: str) -> Main | None:
    """Return the function ``main`` of a module or a file, or None: then the program's start will say what is wrong."""
    with contextlib.suppress(Exception):
        module = _load(program) if program.endswith(".py") else importlib.import_module(f"{program}.__main__")
        if words:
            module.prepare(*words)
        main: Main = module.main
        # The garbage collectors of the programs would copy the memory that they share.
        gc.freeze()
        return main
    return None


def _load(file: str) -> ModuleType:
    """Import a file as Python's main program, with a name of its own: it is not to run yet."""
    spec = importlib.util.spec_from_file_location("__program__", file)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["__main__"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _bytes(text: str) -> bytes:
    return text.encode("latin-1")


def _kill_descendants(ancestor: int) -> None:
    """Kill all descendants of a process. Does nothing without ``/proc``."""
    children: dict[int, list[int]] = {}
    for process, parent in _processes():
        children.setdefault(parent, []).append(process)
        if parent == ancestor:
            # At once: a child that only forks and exits would have gone by the end of the list.
            _kill(process)
    rest = list(children.get(ancestor, ()))
    while rest:
        below = children.get(rest.pop(), ())
        rest += below
        for process in below:
            _kill(process)


def _kill(process: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(process, signal.SIGKILL)


def _processes() -> Iterator[tuple[int, int]]:
    """Yield the ids of all processes and of their parents, youngest first."""
    try:
        ids = sorted((int(name) for name in os.listdir("/proc") if name.isdecimal()), reverse=True)  # noqa: PTH208
    except FileNotFoundError:
        return
    for process in ids:
        # A process may end at any moment.
        with contextlib.suppress(OSError), open(f"/proc/{process}/stat", "rb") as file:  # noqa: PTH123
            # The name in parentheses may contain anything. The state and the parent follow it.
            yield process, int(file.read().rpartition(b")")[2].split()[1])


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])), _imported(*sys.argv[2:]) if sys.argv[2:] else None)
