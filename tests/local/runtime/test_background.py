"""Background threads that the system does not start, and those that fail."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from typing import Any, Never

import pytest

from local.core.settings import Settings
from local.runtime.jobs import builtin_training
from local.runtime.program_output import OutputReader
from local.runtime.supervisor import ServiceStoppingError, Supervisor
from local.runtime.work_queue import WorkQueue
from local.storage.store import Store


@pytest.fixture
def supervisor(settings: Settings) -> Iterator[Supervisor]:
    opened = Supervisor(settings)
    yield opened
    opened.stop_all()


@pytest.fixture
def no_threads(monkeypatch: pytest.MonkeyPatch) -> Callable[[], AbstractContextManager[None]]:
    """The system starts no threads within this context."""

    def fail(_: threading.Thread) -> Never:
        raise RuntimeError("can't start new thread")

    @contextmanager
    def context() -> Iterator[None]:
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", fail)
            yield

    return context


def test_a_thread_that_did_not_start_does_not_keep_others_from_being_stopped(
    supervisor: Supervisor, no_threads: Callable[[], AbstractContextManager[None]]
) -> None:
    ended = threading.Event()
    with no_threads(), pytest.raises(RuntimeError, match="can't start new thread"):
        supervisor.run_in_background(lambda: None, "never")
    assert supervisor.run_in_background(ended.set, "started")
    supervisor.stop_all()
    assert ended.is_set()
    assert not supervisor.run_in_background(lambda: None, "too late")


def test_a_queue_goes_on_after_a_thread_that_did_not_start(
    supervisor: Supervisor, settings: Settings, no_threads: Callable[[], AbstractContextManager[None]]
) -> None:
    done: list[Any] = []
    with closing(Store(settings.database)) as store:
        queue = WorkQueue(store, supervisor, "work", 1, done.append)
        queue.begin()
        with no_threads():
            queue.put("1", {"number": 1})
        queue.put("2", {"number": 2})
        assert store.wait_until(lambda: not store.list("work"), 20)
    assert done == [{"number": 1}, {"number": 2}]


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
