from __future__ import annotations

import json
from typing import Any

from tests.local.interpreter.documents import TRUE, condition, fail

RECORD = """
import json, pathlib
def handler(event, context):
    with open({path!r}, "a") as file:
        file.write(json.dumps(event) + "\\n")
"""


def test_rules_see_executions_and_steps_come_into_other_states(pipelines, tmp_path) -> None:
    path = tmp_path / "events.jsonl"
    arn = pipelines.function("record", RECORD.format(path=str(path)))
    events = pipelines.service.client("events")
    pattern = {"source": ["aws.sagemaker"], "detail": {"pipelineArn": [{"prefix": "arn:aws:sagemaker"}]}}
    events.put_rule(Name="pipelines", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="pipelines", Targets=[{"Id": "1", "Arn": arn}])

    outcome = pipelines.run(condition("Gate", TRUE, then=[fail("Stop", "no")]))

    wanted = {
        (None, None, "Executing"),
        (None, "Executing", "Failed"),
        ("Gate", None, "Starting"),
        ("Gate", "Starting", "Succeeded"),
        ("Stop", None, "Starting"),
        ("Stop", "Starting", "Failed"),
    }
    seen: dict[tuple[str | None, str | None, str], Any] = {}
    for _ in range(200):
        lines = path.read_text().splitlines() if path.exists() else []
        seen = {change(json.loads(line)): json.loads(line) for line in lines if line.endswith("}")}
        if set(seen) >= wanted:
            break
        pipelines.parts.store.wait_until(lambda: False, 0.05)
    assert set(seen) == wanted
    ended = seen[None, "Executing", "Failed"]
    assert ended["detail-type"] == "SageMaker Model Building Pipeline Execution Status Change"
    assert ended["detail"]["pipelineExecutionArn"] == outcome.arn
    assert ended["resources"] == [outcome.arn.partition("/execution/")[0], outcome.arn]
    stopped = seen["Stop", "Starting", "Failed"]
    assert stopped["detail-type"] == "SageMaker Model Building Pipeline Execution Step Status Change"
    assert stopped["detail"]["stepType"] == "Fail"
    assert stopped["detail"]["metadata"] == {"fail": {"errorMessage": "no"}}


def change(event):
    """The step (None for the execution), its state before and after."""
    detail = event["detail"]
    if "stepName" in detail:
        return detail["stepName"], detail.get("previousStepStatus"), detail["currentStepStatus"]
    return None, detail.get("previousPipelineExecutionStatus"), detail["currentPipelineExecutionStatus"]
