"""Work of a queue ends, or begins again with the next start of the service."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from pathlib import Path

import pytest

from local.core.settings import Settings
from local.runtime.supervisor import ServiceStoppingError, Supervisor
from local.runtime.work_queue import WorkQueue
from local.storage.store import Document, Store

KIND = "work"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path / "records.sqlite")) as opened:
        yield opened


@pytest.fixture
def start(store: Store, tmp_path: Path) -> Iterator[Callable[..., tuple[WorkQueue, list[int]]]]:
    """Starts the service's queue, and gives it with the numbers of the work that was done."""
    supervisors: list[Supervisor] = []

    def begin(do: Callable[[int], object] = lambda _: None) -> tuple[WorkQueue, list[int]]:
        supervisors.append(Supervisor(Settings(tmp_path / ".local")))
        done: list[int] = []

        def work(document: Document) -> None:
            do(document["number"])
            done.append(document["number"])

        return WorkQueue(store, supervisors[-1], KIND, 2, work), done

    yield begin
    for supervisor in supervisors:
        supervisor.stop_all()


def put(queue: WorkQueue, *numbers: int) -> None:
    for number in numbers:
        queue.put(str(number), {"number": number})


def wait_for_end(store: Store) -> None:
    assert store.wait_until(lambda: not store.list(KIND), 20)


def test_what_is_left_of_work_is_done_when_it_is_due_also_by_the_next_start(store: Store, start, tmp_path) -> None:
    def count_down(work: Document) -> Document | None:
        number = work["number"] - 1
        return {"number": number, "Due": time.time() + (3600 if number == 10 else 0)} if number else None

    supervisor = Supervisor(Settings(tmp_path / ".local"))
    queue = WorkQueue(store, supervisor, KIND, 2, count_down)
    queue.begin()
    put(queue, 3, 11)
    assert store.wait_until(lambda: [left["number"] for left in store.list(KIND)] == [10], 20)
    supervisor.stop_all()
    again, done = start()
    again.begin()
    put(again, 5)
    assert store.wait_until(lambda: [left["number"] for left in store.list(KIND)] == [10], 20)
    store.update(KIND, "11", lambda left: left.update(Due=time.time() + 0.05))
    last, done_last = start()
    last.begin()
    wait_for_end(store)
    assert (done, done_last) == ([5], [10])


def stop(_: int) -> None:
    raise ServiceStoppingError


def test_work_that_a_stop_interrupts_or_keeps_from_starting_is_done_by_the_next_start(store: Store, start) -> None:
    interrupted, none = start(stop)
    put(interrupted, 1, 2)
    interrupted.begin()
    put(interrupted, 3, 4)
    again, done = start()
    again.begin()
    wait_for_end(store)
    assert none == []
    assert sorted(done) == [1, 2, 3, 4]


def test_an_error_because_the_service_stops_is_no_end_of_work(store: Store, start, tmp_path: Path) -> None:
    supervisor = Supervisor(Settings(tmp_path / ".local"))
    begun, stopped = threading.Event(), threading.Event()

    def fail(_: Document) -> None:
        begun.set()
        stopped.wait(20)
        raise OSError("the connection was refused")

    queue = WorkQueue(store, supervisor, KIND, 1, fail)
    queue.begin()
    put(queue, 1)
    assert begun.wait(20)
    threading.Thread(target=supervisor.stop_all).start()
    while not supervisor.is_stopping:
        pass
    stopped.set()
    supervisor.stop_all()
    again, done = start()
    again.begin()
    wait_for_end(store)
    assert done == [1]


def test_work_that_fails_ends_and_keeps_no_other_work_from_being_done(store: Store, start) -> None:
    def fail(number: int) -> None:
        if number < 5:
            raise ValueError(number)

    queue, done = start(fail)
    queue.begin()
    put(queue, 1, 2, 3, 4, 5)
    wait_for_end(store)
    assert done == [5]


def test_work_belongs_to_the_transaction_that_it_is_put_in(store: Store, start) -> None:
    queue, done = start()
    queue.begin()

    def change_nothing() -> None:
        with store.transaction():
            put(queue, 1)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        change_nothing()
    with store.transaction():
        put(queue, 2, 3)
    wait_for_end(store)
    assert sorted(done) == [2, 3]


@pytest.mark.parametrize("method", ["find", "update", "delete"])
def test_work_for_which_the_store_fails_is_done_by_the_next_start_and_stalls_no_other(
    store: Store, start, supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    sound = getattr(store, method)

    def fail(kind: str, key: str, *more: object) -> object:
        if key in ("1", "2"):
            raise sqlite3.OperationalError("disk I/O error")
        return sound(kind, key, *more)

    queue = WorkQueue(
        store, supervisor, KIND, 2, lambda work: None if method == "delete" or "Due" in work else {"Due": 0.0}
    )
    queue.begin()
    with monkeypatch.context() as patch:
        patch.setattr(store, method, fail)
        put(queue, 1, 2, 3)
        assert store.wait_until(lambda: [left["number"] for left in store.list(KIND)] == [1, 2], 20)
        supervisor.stop_all()
    again, done = start()
    again.begin()
    wait_for_end(store)
    assert sorted(done) == [1, 2]


def test_a_queue_goes_on_after_a_thread_that_did_not_start(
    store: Store, supervisor: Supervisor, no_threads: Callable[[], AbstractContextManager[None]]
) -> None:
    done: list[int] = []
    queue = WorkQueue(store, supervisor, KIND, 1, lambda work: done.append(work["number"]))
    queue.begin()
    with no_threads():
        put(queue, 1)
    put(queue, 2)
    wait_for_end(store)
    assert done == [1, 2]


def test_work_that_is_put_while_the_queue_begins_is_done_once(store: Store, start) -> None:
    begun: list[int] = []
    released = threading.Event()

    def begin_work(number: int) -> None:
        begun.append(number)
        if number == 2:
            released.set()
        released.wait(5)

    queue, _ = start(begin_work)
    with store.transaction():
        # Begins between the commit of the work and what put() does then.
        store.when_committed(queue.begin)
        put(queue, 1)
    put(queue, 2)
    wait_for_end(store)
    assert sorted(begun) == [1, 2]


def test_work_of_an_earlier_run_is_begun_in_its_order(store: Store, supervisor: Supervisor) -> None:
    done: list[int] = []
    queue = WorkQueue(store, supervisor, KIND, 1, lambda work: done.append(work["number"]))
    put(queue, 3, 1, 4, 2)
    queue.begin()
    wait_for_end(store)
    supervisor.stop_all()
    assert done == [3, 1, 4, 2]
