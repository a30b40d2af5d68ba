from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable

import pytest

from pipeline.errors import ConfigError, UserError
from scripts.side_process import SideProcess


def fail(error: Exception) -> None:
    raise error


class UnfitError(Exception):
    """An error that can be pickled, but not made again from that."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"{first} and {second}")


def fail_unfit() -> None:
    raise UnfitError("this", "that")


def make_lock() -> object:
    return threading.Lock()


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_tasks_are_done_in_their_order_and_results_are_asked_for_in_any() -> None:
    process = SideProcess()
    first, second = process.begin(os.getpid), process.begin(max, 1, 2)
    assert (second(), second()) == (2, 2)
    assert first() != os.getpid()


def test_what_a_task_raises_is_raised_here_and_the_process_goes_on() -> None:
    process = SideProcess()
    failed, done = process.begin(fail, UserError("not so")), process.begin(max, 1, 2)
    with pytest.raises(UserError, match="not so"):
        failed()
    assert done() == 2


def test_an_error_says_where_in_the_other_process_it_was_raised() -> None:
    failed = SideProcess().begin(fail, ValueError("not so"))
    with pytest.raises(ValueError, match="not so") as caught:
        failed()
    assert "raise error\nValueError: not so" in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(("task", "said"), [(fail_unfit, "UnfitError: this and that"), (make_lock, "cannot pickle")])
def test_what_cannot_be_sent_is_an_error_with_its_origin(task: Callable[[], object], said: str) -> None:
    process = SideProcess()
    begun = process.begin(task)
    with pytest.raises(Exception, match=said):
        begun()
    assert process.begin(max, 1, 2)() == 2


def test_faults_of_the_configuration_stay_single_lines() -> None:
    failed = SideProcess().begin(fail, ConfigError(["dataset: a", "tuning: b"]))
    with pytest.raises(ConfigError) as caught:
        failed()
    assert caught.value.faults == ["dataset: a", "tuning: b"]
    assert str(caught.value) == "dataset: a\ntuning: b"


def test_a_killed_process_is_a_sentence() -> None:
    process = SideProcess()
    killed = process.begin(die)
    with pytest.raises(UserError, match="killed"):
        killed()
    with pytest.raises(UserError, match="killed"):
        process.begin(max, 1, 2)()


def test_the_process_ends_when_nobody_waits_for_it_any_more() -> None:
    """As after ``kill -9``: the process that waits ends without a word to the other."""
    starting = "import os; from scripts.side_process import SideProcess; SideProcess(); os._exit(0)"
    # The pipe of standard output closes when both have ended.
    subprocess.run([sys.executable, "-c", starting], stdout=subprocess.PIPE, check=True, timeout=60)
