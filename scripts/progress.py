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
    state = show(lambda: execution_state(sagemaker, arn, names), pause)
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
            if step.status != "Waiting" and shown.get(step.name) != line:
                shown[step.name] = line
                took = f" after {step.seconds:.1f} s" if step.status not in ("Starting", "Executing") else ""
                console.print(line + took, markup=False)
        if state.ended:
            console.print(f"Execution: {state.status}")
            return state
        time.sleep(pause)


def _drawn(state: ExecutionState) -> Group:
    table = Table(box=None, padding=(0, 1), show_header=False)
    for step in state.steps:
        if state.ended and step.status == "Waiting":
            continue  # in a branch that was not taken
        mark, style = _MARKS.get(step.status, ("?", "magenta"))
        seconds = f"{step.seconds:6.1f} s" if step.seconds else ""
        table.add_row(Text(mark, style), step.name, Text(step.status, style), seconds, Text(_one_line(step), "dim"))
    return Group(table, Text(f"Execution {state.arn.rpartition('/')[2]}: {state.status}"))


def _one_line(step: StepState) -> str:
    return step.detail.splitlines()[0] if step.detail else ""
