"""What is shown of an execution on a terminal and without one, while it runs and at its end."""

from __future__ import annotations

import pytest

from pipeline.operate.execution import ExecutionState, StepState
from scripts import progress
from scripts.console import console

ARN = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/p/execution/ab12"
WIDTH = 80


@pytest.fixture(autouse=True)
def small_terminal(monkeypatch) -> None:
    monkeypatch.setattr(console, "width", WIDTH)
    monkeypatch.setattr(console, "height", 24)


def state(status: str, *steps: tuple[str, str, str]) -> ExecutionState:
    return ExecutionState(ARN, status, "", [StepState(name, each, 1.0, detail, {}) for name, each, detail in steps])


def drawn(execution: ExecutionState) -> str:
    with console.capture() as captured:
        console.print(progress._drawn(execution))
    return captured.get()


BRANCHES = [
    ("CheckQuality", "Succeeded", "outcome True"),
    ("RejectModel", "Not run", ""),
    ("RejectLater", "Not run", ""),
]


def test_a_terminal_names_the_steps_that_did_not_run() -> None:
    text = drawn(state("Succeeded", *BRANCHES))
    assert "Not run: RejectModel, RejectLater\nExecution ab12: Succeeded" in text
    assert "Waiting" not in text


def test_without_a_terminal_the_end_names_the_steps_that_did_not_run(capsys) -> None:
    progress._print_changes(lambda: state("Succeeded", *BRANCHES), 0)
    assert capsys.readouterr().out.splitlines() == [
        "CheckQuality: Succeeded (outcome True) after 1.0 s",
        "Not run: RejectModel, RejectLater",
        "Execution: Succeeded",
    ]


def test_an_end_at_which_all_steps_ran_names_none(capsys) -> None:
    progress._print_changes(lambda: state("Succeeded", BRANCHES[0]), 0)
    assert "Not run" not in capsys.readouterr().out


def test_long_lines_are_folded_and_not_cut() -> None:
    uri = "s3://a-bucket-with-a-long-name/" + "x" * 100
    names = [f"ConfirmEndpointAgain{number}" for number in range(9)]
    absent = [(name, "Not run", "") for name in names]
    text = drawn(state("Failed", ("MakeFolds", "Failed", uri), *absent))
    assert all(len(line) <= WIDTH for line in text.splitlines())
    assert uri in "".join(text.split())
    assert all(name in text for name in names)


def test_the_steps_that_run_are_shown_if_there_are_more_than_lines() -> None:
    steps = [(f"Done{number}", "Succeeded", "") for number in range(30)]
    text = drawn(state("Executing", *steps, ("Running", "Executing", ""), ("Later", "Waiting", "")))
    assert len(text.splitlines()) <= 24
    assert "Running" in text
    assert "Done0 " not in text
    early = drawn(state("Executing", steps[0], *((f"Later{number}", "Waiting", "") for number in range(30))))
    assert "Done0" in early


def test_a_running_step_has_one_line_in_a_narrow_terminal(monkeypatch) -> None:
    monkeypatch.setattr(console, "width", 60)
    steps = [(f"TuneFold{number}", "Executing", "7 of 12 jobs, best objective_loss 0.457089") for number in range(5)]
    assert len(drawn(state("Executing", *steps)).splitlines()) == len(steps) + 1
    assert "0.457089" in drawn(state("Succeeded", *steps))


def test_a_usual_step_fits_a_terminal_of_80_columns() -> None:
    steps = [
        ("ConfirmEndpoint", "Succeeded", ""),
        ("TuneFold1", "Succeeded", "12 of 12 jobs, best objective_loss 0.457089"),
    ]
    assert len(drawn(state("Succeeded", *steps)).splitlines()) == len(steps) + 1
