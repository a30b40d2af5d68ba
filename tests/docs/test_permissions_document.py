"""The table of permissions in docs/operations.md, compared with the code of commands that only a whole run would show.

tests/scripts/test_operation.py and test_doctor_command.py compare it with the requests that the other commands send.
"""

from __future__ import annotations

import re

import pytest

from scripts.completion import targets
from tests.docs.permissions import ROOT, documented
from tests.infra.calls import iam_actions

_FOLLOW = (
    "scripts/executions",
    "scripts/progress",
    *(f"pipeline/operate/{name}" for name in ("execution", "failures")),
)
MODULES = {
    "bootstrap": ("scripts/bootstrap", "pipeline/operate/stack"),
    "rollback": ("scripts/rollback", "pipeline/operate/rollback", "pipeline/definition/resources"),
    "start": ("scripts/start",),
    "status": ("scripts/status", "pipeline/operate/results", *_FOLLOW),
    "report": ("scripts/report", "pipeline/operate/results", *_FOLLOW),
}


@pytest.mark.parametrize(("command", "modules"), MODULES.items())
def test_the_table_has_what_the_code_of_a_command_calls(command, modules) -> None:
    needed = iam_actions(*(ROOT / f"{module}.py" for module in modules))
    assert needed
    assert {action.replace("lambda:Invoke", "lambda:InvokeFunction") for action in needed} - documented()[command] <= {
        "sts:GetCallerIdentity"
    }


def test_the_table_has_each_command_for_an_account() -> None:
    table = documented()
    assert set(table) <= {*targets()}
    readme = (ROOT / "README.md").read_text().partition("## On AWS\n")[2].partition("\n## ")[0]
    assert set(re.findall(r"^    make (\w+)", readme, re.MULTILINE)) <= set(table)


def test_the_actions_have_the_form_of_iam() -> None:
    actions = {action for allowed in documented().values() for action in allowed}
    assert len(actions) > 60
    assert [action for action in actions if not re.fullmatch(r"[a-z0-9-]+:[A-Z]\w+", action)] == []
