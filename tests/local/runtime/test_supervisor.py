"""Background threads that the system does not start."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from local.runtime.supervisor import Supervisor


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
