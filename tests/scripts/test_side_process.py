from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from pipeline.errors import ConfigError, UserError
from scripts.side_process import SideProcess


def fail(error: Exception) -> None:
    raise error


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
