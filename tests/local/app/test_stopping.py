"""The stop of a service whose parts fail to stop."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from local.api.sqs import Sqs
from local.app.gateway import Gateway
from local.app.server import LocalService, hold_folder
from local.core.settings import Settings
from local.interpreter.execution_runner import ExecutionRunner
from local.runtime.endpoints.hosting import Hosting
from local.runtime.models.servers import ModelServers
from local.runtime.supervisor import Supervisor
from local.storage.metric_points import MetricPoints
from local.storage.store import Store

STOPS = [
    (Gateway, "close"),
    (Sqs, "close"),
    (ExecutionRunner, "stop_all"),
    (Supervisor, "stop_all"),
    (Hosting, "close"),
    (ModelServers, "remove_folders"),
    (MetricPoints, "close"),
    (Store, "close"),
]


def test_every_part_is_stopped_in_order_even_if_all_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped: list[tuple[type, str]] = []
    is_started = False

    def fail_after(part: type, name: str) -> None:
        stop = getattr(part, name)

        def stop_and_fail(self: Any) -> None:
            stop(self)
            if is_started:
                stopped.append((part, name))
                raise OSError(name)

        monkeypatch.setattr(part, name, stop_and_fail)

    for part, name in STOPS:
        fail_after(part, name)
    handlers = list(logging.getLogger("local").handlers)
    service = LocalService(Settings(tmp_path / ".local", port=0))
    service.start()
    is_started = True
    with pytest.raises(OSError, match="close"):
        service.stop()
    assert stopped == STOPS
    assert logging.getLogger("local").handlers == handlers
    hold_folder(service.settings).close()
