"""Does slow tasks of a command in a second process, so that they use another processor."""

from __future__ import annotations

import copy
import multiprocessing
import pickle
import signal
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from pipeline.errors import UserError

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

T = TypeVar("T")


class SideProcess:
    """A process that does one task after the other. It ends with the process that has started it, however that ends.

    The worker of a ``ProcessPoolExecutor`` does not: it outlives a process that is killed. And a process that ends, for
    example after Ctrl-C or an error, waits for what the worker does, such as seconds of imports.
    """

    def __init__(self) -> None:
        self._connection, theirs = multiprocessing.Pipe()
        with theirs:
            multiprocessing.Process(target=_work, args=(theirs, self._connection), daemon=True).start()
        self._begun = 0
        self._answers: list[tuple[bool, Any]] = []

    def begin(self, task: Callable[..., T], *arguments: object) -> Callable[[], T]:
        """Let the process do a task after those before.

        Args:
            task: a function of a module, which the process imports.
            *arguments: its arguments, which are pickled.

        Returns:
            A function that waits for the task's result, and returns it. It raises what the task raises, or UserError if
            the process was killed.
        """
        # If the process was killed, the result says so.
        with suppress(BrokenPipeError, ConnectionResetError):
            self._connection.send((task, arguments))
        self._begun += 1
        return partial(self._result, self._begun - 1)

    def _result(self, number: int) -> Any:
        while len(self._answers) <= number:
            try:
                self._answers.append(self._connection.recv())
            except (EOFError, ConnectionResetError):
                raise UserError(
                    "A process of this command was killed, perhaps for lack of memory: it needs 300 MB."
                ) from None
        succeeded, value = self._answers[number]
        if not succeeded:
            raise value
        return value


def _work(connection: Connection, other_side: Connection) -> None:
    # Ctrl-C ends the process that waits for results, and that process ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # This process's copy would keep the connection open after the other process has ended.
    other_side.close()
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            task, arguments = connection.recv()
            connection.send_bytes(_answer(task, arguments))


def _answer(task: Callable[..., Any], arguments: tuple[Any, ...]) -> bytes:
    """Do a task, and return as bytes whether it succeeded, and its result or its error."""
    try:
        return pickle.dumps((True, task(*arguments)))
    except Exception as error:
        return pickle.dumps((False, _with_origin(error)))


def _with_origin(error: Exception) -> Exception:
    """Return an error that can be pickled, with the traceback, which cannot."""
    trace = "".join(traceback.format_exception(error))
    try:
        # Some errors can be pickled, but not made again from that.
        pickle.dumps(copy.copy(error))
    except Exception:
        return RuntimeError(trace)
    error.add_note(f"In the side process:\n{trace}")
    return error
