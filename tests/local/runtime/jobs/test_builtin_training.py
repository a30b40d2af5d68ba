"""Programs that train jobs of SageMaker's algorithms."""

from __future__ import annotations

from typing import Any, Never

import pytest

from local.runtime.jobs import builtin_training
from local.runtime.supervisor import ServiceStoppingError


def fail(*_: object, **__: object) -> Never:
    raise ZeroDivisionError


class Stub:
    """A program that has ended, or whose service stops, and a job whose log cannot be read."""

    process = 1
    read_log = fail

    def __init__(self, end: Exception | None = None) -> None:
        self._end = end

    def wait(self) -> int:
        if self._end:
            raise self._end
        return 0


@pytest.mark.parametrize(("end", "error"), [(None, ZeroDivisionError), (ServiceStoppingError(), ServiceStoppingError)])
def test_a_log_that_cannot_be_read_is_an_error_of_the_job(end: Exception | None, error: type[Exception]) -> None:
    job: Any = Stub()
    program: Any = Stub(end)
    with pytest.raises(error):
        builtin_training._wait(program, [job])
