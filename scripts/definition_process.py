"""Builds a definition in another process, so that the SDK loads on another processor while this one does other work."""

from __future__ import annotations

import multiprocessing
import signal
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any

from pipeline.errors import UserError

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from pipeline.config.models import Config


class DefinitionProcess:
    """A process that builds one definition. It loads the SDK as soon as it starts, which takes seconds.

    Args:
        account_id: the account of the bucket and the roles.
    """

    def __init__(self, account_id: str) -> None:
        self._ours, theirs = multiprocessing.Pipe()
        with theirs:
            # A daemon ends with this process. If this process is killed, the daemon's connection closes.
            multiprocessing.Process(target=_work, args=(account_id, self._ours, theirs), daemon=True).start()
        self._answer: dict[str, Any] | Exception | None = None

    def begin(self, config: Config) -> None:
        """Let the process build the definition of a configuration as soon as it can."""
        # If the process was killed, ``definition`` says so.
        with suppress(BrokenPipeError):
            self._ours.send(config)

    def definition(self) -> dict[str, Any]:
        """Wait for the definition, and return it.

        Raises:
            UserError: the process was killed; or what building the definition raises.
        """
        if self._answer is None:
            try:
                self._answer = self._ours.recv()
            except (EOFError, ConnectionResetError):
                raise UserError(
                    "The process that builds the definition was killed, perhaps for lack of memory: it needs 300 MB."
                ) from None
        if isinstance(self._answer, Exception):
            raise self._answer
        assert self._answer is not None
        return self._answer


@cache
def definition_process(account_id: str) -> DefinitionProcess:
    """Return the process of a command, which the first call starts."""
    return DefinitionProcess(account_id)


def _work(account_id: str, parents: Connection, connection: Connection) -> None:
    # Ctrl-C ends the process that waits for the definition, and that process ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # A copy of the other side would keep the connection open.
    parents.close()
    from pipeline.definition.pipeline import build_definition  # noqa: PLC0415 - what takes seconds
    from pipeline.definition.resources import conventional_resources  # noqa: PLC0415

    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        config = connection.recv()
        answer: dict[str, Any] | Exception
        try:
            answer = build_definition(config, conventional_resources(config, account_id))
        except Exception as error:
            answer = error
        connection.send(answer)
