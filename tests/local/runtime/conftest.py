"""A supervisor, and a system that starts no threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Never

import pytest

from local.core.settings import Settings
from local.runtime.supervisor import Supervisor


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
