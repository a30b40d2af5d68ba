"""However many steps and executions there are, few of them run at once, and none waits for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from local.interpreter import execution_runner
from local.interpreter.execution import MOST_PARALLEL_STEPS
from local.interpreter.schedule import StepSlots
from local.interpreter.step_run import StepRun
from local.interpreter.steps import run_step
from tests.local.interpreter.conftest import Pipelines
from tests.local.interpreter.documents import TRUE, condition

SECONDS = 60


class Watch:
    """Counts the steps that run at once, and calls something in each step."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.most = 0
        self.within: Callable[[StepRun], object] = lambda _: None
        self._count = 0
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        monkeypatch.setattr("local.interpreter.execution.run_step", self._run)

    def wait_for(self, count: int) -> None:
        """Hold every step until so many have run at once."""

        def hold(_: StepRun) -> None:
            with self._changed:
                assert self._changed.wait_for(lambda: self.most >= count, SECONDS)

        self.within = hold

    def _run(self, run: StepRun) -> str:
        with self._lock:
            self._count += 1
            self.most = max(self.most, self._count)
            self._changed.notify_all()
        try:
            self.within(run)
            return run_step(run)
        finally:
            with self._lock:
                self._count -= 1


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    return Watch(monkeypatch)


@pytest.fixture
def set_slots(pipelines: Pipelines) -> Iterator[Callable[[int], None]]:
    runner = pipelines.parts.executions
    before = runner._slots

    def change(count: int) -> None:
        runner._slots = StepSlots(count)

    yield change
    runner._slots = before


def steps(count: int) -> list[dict]:
    return [condition(f"Step{number}", TRUE) for number in range(count)]


def test_an_execution_runs_fifty_steps_at_once_and_no_more(pipelines: Pipelines, watch: Watch) -> None:
    watch.wait_for(MOST_PARALLEL_STEPS)
    outcome = pipelines.run(*steps(2 * MOST_PARALLEL_STEPS))
    assert outcome.status == "Succeeded", outcome.reason
    assert watch.most == MOST_PARALLEL_STEPS


def test_executions_share_what_may_run_at_once(pipelines: Pipelines, watch: Watch, set_slots) -> None:
    set_slots(3)
    # Each execution may have one step more.
    watch.wait_for(5)
    arns = [pipelines.start(pipelines.create(*steps(10))) for _ in range(2)]
    assert [pipelines.wait(arn).status for arn in arns] == ["Succeeded", "Succeeded"]
    assert watch.most == 5


def test_a_step_may_wait_for_another_execution_when_nothing_else_may_run(
    pipelines: Pipelines, watch: Watch, set_slots
) -> None:
    set_slots(0)
    inner = pipelines.create(*steps(3))
    statuses: list[str] = []

    def wait_for_inner(run: StepRun) -> None:
        if run.step.name == "Outer":
            statuses.append(pipelines.wait(pipelines.start(inner)).status)

    watch.within = wait_for_inner
    assert pipelines.run(condition("Outer", TRUE), condition("Other", TRUE)).status == "Succeeded"
    assert statuses == ["Succeeded"]


def test_executions_beyond_the_limit_wait_and_can_be_stopped(
    pipelines: Pipelines, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execution_runner, "MOST_EXECUTIONS", 1)
    release, started = threading.Event(), threading.Event()

    def hold(_: StepRun) -> None:
        started.set()
        assert release.wait(SECONDS)

    watch.within = hold
    name = pipelines.create(*steps(1))
    first = pipelines.start(name)
    assert started.wait(SECONDS)
    second, third = pipelines.start(name), pipelines.start(name)
    pipelines.client.stop_pipeline_execution(PipelineExecutionArn=second)
    assert pipelines.wait(second).status == "Stopped"
    assert pipelines.steps(second) == pipelines.steps(third) == {}
    release.set()
    assert [pipelines.wait(arn).status for arn in (first, third)] == ["Succeeded", "Succeeded"]
