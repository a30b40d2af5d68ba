"""Several commands at once in one folder, and a person who presses Ctrl-C."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager

import pytest

from scripts import run_local, shared_service


def test_runs_publish_and_start_one_after_the_other(tmp_path, monkeypatch, config) -> None:
    monkeypatch.setattr(run_local, "ROOT", tmp_path)
    monkeypatch.setattr(run_local, "building", lambda _: None)
    events: list[str] = []

    def publish_and_start(*_: object) -> str:
        events.append("publishes")
        time.sleep(0.05)
        events.append("started")
        raise EOFError  # the rest of a run is of no interest here

    monkeypatch.setattr(run_local, "publish_and_start", publish_and_start)

    def run() -> None:
        with pytest.raises(EOFError):
            run_local._Run(config, ())()

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
