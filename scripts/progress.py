"""Shows the progress of an execution: a live table in a terminal, or else lines."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from definition_language.documents import all_steps
from pipeline.operate.execution import ExecutionState, StepState, execution_state
from pipeline.operate.failures import failures_of
from scripts.console import console, is_local_service

if TYPE_CHECKING:
    from boto3 import Session

_MARKS = {
    "Waiting": ("·", "dim"),
    "Starting": ("◔", "cyan"),
    "Executing": ("◑", "cyan"),
    "Succeeded": ("●", "green"),
    "Failed": ("✗", "red"),
    "Stopped": ("■", "yellow"),
    "Stopping": ("■", "yellow"),
}
_LOG_LINES = 20
_COLUMNS = 5
_LINES_BELOW = 2
"""The execution's status, and the line of the cursor."""


def follow(session: Session, arn: str) -> ExecutionState:
    """Show the progress of an execution until it ends.

    Args:
        session: a ``boto3.Session`` of the account.
        arn: the execution.

    Returns:
        The execution's last state.
    """
    sagemaker = session.client("sagemaker")
    definition = sagemaker.describe_pipeline_definition_for_execution(PipelineExecutionArn=arn)["PipelineDefinition"]
    names = [step["Name"] for step in all_steps(json.loads(definition))]
    pause = 0.3 if is_local_service() else 10.0
    show = _redraw if console.is_terminal else _print_changes

    def look() -> ExecutionState:
        return execution_state(sagemaker, arn, names)

    state = show(look, pause)
    if state.status == "Failed":
        explain_failure(session, state)
    return state


def explain_failure(session: Session, state: ExecutionState) -> None:
    """Print which steps failed and why, with the last lines of their logs."""
    console.print(f"\nThe execution failed. {state.failure}", style="red", markup=False)
    for failure in failures_of(session, state, _LOG_LINES):
        console.print(failure.sentence, style="red", markup=False)
        for log in failure.logs:
            console.print(f"  the end of its log, {log.name}:", markup=False)
            for line in log.lines:
                console.print(f"  {line}", style="dim", markup=False)


def _redraw(look: Callable[[], ExecutionState], pause: float) -> ExecutionState:
    state = look()
    with Live(_drawn(state), console=console, refresh_per_second=8) as live:
        while not state.ended:
            time.sleep(pause)
            state = look()
            live.update(_drawn(state))
    return state


def _print_changes(look: Callable[[], ExecutionState], pause: float) -> ExecutionState:
    shown: dict[str, str] = {}
    while True:
        state = look()
        for step in state.steps:
            line = f"{step.name}: {step.status}" + (f" ({step.detail})" if step.detail else "")
            if step.started and shown.get(step.name) != line:
                shown[step.name] = line
                took = f" after {step.seconds:.1f} s" if step.status not in ("Starting", "Executing") else ""
                console.print(line + took, markup=False)
        if state.ended:
            for line in _last_lines(state, "Execution"):
                console.print(line, markup=False)
            return state
        time.sleep(pause)


def _drawn(state: ExecutionState) -> Group:
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, show_header=False)
    for _ in range(_COLUMNS - 1):
        table.add_column(no_wrap=True)
    # Until the end, a step has one line, so that as many are shown as fit.
    table.add_column(overflow="fold" if state.ended else "ellipsis", no_wrap=not state.ended)
    steps = [step for step in state.steps if step.started] if state.ended else _that_fit(state.steps)
    for step in steps:
        mark, style = _MARKS.get(step.status, ("?", "magenta"))
        seconds = f"{step.seconds:6.1f} s" if step.seconds else ""
        table.add_row(Text(mark, style), step.name, Text(step.status, style), seconds, Text(_one_line(step), "dim"))
    lines = "\n".join(_last_lines(state, f"Execution {state.arn.rpartition('/')[2]}"))
    return Group(table, Text(lines, no_wrap=False, overflow="fold"))


def _that_fit(steps: list[StepState]) -> list[StepState]:
    """Return as many steps as the terminal has lines for: the last ones that have started, then those that wait."""
    room = max(1, console.height - _LINES_BELOW)
    first = max(0, sum(step.started for step in steps) - room)
    return steps[first : first + room]


def _last_lines(state: ExecutionState, name: str) -> list[str]:
    """Return the execution's status and, at its end, the steps that did not run: a condition chose other steps."""
    absent = [step.name for step in state.steps if step.status == "Not run"]
    return [*([f"Not run: {', '.join(absent)}"] if absent else []), f"{name}: {state.status}"]


def _one_line(step: StepState) -> str:
    return step.detail.splitlines()[0] if step.detail else ""
