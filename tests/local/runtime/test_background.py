"""Background threads that the system does not start."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Never

import pytest

from local.core.settings import Settings
from local.runtime.supervisor import Supervisor
from local.runtime.work_queue import WorkQueue


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


def test_a_queue_works_after_a_thread_that_did_not_start(
    supervisor: Supervisor, no_threads: Callable[[], AbstractContextManager[None]]
) -> None:
    queue, done = WorkQueue(supervisor, "work", 1), []
    ended = threading.Event()
    with no_threads(), pytest.raises(RuntimeError, match="can't start new thread"):
        queue.put(lambda: done.append("refused"))
    queue.put(lambda: done.append("taken"))
    queue.put(ended.set)
    assert ended.wait(20)
    assert done == ["taken"]
