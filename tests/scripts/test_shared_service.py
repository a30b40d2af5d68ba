"""Several commands at once in one folder, and a person who presses Ctrl-C."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from unittest.mock import Mock

import pytest

from pipeline.errors import UserError
from scripts import shared_service, whole_run


def test_runs_publish_and_start_one_after_the_other(tmp_path, monkeypatch, config) -> None:
    monkeypatch.setattr(whole_run, "ROOT", tmp_path)
    events: list[str] = []

    def publish_and_start(*_: object) -> str:
        events.append("publishes")
        time.sleep(0.05)
        events.append("started")
        raise EOFError  # the rest of a run is of no interest here

    monkeypatch.setattr(whole_run, "publish_and_start", publish_and_start)

    def run() -> None:
        with pytest.raises(EOFError):
            whole_run.WholeRun(config, (), Mock())()

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert events == ["publishes", "started"] * 3


@pytest.mark.parametrize(("own", "words"), [(True, "Repeat the command"), (False, "goes on")])
def test_ctrl_c_says_what_becomes_of_the_execution(tmp_path, monkeypatch, capsys, own, words) -> None:
    @contextmanager
    def service(*_: object):
        yield own

    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(shared_service, "_service", service)
    with pytest.raises(KeyboardInterrupt):
        shared_service.on_local_service(tmp_path, "us-east-1", interrupted)
    assert words in capsys.readouterr().out


def test_the_service_of_another_command_has_to_be_in_the_configurations_region(tmp_path, monkeypatch) -> None:
    url = "http://127.0.0.1:8566"
    environment = {"AWS_ENDPOINT_URL": url, "AWS_DEFAULT_REGION": "us-east-1"}
    monkeypatch.setattr(shared_service, "_join_or_start", lambda *_: environment)
    monkeypatch.setattr(shared_service, "point_at", lambda _: None)
    with pytest.raises(UserError, match=rf"{url}, is in us-east-1, and aws\.region of the configuration is eu-west-1"):
        shared_service.on_local_service(tmp_path, "eu-west-1", Mock())
    assert shared_service.on_local_service(tmp_path, "us-east-1", lambda: "done") == "done"
