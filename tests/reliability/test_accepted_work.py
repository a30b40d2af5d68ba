"""What the service has accepted is done after a kill: invocations, events, and the events of changes."""

from __future__ import annotations

import io
import json
import signal
import zipfile
from pathlib import Path

import pytest

from tests.local.conftest import ROLE
from tests.reliability.test_kills import Service, services, until  # noqa: F401 - a fixture

pytestmark = pytest.mark.slow

# Ends only if there is the file "go".
SOURCE = """
import json, os, time
def handler(event, context):
    while not os.path.exists({folder!r} + "/go"):
        time.sleep(0.02)
    with open({folder!r} + "/received", "a") as file:
        file.write(json.dumps([event, context.aws_request_id]) + "\\n")
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, pytest.param(signal.SIGTERM, marks=pytest.mark.long)])
def test_accepted_work_is_done_after_a_stop(
    services: list[Service],  # noqa: F811 - a fixture
    tmp_path: Path,
    number: signal.Signals,
) -> None:
    service = services[0]
    functions, rules, sagemaker = (service.client(name) for name in ("lambda", "events", "sagemaker"))
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("main.py", SOURCE.format(folder=str(tmp_path)))
    arn = functions.create_function(
        FunctionName="slow",
        Code={"ZipFile": archive.getvalue()},
        **{"Runtime": "python3.11", "Role": ROLE, "Handler": "main.handler", "Timeout": 60},
    )["FunctionArn"]
    for name, pattern in (("mine", {"source": ["mine"]}), ("models", {"source": ["aws.sagemaker"]})):
        rules.put_rule(Name=name, EventPattern=json.dumps(pattern))
        rules.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": arn, "InputPath": "$.detail"}])
    sagemaker.create_model_package_group(ModelPackageGroupName="group")

    functions.invoke(FunctionName="slow", InvocationType="Event", Payload=b'"invoked"')
    entries = [{"Source": "mine", "DetailType": "test", "Detail": json.dumps({"put": each})} for each in range(3)]
    assert rules.put_events(Entries=entries)["FailedEntryCount"] == 0
    package = sagemaker.create_model_package(ModelPackageGroupName="group")["ModelPackageArn"]
    sagemaker.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approved")
    service.end(number)

    services.append(Service(service.root))
    (tmp_path / "go").touch()
    wanted = {"invoked", *("put 0", "put 1", "put 2"), "PendingManualApproval", "Approved"}
    until(lambda: {called(event) for event, _ in received(tmp_path)} >= wanted)
    identifiers = [identifier for _, identifier in received(tmp_path)]
    assert len(identifiers) == len(set(identifiers))


def received(folder: Path) -> list[list]:
    file = folder / "received"
    lines = file.read_text().splitlines(keepends=True) if file.exists() else []
    return [json.loads(line) for line in lines if line.endswith("\n")]


def called(event) -> str:
    if isinstance(event, str):
        return event
    return f"put {event['put']}" if "put" in event else event["ModelApprovalStatus"]
