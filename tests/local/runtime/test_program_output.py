"""The output of a program, whose publishing may fail."""

from __future__ import annotations

import sys
from typing import Never

import pytest

from local.core.settings import Settings
from local.runtime.program_output import OutputReader
from local.runtime.supervisor import Supervisor


def fail(*_: object, **__: object) -> Never:
    raise ZeroDivisionError


def test_lines_that_cannot_be_published_are_an_error_of_the_job(supervisor: Supervisor, settings: Settings) -> None:
    # More than a pipe takes: the program must not wait for a reader for ever.
    command = [sys.executable, "-c", "print('line\\n' * 100_000)"]
    program = supervisor.start("key", command, folder=settings.root.parent, environment={})
    reader = OutputReader(program, fail)
    program.wait()
    with pytest.raises(ZeroDivisionError):
        reader.finish()
