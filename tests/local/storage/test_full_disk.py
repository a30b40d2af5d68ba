"""On a full disk, requests fail, and what patient threads write waits for room."""

from __future__ import annotations

import errno
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local.core.disk import Disk, be_patient, is_full
from local.runtime.jobs.failures import outcome_of
from local.runtime.supervisor import Supervisor
from local.runtime.work_queue import WorkQueue
from local.storage.log_files import Logs
from local.storage.store import Store


class FullDatabase:
    """A connection whose commits find the disk full, as SQLite reports it."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self.database, self.full = database, False

    def execute(self, statement: str, *values: Any) -> Any:
        if self.full and statement == "COMMIT":
            self.database.execute("ROLLBACK")
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error
        return self.database.execute(statement, *values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.database, name)


def until(reached: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 20
    while not reached():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.01)


def in_the_background(work: Callable[[], Any]) -> tuple[threading.Thread, list[Any]]:
    results: list[Any] = []

    def run() -> None:
        be_patient()
        try:
            results.append(work())
        except Exception as error:
            results.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, results


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def disk(said) -> Disk:
    return Disk(said.append)


@pytest.fixture
def store(tmp_path, disk):
    opened = Store(tmp_path / "records.sqlite", disk)
    opened.insert("job", "a", {"status": "InProgress"})
    opened._database = FullDatabase(opened._database)  # type: ignore[assignment]
    yield opened
    opened.close()


def fill(store: Store, *, full: bool) -> None:
    store._database.full = full  # type: ignore[attr-defined]


def test_a_request_fails_and_changes_nothing(store, said) -> None:
    fill(store, full=True)
    with pytest.raises(sqlite3.OperationalError) as error:
        store.insert("job", "b", {})
    assert is_full(error.value)
    assert said == []
    fill(store, full=False)
    assert store.find("job", "b") is None


def test_a_state_waits_until_there_is_room_and_is_then_written(store, said, tmp_path) -> None:
    fill(store, full=True)

    def end() -> None:
        with store.transaction():
            store.update("job", "a", lambda record: record.update(status="Completed"))
            store.insert("job", "b", {"status": "InProgress"})

    thread, results = in_the_background(end)
    until(lambda: said)
    # Readers are not kept waiting, and see what is on the disk.
    assert store.get("job", "a") == {"status": "InProgress"}
    assert store.list("job") == [{"status": "InProgress"}]
    with pytest.raises(sqlite3.OperationalError):
        store.insert("job", "c", {})
    fill(store, full=False)
    thread.join(20)
    assert results == [None]
    assert store.list("job") == [{"status": "Completed"}, {"status": "InProgress"}]
    assert len(said) == 2
    store.insert("job", "c", {})
    again = Store(tmp_path / "records.sqlite")
    assert again.get("job", "a") == {"status": "Completed"}
    again.close()


def test_states_that_wait_do_not_overwrite_each_other(store, said) -> None:
    store.update("job", "a", lambda record: record.update(numbers=[]))
    fill(store, full=True)

    def add(number: int) -> Callable[[], Any]:
        return lambda: store.update("job", "a", lambda record: record["numbers"].append(number))

    works = [in_the_background(add(number)) for number in range(8)]
    until(lambda: said)
    fill(store, full=False)
    for thread, _ in works:
        thread.join(20)
    assert sorted(store.get("job", "a")["numbers"]) == list(range(8))


def test_work_that_waits_for_room_while_its_queue_begins_is_done(store, said, settings) -> None:
    supervisor = Supervisor(settings)
    queue = WorkQueue(store, supervisor, "work", 1, lambda _: None)
    fill(store, full=True)
    thread, _ = in_the_background(lambda: queue.put("1", {"number": 1}))
    until(lambda: said)
    queue.begin()
    fill(store, full=False)
    thread.join(20)
    assert store.wait_until(lambda: not store.list("work"), 20)
    supervisor.stop_all()


def test_nothing_waits_any_more_when_the_service_stops(store, disk, said) -> None:
    fill(store, full=True)
    thread, results = in_the_background(lambda: store.delete("job", "a"))
    until(lambda: said)
    disk.close()
    thread.join(20)
    assert is_full(results[0])


class HalfFile:
    """A file that takes the half of what is written to it, and then finds the disk full."""

    def __init__(self, file: Any) -> None:
        self._file, self._writes = file, 0

    def write(self, content: Any) -> int:
        self._writes += 1
        if self._writes > 1:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return int(self._file.write(content[: len(content) // 2]))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> HalfFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def test_lines_of_a_log_are_written_whole_or_wait(tmp_path, disk, said, monkeypatch) -> None:
    logs = Logs(tmp_path, disk)
    logs.append("group", "stream", ["first"])
    path_open, full = Path.open, True

    def half_open(path: Path, mode: str = "r", *arguments: Any, **settings: Any) -> Any:
        file = path_open(path, mode, *arguments, **settings)
        return HalfFile(file) if full and mode == "ab" else file

    monkeypatch.setattr(Path, "open", half_open)
    with pytest.raises(OSError, match="No space left"):
        logs.append("group", "stream", ["lost", "and said so"])
    thread, results = in_the_background(lambda: logs.append("group", "stream", ["second", "third"]))
    until(lambda: said)
    assert [event.message for event in logs.stream_events("group", "stream")] == ["first"]
    full = False
    thread.join(20)
    assert results == [None]
    assert [event.message for event in logs.stream_events("group", "stream")] == ["first", "second", "third"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_job_whose_output_finds_no_room_fails_with_that_reason(number) -> None:
    def work() -> None:
        raise OSError(number, os.strerror(number))

    lines: list[str] = []
    outcome = outcome_of(work, lines.extend)
    assert outcome is not None
    assert outcome.status == "Failed"
    assert "no space is left on the disk" in str(outcome.reason)
    assert lines == [outcome.reason]
